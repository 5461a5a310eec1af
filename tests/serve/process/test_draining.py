"""A service that gets a stop signal withdraws its readiness first, and answers calls meanwhile."""

import asyncio
import http.client
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

import psutil
import pytest

from features.settings import Workspace
from serve.process.draining import STOP_NOW, Drain
from serve.process.server import LaunchOptions, free_port, running_service
from support.fake_scorer import SLOW
from support.locked_server import fake_scorer_environment
from support.service_in_process import Service, error_of

FAKE = fake_scorer_environment()
CALLS, GRACE = 40, 2.0

Answer = tuple[int, str | None]


def get(url: str, path: str = "/v1/customers/C-1") -> Answer:
    """Status and Connection header of a call over a new connection."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.getheader("connection")
    finally:
        connection.close()


def status(url: str, path: str) -> int:
    """Status of a call, 0 without an answer."""
    try:
        return get(url, path)[0]
    except (OSError, http.client.HTTPException):
        return 0


def wait_until(happens: Callable[[], bool], limit: float = 60.0) -> None:
    until = time.monotonic() + limit
    while not happens():
        assert time.monotonic() < until
        time.sleep(0.02)


@pytest.fixture
def stops() -> Iterator[list[int]]:
    """What a handler of SIGTERM that stands for uvicorn's receives."""
    received: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = signal.signal(signal.SIGTERM, stop)
    yield received
    signal.signal(signal.SIGTERM, before)


def test_sigterm_drains_before_it_stops_and_repeats_change_nothing(stops: list[int]) -> None:
    async def drain() -> None:
        ending = Drain(0.3)
        with ending.follow_signals():
            assert not ending.started
            os.kill(os.getpid(), signal.SIGTERM)
            assert ending.started
            await asyncio.sleep(0.1)
            os.kill(os.getpid(), signal.SIGTERM)
            assert stops == []
            await asyncio.sleep(0.5)
            assert stops == [signal.SIGTERM]

    asyncio.run(drain())
    os.kill(os.getpid(), signal.SIGTERM)  # the handler from before is back
    assert stops == [signal.SIGTERM, signal.SIGTERM]


@pytest.mark.parametrize("first", [signal.SIGTERM, STOP_NOW])
def test_the_rest_of_the_grace_period_can_be_skipped(stops: list[int], first: int) -> None:
    async def drain() -> None:
        ending = Drain(60)
        with ending.follow_signals():
            os.kill(os.getpid(), first)
            await asyncio.sleep(0.05)
            os.kill(os.getpid(), STOP_NOW)
            await asyncio.sleep(0.05)
            assert ending.started

    asyncio.run(drain())
    assert stops == [signal.SIGTERM]


def test_without_a_grace_period_it_stops_at_once(stops: list[int]) -> None:
    async def drain() -> None:
        with Drain().follow_signals():
            os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.sleep(0.05)

    asyncio.run(drain())
    assert stops == [signal.SIGTERM]


def test_a_draining_worker_is_not_ready_and_answers_with_connection_close() -> None:
    ending = Drain(60)
    service = Service(drain=ending)
    assert service.get("/readyz").status_code == 200
    assert "connection" not in service.get("/v1/customers/C-1").headers
    ending.started = True
    refused = service.get("/readyz")
    assert (refused.status_code, error_of(refused)["code"]) == (503, "draining")
    assert refused.headers["retry-after"]
    for path, expected in (("/livez", 200), ("/v1/customers/C-1", 200), ("/nowhere", 404)):
        answer = service.get(path)
        assert (answer.status_code, answer.headers["connection"]) == (expected, "close")


@pytest.mark.slow  # the tests above drain in one process
@pytest.mark.parametrize("signalled", ["supervisor", "all"])
def test_calls_during_the_drain_are_answered_and_none_is_reset(
    tmp_path: Path, signalled: str
) -> None:
    plan = LaunchOptions(
        tmp_path / "x",
        Workspace(tmp_path),
        output=tmp_path / "service.log",
        environment=FAKE,
        drain_seconds=GRACE,
    )
    with running_service(plan) as server, ThreadPoolExecutor(CALLS + 1) as pool:
        log = tmp_path / "service.log"
        wait_until(lambda: log.read_text().count("scorer loaded") == 2)
        supervisor = psutil.Process(server.process.pid)
        processes = [supervisor, *supervisor.children(recursive=True)]
        assert len(processes) == 3
        began = time.monotonic()
        for process in processes if signalled == "all" else processes[:1]:
            process.send_signal(signal.SIGTERM)
        wait_until(lambda: status(server.url, "/readyz") == 503, GRACE)
        calls = []
        for _ in range(CALLS):
            calls.append(pool.submit(get, server.url))
            time.sleep(0.01)
        assert {status(server.url, "/readyz") for _ in range(10)} == {503}
        late = pool.submit(get, server.url, f"/v1/customers/{SLOW}")
        assert Counter(call.result() for call in calls) == {(200, "close"): CALLS}
        time.sleep(max(0.0, began + GRACE - 0.3 - time.monotonic()))
        last = pool.submit(get, server.url, f"/v1/customers/{SLOW}")
        assert (late.result()[0], last.result()[0]) == (200, 200)
        assert server.process.wait(20) == 0
        assert GRACE < time.monotonic() - began < GRACE + 15
        assert not any(process.is_running() for process in processes)
        assert status(server.url, "/livez") == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_skips_the_grace_period(tmp_path: Path, number: signal.Signals) -> None:
    port = free_port()
    code = (
        "import sys; from pathlib import Path; from features.settings import Workspace\n"
        "from serve.process.server import LaunchOptions, serve_until_stopped\n"
        f"home = Path({str(tmp_path)!r})\n"
        "launch = LaunchOptions(\n"
        f"    home / 'x', Workspace(home), port={port}, workers=1, drain_seconds=120)\n"
        "sys.exit(serve_until_stopped(launch))"
    )
    launcher = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, **FAKE}, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: status(url, "/readyz") == 200, 60)
        launcher.send_signal(number)
        wait_until(lambda: status(url, "/readyz") == 503)
        time.sleep(1)
        assert status(url, "/v1/customers/C-1") == 200
        launcher.send_signal(number)
        assert launcher.wait(20) == 0
    finally:
        launcher.kill()
        launcher.wait()
    assert status(url, "/livez") == 0
