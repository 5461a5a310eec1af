"""Long work over customers that goes on where it was stopped.

Each finished block of customers is a part file, moved into place whole. The parts stay in a folder of
their own until all are there, with a note of what they are made of; a run that is made of the same
makes only what is missing.
"""

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from features.execution.partitions import ROW_GROUP_SIZE
from features.atomic_write import remove_path
from features.atomic_write import atomic_path, replace_atomically
from features.progress import Steps

Piece = TypeVar("Piece")
#: Makes the tables of one piece, by name. It and the pieces can be pickled.
Make = Callable[[Piece], Mapping[str, pa.Table]]
NOTE = "made_of.json"


@dataclass(frozen=True)
class CheckpointedTables(Generic[Piece]):
    """Tables in the making: `tables` by name, a part a piece, in `folder` until they are whole.

    `made_of` tells everything a block depends on, as JSON can hold it.
    """

    folder: Path
    tables: tuple[str, ...]
    made_of: Mapping[str, Any]

    def make(self, make: Make[Piece], pieces: Sequence[Piece], steps: Steps, processes: int) -> int:
        """Make the pieces that are missing, in so many processes; the pieces that were there already.

        What is finished stays when one fails or the process is killed.
        """
        self._begin(len(pieces))
        missing = [i for i in range(len(pieces)) if not self._is_made(i)]
        write = partial(_write, self.folder, make)
        with _mapping(min(processes, len(missing))) as run:
            made = run(write, [(self._part(i), pieces[i]) for i in missing])
            for _ in steps.track(made, len(missing)):
                pass
        return len(pieces) - len(missing)

    def put(self, name: str, path: Path) -> None:
        """Put a finished table at `path`: a file if it has one part, else the folder of the parts."""
        parts = sorted((self.folder / name).glob("part-*.parquet"))
        replace_atomically(parts[0] if len(parts) == 1 else self.folder / name, path)

    def end(self) -> None:
        """Remove the folder, when every table is in its place."""
        remove_path(self.folder)

    def _begin(self, count: int) -> None:
        """Keep what lies there if it is made of the same, else begin anew."""
        note, told = self.folder / NOTE, json.dumps({**self.made_of, "blocks": count})
        if not note.is_file() or note.read_text(encoding="utf-8") != told:
            remove_path(self.folder)
            for name in self.tables:
                (self.folder / name).mkdir(parents=True)
            note.write_text(told, encoding="utf-8")

    def _is_made(self, block: int) -> bool:
        return all((self.folder / name / self._part(block)).is_file() for name in self.tables)

    @staticmethod
    def _part(block: int) -> str:
        return f"part-{block:05d}.parquet"


def _write(folder: Path, make: Make[Piece], block: tuple[str, Piece]) -> None:
    """Write the parts of one piece, each moved into place whole."""
    part, piece = block
    for name, table in make(piece).items():
        with atomic_path(folder / name / part) as temporary:
            pq.write_table(table, temporary, compression="zstd", row_group_size=ROW_GROUP_SIZE)


@contextmanager
def _mapping(
    processes: int,
) -> Iterator[Callable[[Callable[[Any], None], Iterable[Any]], Iterator[Any]]]:
    """How a function is called for each of many: here, or in so many processes, as they are done."""
    if processes <= 1:
        yield map
        return
    # Not forked: a fork of a process with threads may hold a lock for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_as_worker) as pool:

        def run(work: Callable[[Any], None], items: Iterable[Any]) -> Iterator[Any]:
            futures = [pool.submit(work, item) for item in items]
            try:
                for future in as_completed(futures):
                    yield future.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

        yield run


def _as_worker() -> None:
    """One core a worker; and one whose parent was killed would wait for work for ever."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the trees are loaded
    pa.set_cpu_count(1)
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_end_after, args=(parent,), daemon=True).start()


def _end_after(parent: Any) -> None:
    parent.join()
    os._exit(1)
