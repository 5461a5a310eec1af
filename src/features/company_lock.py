"""The locks of a company: one command at a time changes its results, one publishes or rolls back."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from features.errors import AlreadyRunning
from features.settings import Workspace

#: Seconds to wait for a publication, which takes milliseconds.
PUBLICATION_SECONDS = 60


@contextmanager
def company_lock(workspace: Workspace, company: str) -> Iterator[None]:
    """Hold the lock of a company; raises AlreadyRunning when another command holds it.

    The lock of a process that was killed is free.
    """
    with _lock(workspace, f"{company}.lock", f"another command for {company}", 0):
        yield


@contextmanager
def publication_lock(workspace: Workspace, company: str) -> Iterator[None]:
    """Hold back publications and rollbacks of a company, for an instant each.

    A rollback does not wait for a night, only for its publication. Raises AlreadyRunning after
    `PUBLICATION_SECONDS`.
    """
    what = f"a publication or rollback of {company}"
    with _lock(workspace, f"{company}.publication.lock", what, PUBLICATION_SECONDS):
        yield


@contextmanager
def _lock(workspace: Workspace, name: str, holder: str, seconds: float) -> Iterator[None]:
    path = workspace.mlruns / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path, timeout=seconds)
    try:
        lock.acquire()
    except Timeout:
        raise AlreadyRunning(f"{holder} holds {path}; wait until it has ended") from None
    try:
        yield
    finally:
        lock.release()
