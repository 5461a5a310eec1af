"""The processes of one service: a supervisor, and workers that outlive it unless they are ended.

BentoML's supervisor gives every worker a session of its own, so that no signal to the supervisor's
group reaches them. A worker left alone keeps the port and answers with the models of yesterday.
"""

import contextlib
import os
import signal
import threading
import time
from pathlib import Path

_LOOK_SECONDS, _END_SECONDS = 0.5, 5.0
_PROC = Path("/proc")


def kill_process_tree(pid: int) -> None:
    """End a process and everything it started, at once; it is held first, so that it starts no more.

    Returns when what it started is gone, which the system may take a moment for.
    """
    _send(pid, signal.SIGSTOP)
    started = list_descendants(pid)
    for member in (pid, *started):
        _send(member, signal.SIGKILL)
    until = time.monotonic() + _END_SECONDS
    while any((_PROC / str(member)).exists() for member in started) and time.monotonic() < until:
        time.sleep(0.02)


def list_descendants(pid: int) -> list[int]:
    """The processes that `pid` started, and those they started; none where there is no /proc."""
    parents = {int(folder.name): _parent(folder) for folder in _PROC.glob("[0-9]*")}
    found, last = set[int](), {pid}
    while last:
        last = {child for child, parent in parents.items() if parent in last} - found
        found |= last
    return sorted(found)


def exit_with_parent(named: str = "") -> None:
    """End this process as SIGTERM does, calls in flight finished, once its parent is gone.

    The parent has `named` in its command line: without it, it went before we could look.
    """
    parent = os.getppid()
    command = _PROC / str(parent) / "cmdline"
    there = not command.exists() or named.encode() in command.read_bytes()

    def watch() -> None:
        while there and os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _parent(folder: Path) -> int | None:
    """The parent in `stat`: the second field after the name, which may itself hold brackets."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((folder / "stat").read_text("ascii", "replace").rpartition(")")[2].split()[1])
    return None


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
