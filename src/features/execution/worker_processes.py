"""Processes that work next to this one, on one core each, and that end when it ends."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

import pyarrow as pa

from features.errors import EnvironmentFailed

Result = TypeVar("Result")


@contextmanager
def worker_processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Start up to `count` processes for work that is picklable; the block ends when they have ended.

    Raises EnvironmentFailed where the system has killed one of them.
    """
    # Not forked: a fork of a process with threads may hold a lock for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, initializer=_initialise_worker) as pool:
        try:
            yield pool
        except BrokenProcessPool:
            raise EnvironmentFailed(
                "a worker process was killed, most often for want of memory: free memory, or set "
                "GOODWILL_THREADS=1 to work in one process"
            ) from None


@contextmanager
def in_background(work: Callable[[], Result], cores: int) -> Iterator[Callable[[], Result]]:
    """Start `work` in a process next to this one; yields a function that waits for its result.

    With one core, the work is done when its result is asked for. Work and result must be picklable.
    What the work raises is raised where the result is asked for. The work never outlives the block.
    """
    if cores < 2:
        yield work
        return
    with worker_processes(1) as pool:
        yield pool.submit(work).result


def _initialise_worker() -> None:
    """Use one core, and end with the parent: an orphaned worker would wait for work for ever."""
    os.environ["OMP_NUM_THREADS"] = "1"  # read when the trees are loaded
    pa.set_cpu_count(1)
    parent = multiprocessing.parent_process()
    if parent:
        threading.Thread(target=_exit_with, args=(parent,), daemon=True).start()


def _exit_with(parent: Any) -> None:
    parent.join()
    os._exit(1)
