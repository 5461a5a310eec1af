"""The features of all customers as of one cutoff, and where each customer is in them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from models.score import tone_of
from models.splits import instant


@dataclass(frozen=True)
class Snapshot:
    """A row a customer; `tone` is the digest of what read the comments, None for nothing."""

    features: pa.Table
    place: dict[str, int]
    as_of: datetime
    tone: str | None

    @classmethod
    def read(cls, path: Path) -> "Snapshot":
        table = pq.read_table(path).combine_chunks()
        place = {customer: i for i, customer in enumerate(table["customer_id"].to_pylist())}
        cutoff = table["cutoff"].combine_chunks().view(pa.int64())[0].as_py()
        return cls(table, place, instant(cutoff), tone_of(path))
