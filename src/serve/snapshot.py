"""The features of all customers as of one cutoff, and where each customer is in them."""

import json
from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
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

    @cached_property
    def fingerprint(self) -> str:
        """Of the history the features were made from; empty where the file does not say."""
        told = (self.features.schema.metadata or {}).get(b"goodwill", b"{}")
        return str(json.loads(told).get("fingerprint", ""))

    @cached_property
    def ids(self) -> list[str]:
        """Every customer, in the order of the ids."""
        return sorted(self.place)

    def beginning_with(self, prefix: str, limit: int) -> list[str]:
        """The first customers whose id begins so."""
        start = bisect_left(self.ids, prefix)
        return [i for i in self.ids[start : start + limit] if i.startswith(prefix)]

    @classmethod
    def read(cls, path: Path) -> "Snapshot":
        table = pq.read_table(path).combine_chunks()
        place = {customer: i for i, customer in enumerate(table["customer_id"].to_pylist())}
        cutoff = table["cutoff"].combine_chunks().view(pa.int64())[0].as_py()
        return cls(table, place, instant(cutoff), tone_of(path))
