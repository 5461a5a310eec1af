"""Stopping a service stops its workers, however its supervisor ended."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from features.settings import Workspace
from serve.process.process_tree import LAUNCHER, kill_process_tree, list_descendants
from serve.process.server import LaunchOptions, ServiceDown, running_service
from support.locked_server import fake_scorer_environment

SLEEP = "import time; time.sleep(120)"
FAKE = fake_scorer_environment()


def within(seconds: float, true: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.05)
    return true()


def runs(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def parent() -> Iterator[subprocess.Popen[bytes]]:
    """A process with a child in a separate session, like a worker."""
    code = (
        "import subprocess, sys\n"
        f"subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True).wait()"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    assert within(20, lambda: len(list_descendants(process.pid)) == 1)
    yield process
    kill_process_tree(process.pid)
    process.wait()


def test_a_child_in_a_separate_session_is_found_and_killed(
    parent: subprocess.Popen[bytes],
) -> None:
    (child,) = list_descendants(parent.pid)
    assert os.getsid(child) != os.getsid(parent.pid)
    kill_process_tree(parent.pid)
    assert parent.wait(5) == -signal.SIGKILL
    assert within(5, lambda: not runs(child))


def test_grandchildren_are_descendants_and_other_processes_are_not(
    parent: subprocess.Popen[bytes],
) -> None:
    ours = list_descendants(os.getpid())
    assert {parent.pid, *list_descendants(parent.pid)} <= set(ours)
    assert os.getpid() not in ours
    assert os.getppid() not in ours


def test_killing_a_process_that_is_gone_is_no_error() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    kill_process_tree(gone.pid)


@pytest.mark.slow
def test_no_worker_outlives_its_supervisor(tmp_path: Path) -> None:
    plan = LaunchOptions(
        tmp_path / "x", Workspace(tmp_path), output=tmp_path / "service.log", environment=FAKE
    )
    with running_service(plan) as server:
        workers = list_descendants(server.process.pid)
        assert len(workers) == 2
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait(20)
        assert within(10, lambda: not any(map(runs, workers)))


@pytest.mark.slow
def test_a_service_does_not_outlive_its_launcher(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from features.settings import Workspace\n"
        "from serve.process.server import LaunchOptions, start_service\n"
        f"home = Path({str(tmp_path)!r})\n"
        "log = home / 'service.log'\n"
        "launch = LaunchOptions(home / 'x', Workspace(home), workers=1, output=log)\n"
        "start_service(launch).wait('/readyz', 60); time.sleep(120)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **FAKE})
    try:
        assert within(60, lambda: len(list_descendants(launcher.pid)) == 2)
        service = list_descendants(launcher.pid)
        assert within(60, lambda: "scorer loaded" in (tmp_path / "service.log").read_text())
        launcher.kill()
        launcher.wait()
        assert within(15, lambda: not any(map(runs, service)))
    finally:
        kill_process_tree(launcher.pid)


@pytest.mark.slow
def test_a_service_that_ignores_signals_leaves_no_worker(tmp_path: Path) -> None:
    log = tmp_path / "service.log"
    plan = LaunchOptions(
        tmp_path / "x", Workspace(tmp_path), workers=1, output=log, environment=FAKE
    )
    with running_service(plan) as server:
        workers = list_descendants(server.process.pid)
        os.kill(server.process.pid, signal.SIGSTOP)  # deaf to SIGTERM
        server.has_answered = False  # so that patience is short
    assert within(1, lambda: not any(map(runs, workers)))


@pytest.mark.slow
def test_a_service_whose_launcher_ended_first_does_not_start(tmp_path: Path) -> None:
    gone = {**FAKE, LAUNCHER: "1"}
    plan = LaunchOptions(
        tmp_path / "x", Workspace(tmp_path), output=tmp_path / "service.log", environment=gone
    )
    message = "the process that launched the service has ended"
    with pytest.raises(ServiceDown, match=message), running_service(plan):
        pass
