"""Start checks of the service, and its complete stop."""

import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from features.errors import ConfigRefused, EnvironmentFailed
from features.settings import Workspace
from serve.process.server import (
    HOST,
    LaunchOptions,
    ServiceDown,
    check_port_free,
    free_port,
    running_service,
    start_service,
)
from support.fake_scorer import SLOW
from support.locked_server import fake_scorer_environment

EVERYWHERE = "0.0.0.0"  # noqa: S104 - refused, or for clients with keys
FAKE = fake_scorer_environment()


def process_tree(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def test_a_free_port_is_free() -> None:
    assert free(free_port())


def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(EnvironmentFailed) as refused:
            start_service(LaunchOptions(tmp_path / "x", Workspace(tmp_path), port=port))
    assert str(refused.value) == (
        f"port {port} of 127.0.0.1 is in use; choose a free one with --port or GOODWILL_PORT"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-machine.invalid"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(
        EnvironmentFailed, match=r"cannot be used \(.*choose an address of this machine"
    ):
        check_port_free(4000, host)


def test_a_service_that_exits_shows_its_log(tmp_path: Path) -> None:
    broken = {**FAKE, "GOODWILL_WORKERS": "none"}
    log = tmp_path / "service.log"
    wrong = LaunchOptions(tmp_path / "x", Workspace(tmp_path), output=log, environment=broken)
    with pytest.raises(ServiceDown, match="exited"), running_service(wrong):
        pytest.fail("it started")
    assert log.stat().st_size > 0


def test_waiting_has_a_limit(tmp_path: Path) -> None:
    quick = LaunchOptions(tmp_path / "x", Workspace(tmp_path), output=tmp_path / "log")
    with pytest.raises(ServiceDown, match="within 0 s"), running_service(quick, seconds=0.2):
        pytest.fail("the service cannot be that fast")


def test_calls_in_flight_finish_and_no_process_stays(tmp_path: Path) -> None:
    plan = LaunchOptions(
        tmp_path / "x", Workspace(tmp_path), output=tmp_path / "service.log", environment=FAKE
    )
    with ThreadPoolExecutor(1) as pool:
        with running_service(plan) as server:
            started = process_tree(server.process.pid)
            slow = pool.submit(httpx.get, f"{server.url}/v1/customers/{SLOW}", trust_env=False)
            time.sleep(0.3)
            assert not slow.done()
            before = time.monotonic()
        assert slow.result().status_code == 200
    assert time.monotonic() - before < 15
    assert len(started) == 3
    assert not any(process.is_running() for process in started)
    assert not server.scratch.exists()
    assert free(plan.port)


@pytest.mark.slow  # the test above has the same for a service in the background
def test_a_foreground_service_ends_with_its_parent(tmp_path: Path) -> None:
    port = free_port()
    code = (
        "import sys; from pathlib import Path; from features.settings import Workspace\n"
        "from serve.process.server import LaunchOptions, serve_until_stopped\n"
        f"home = Path({str(tmp_path)!r})\n"
        f"plan = LaunchOptions(home / 'x', Workspace(home), port={port}, workers=1)\n"
        "sys.exit(serve_until_stopped(plan))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **FAKE},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 40
        while free(port) and time.monotonic() < until:
            time.sleep(0.1)
        started = process_tree(parent.pid)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(30) == 0
    finally:
        parent.kill()
        parent.wait()
    assert len(started) >= 2
    assert not any(process.is_running() for process in started)


def test_without_keys_other_machines_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOODWILL_KEYS", raising=False)
    for host in (EVERYWHERE, "::", "10.0.0.1", "somewhere.example"):
        plan = LaunchOptions(tmp_path / "x", Workspace(tmp_path), host=host)
        with pytest.raises(ConfigRefused, match=r"no API keys; create one with `goodwill keys add"):
            start_service(plan)
    for host in ("127.0.0.1", "127.8.8.8", "::1", "localhost"):
        plan = LaunchOptions(tmp_path / "x", Workspace(tmp_path), host=host)
        plan.refuse_open_access()
        assert "callers on this machine" in plan.access_note()
    assert list(tmp_path.iterdir()) == []


def test_with_keys_other_machines_are_allowed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "keys.json").write_text("broken")  # refuses all calls
    plan = LaunchOptions(tmp_path / "x", Workspace(tmp_path), port=4000, host=EVERYWHERE)
    plan.refuse_open_access()
    assert plan.access_note() == "for clients with an API key"
    assert plan.url == "http://127.0.0.1:4000"
    assert (
        LaunchOptions(tmp_path / "x", Workspace(tmp_path), port=4000, host="::").url
        == "http://[::1]:4000"
    )
