"""Ends the processes of a service: a supervisor, and workers that would outlive it.

BentoML's supervisor starts each worker in a session of its own, so a signal to the supervisor's group
does not reach them. An orphaned worker keeps the port and answers with outdated models.
"""

import contextlib
import os
import signal
import threading
import time

import psutil

#: Environment variable with the process id of what launched the service.
LAUNCHER = "GOODWILL_LAUNCHER"
_CHECK_SECONDS, _KILL_SECONDS = 0.5, 5.0


def kill_process_tree(pid: int) -> None:
    """Kill a process and all its descendants, and wait until the descendants are gone.

    The process is stopped first, so that it cannot start further ones meanwhile.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.suspend()
        descendants = process.children(recursive=True)
        for member in (process, *descendants):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(descendants, timeout=_KILL_SECONDS)


def list_descendants(pid: int) -> list[int]:
    """Return the ids of all processes that `pid` started, directly or not, sorted."""
    try:
        return sorted(child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def exit_with_parent(command: str = "", number: int = signal.SIGTERM) -> None:
    """Send this process the signal `number` as soon as the parent process is gone.

    A parent without `command` in its command line is a foreign process: the real parent had ended
    before this call.
    """
    parent = os.getppid()
    is_ours = _runs(parent, command)

    def watch() -> None:
        while is_ours and os.getppid() == parent:
            time.sleep(_CHECK_SECONDS)
        os.kill(os.getpid(), number)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _runs(pid: int, command: str) -> bool:
    try:
        return command in " ".join(psutil.Process(pid).cmdline())
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False
