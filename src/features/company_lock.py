"""The lock of a company: one command at a time changes its results."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from features.errors import AlreadyRunning
from features.settings import Workspace


@contextmanager
def company_lock(workspace: Workspace, company: str) -> Iterator[None]:
    """Hold the lock of a company; raises AlreadyRunning when another command holds it.

    The lock of a process that was killed is free.
    """
    path = workspace.mlruns / "locks" / f"{company}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise AlreadyRunning(
            f"another command for {company} holds {path}; wait until it has ended"
        ) from None
