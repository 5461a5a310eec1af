"""Compute tables by partitions of customers, in this process or on a cluster, and write them.

A feature depends on one customer's rows only, so any partition of the customers gives the same table.
On disk it is one Parquet file, or a folder of part files whose names sort in the order of the
customers; `pyarrow.parquet.read_table` reads both.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_write import replace_atomically
from features.progress import Steps
from features.settings import Settings

if TYPE_CHECKING:
    from pyarrow.dataset import Dataset

Piece = TypeVar("Piece")


@dataclass(frozen=True)
class CustomerRange:
    """The customers with ids from `first` to `last`, both included."""

    first: str
    last: str

    def read(self, file: Path) -> pa.Table:
        """The rows of these customers in a Parquet file sorted by customer."""
        bounds = [("customer_id", ">=", self.first), ("customer_id", "<=", self.last)]
        return pq.read_table(file, filters=bounds)


def open_parquet(path: Path) -> "Dataset":
    """Open a Parquet file or a folder of part files, to read columns and rows of it."""
    from pyarrow.dataset import dataset  # a third of a second to import

    return dataset(path)


def split_customers(ids: Sequence[str], size: int) -> list[CustomerRange]:
    """Split sorted ids into ranges of at most `size` customers."""
    return [
        CustomerRange(ids[i], ids[min(i + size, len(ids)) - 1]) for i in range(0, len(ids), size)
    ]


def partition(pieces: Sequence[Piece], partitions: int) -> list[Sequence[Piece]]:
    """Partition pieces, in their order, into at most `partitions` groups of about the same length."""
    count = min(partitions, len(pieces))
    bounds = [len(pieces) * i // count for i in range(count + 1)] if count else [0]
    return [pieces[a:b] for a, b in pairwise(bounds)]


class Runner(Protocol):
    """Where work over customers runs: in this process, or on a cluster."""

    @property
    def threads(self) -> int:
        """How many threads the computation of one piece may use."""

    def size(self, customers: int) -> int:
        """How many of `customers` customers make one piece; a piece is held in memory."""

    def write(
        self,
        make: Callable[[Piece], pa.Table | None],
        pieces: Sequence[Piece],
        path: Path,
        steps: Steps,
    ) -> int:
        """Write what `make` returns for each piece to `path`, in the order of the pieces; the row count.

        An existing table stays when a piece fails and when there are no rows. Pieces and `make` must
        be picklable.
        """


class LocalRunner:
    """Computes one piece after the other in this process and writes one file."""

    @property
    def threads(self) -> int:
        return Settings().threads

    def size(self, customers: int) -> int:
        return Settings().block_customers

    def write(
        self,
        make: Callable[[Piece], pa.Table | None],
        pieces: Sequence[Piece],
        path: Path,
        steps: Steps,
    ) -> int:
        temporary = path.with_suffix(".new")
        rows = write_parquet(temporary, map(make, steps.track(pieces, len(pieces))))
        if rows:
            replace_atomically(temporary, path)
        return rows


LOCAL = LocalRunner()
#: The most rows in a row group, the smallest unit that can be read.
ROW_GROUP_SIZE = 10_000


def write_parquet(
    path: Path, tables: Iterable[pa.Table | None], row_group_size: int = ROW_GROUP_SIZE
) -> int:
    """Write tables of one schema to one Parquet file; returns the row count.

    None and tables without rows are skipped; without any rows there is no file.
    """
    rows = 0
    writer: pq.ParquetWriter | None = None
    try:
        for table in tables:
            if table is not None and table.num_rows:
                writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
                writer.write_table(table, row_group_size=row_group_size)
                rows += table.num_rows
    finally:
        if writer:
            writer.close()
    return rows


def part_files(path: Path) -> list[Path]:
    """The Parquet files of a table: the file itself, or the part files of a folder in order."""
    return sorted(path.glob("part-*.parquet")) if path.is_dir() else [path]


def column_names(path: Path) -> list[str]:
    """The names of a table's columns."""
    return list(open_parquet(path).schema.names)
