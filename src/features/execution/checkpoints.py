"""Checkpoints: long work over customers that resumes where it stopped.

Each finished block of customers is a part file, written atomically. The parts stay in a separate
folder until all are finished, with a record of their inputs; a run with the same inputs computes only
the missing parts.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_write import atomic_path, remove_path, replace_atomically
from features.execution.partitions import ROW_GROUP_SIZE
from features.execution.worker_processes import worker_processes
from features.progress import Steps

Piece = TypeVar("Piece")
#: Computes the tables of one piece, by name. The function and the pieces must be picklable.
MakeTables = Callable[[Piece], Mapping[str, pa.Table]]
INPUTS_FILE = "made_of.json"


@dataclass(frozen=True)
class CheckpointedTables(Generic[Piece]):
    """Tables computed in parts: `tables` by name, a part for each piece, in `folder` until complete.

    `inputs` describes everything a part depends on, as JSON values.
    """

    folder: Path
    tables: tuple[str, ...]
    inputs: Mapping[str, Any]

    def make(
        self, make: MakeTables[Piece], pieces: Sequence[Piece], steps: Steps, processes: int
    ) -> int:
        """Compute the missing parts in `processes` processes; returns how many existed already.

        Finished parts stay when a piece fails or the process is killed.
        """
        self._prepare(len(pieces))
        missing = [i for i in range(len(pieces)) if not self._is_finished(i)]
        write = partial(_write, self.folder, make)
        with _parallel_map(min(processes, len(missing))) as run:
            written = run(write, [(self._part(i), pieces[i]) for i in missing])
            for _ in steps.track(written, len(missing)):
                pass
        return len(pieces) - len(missing)

    def publish(self, name: str, path: Path) -> None:
        """Move a finished table to `path`: a file if it has one part, otherwise a folder of parts."""
        parts = sorted((self.folder / name).glob("part-*.parquet"))
        replace_atomically(parts[0] if len(parts) == 1 else self.folder / name, path)

    def clean_up(self) -> None:
        """Remove the folder after every table is published."""
        remove_path(self.folder)

    def _prepare(self, count: int) -> None:
        """Keep the existing parts if they have the same inputs, otherwise start again."""
        record, content = self.folder / INPUTS_FILE, json.dumps({**self.inputs, "blocks": count})
        if not record.is_file() or record.read_text(encoding="utf-8") != content:
            remove_path(self.folder)
            for name in self.tables:
                (self.folder / name).mkdir(parents=True)
            record.write_text(content, encoding="utf-8")

    def _is_finished(self, block: int) -> bool:
        return all((self.folder / name / self._part(block)).is_file() for name in self.tables)

    @staticmethod
    def _part(block: int) -> str:
        return f"part-{block:05d}.parquet"


def _write(folder: Path, make: MakeTables[Piece], block: tuple[str, Piece]) -> None:
    """Write the parts of one piece, each atomically."""
    part, piece = block
    for name, table in make(piece).items():
        with atomic_path(folder / name / part) as temporary:
            pq.write_table(table, temporary, compression="zstd", row_group_size=ROW_GROUP_SIZE)


@contextmanager
def _parallel_map(
    processes: int,
) -> Iterator[Callable[[Callable[[Any], None], Iterable[Any]], Iterator[Any]]]:
    """A `map` that runs in this process, or in several and yields results as they finish."""
    if processes <= 1:
        yield map
        return
    with worker_processes(processes) as pool:

        def run(work: Callable[[Any], None], items: Iterable[Any]) -> Iterator[Any]:
            futures = [pool.submit(work, item) for item in items]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

        yield run
