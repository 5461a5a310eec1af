"""Callers that send slowly, use unknown paths, or send too many calls."""

import re
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from serve.http.request_body import BODY_SECONDS
from serve.schemas.score_schemas import MOST_IDS
from support.served_company import Served, error_code, figure, served
from support.steady_load import calls_at_once, get, post, steady_load

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

SLOW_BODIES, RANDOM_PATHS = 40, 3_000
METRICS_BYTES = 64 * 1024


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("callers") / "home") as running:
        yield running


class SlowCaller:
    """A caller whose body arrives byte by byte and never completes."""

    def __init__(self, port: int, place: ExitStack) -> None:
        self.socket = place.enter_context(socket.create_connection(("127.0.0.1", port), 5))
        head = "POST /v1/scores HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
        self.socket.sendall(f"{head}Content-Length: 4000\r\n\r\n".encode() + b'{"customer_ids":')

    def send_one(self) -> bool:
        """Send another byte; whether the service still listens."""
        try:
            self.socket.sendall(b" ")
        except OSError:
            return False
        return True

    def answer(self) -> bytes:
        parts = []
        while part := self.socket.recv(65_536):
            parts.append(part)
        return b"".join(parts)


def test_slow_bodies_delay_no_other_call_and_time_out(now: Served) -> None:
    began = time.monotonic()
    with ExitStack() as place:
        port = int(now.server.url.rsplit(":", 1)[1])
        slow = [SlowCaller(port, place) for _ in range(SLOW_BODIES)]
        ask = lambda number: post("/v1/scores", {"customer_ids": [now.ids[number % 900]]})  # noqa: E731
        with steady_load(now.server.url, 50, ask) as load:
            for _ in range(10):
                time.sleep(0.5)
                assert all(caller.send_one() for caller in slow)
        while time.monotonic() - began < BODY_SECONDS - 2:
            time.sleep(1.0)
            assert all(caller.send_one() for caller in slow)
        answers = [caller.answer() for caller in slow]
        took = time.monotonic() - began
    assert set(load.statuses()) == {200}
    assert load.percentile(0.99) < 0.5
    for answer in answers:
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 ")
        assert error_code(body) == "body_too_slow"
    assert BODY_SECONDS - 1 < took < BODY_SECONDS + 5
    figure("40 slow bodies: p99 of the others in ms", round(1000 * load.percentile(0.99)))


def test_random_paths_do_not_grow_the_metrics(now: Served) -> None:
    def path(number: int) -> bytes:
        word = secrets.token_urlsafe(12)
        shapes = (f"/{word}", f"/v1/{word}/{number}", f"/v1/scores/{word}", f"/%2e%2e/{word}.php")
        return get(shapes[number % len(shapes)])

    load = calls_at_once(now.server.url, 8, RANDOM_PATHS, path)
    assert dict(load.statuses()) == {404: RANDOM_PATHS}
    assert {error_code(reply.body) for reply in load.replies[:100]} == {"unknown_path"}
    customers = calls_at_once(
        now.server.url, 8, 300, lambda _: get(f"/v1/customers/{secrets.token_urlsafe(9)}")
    )
    assert dict(customers.statuses()) == {404: 300}
    page = now.get("/metrics").content
    figure("3,000 random paths: bytes of /metrics", len(page))
    assert len(page) < METRICS_BYTES
    routes = set(re.findall(r'route="([^"]*)"', page.decode()))
    assert routes <= {"unmatched", *(o for o in _templates())}


def _templates() -> set[str]:
    from serve.routes import OPERATIONS

    return {operation.path for operation in OPERATIONS}


def test_one_id_too_many_is_refused(now: Served) -> None:
    ids = [f"C-{number}" for number in range(MOST_IDS + 1)]
    refused = now.post("/v1/scores", {"customer_ids": ids})
    assert (refused.status_code, error_code(refused.content)) == (422, "invalid_request")
    assert now.post("/v1/scores", {"customer_ids": ids[:-1]}).status_code == 200


def test_overload_is_refused_and_has_no_lasting_effect(tmp_path: Path) -> None:
    def ask(number: int) -> bytes:
        """One customer, and for every tenth call ten with reasons."""
        if number % 10:
            return post("/v1/scores", {"customer_ids": [now.ids[number % 900]]})
        ids = [now.ids[(number + n) % 900] for n in range(10)]
        return post("/v1/scores", {"customer_ids": ids, "reasons": 3})

    with served(tmp_path / "home") as now, steady_load(now.server.url, 1000, ask) as load:
        time.sleep(10.0)
        until = time.monotonic()
        load.ended.set()
        well = _seconds_until_recovered(now, until)  # while the last answers are still on their way
    calls = len(load.replies)
    statuses = load.statuses()
    figure("overload: calls and their statuses", (calls, dict(statuses)))
    figure("overload: p99 of 200 in s", round(load.percentile(0.99), 1))
    figure("overload: lost", load.lost()[:5])
    figure("overload: seconds until well again", round(well, 1))
    assert set(statuses) <= {200, 429}
    assert statuses[429] > 0
    turned_away = [reply for reply in load.replies if reply.status == 429]
    assert all(b"\r\nretry-after: " in reply.head.lower() for reply in turned_away)
    assert {error_code(reply.body) for reply in turned_away} == {"too_many"}
    assert well < 5


def _seconds_until_recovered(now: Served, since: float) -> float:
    """Seconds from the end of the load until twenty consecutive calls are answered quickly."""
    good = 0
    one = {"customer_ids": now.ids[:1]}
    with httpx.Client(base_url=now.server.url, trust_env=False, timeout=30) as client:
        while good < 20:
            began = time.monotonic()
            answer = client.post("/v1/scores", json=one, headers={"Connection": "close"})
            quick = answer.status_code == 200 and time.monotonic() - began < 0.25
            good = good + 1 if quick else 0
            assert time.monotonic() - since < 60
    return time.monotonic() - since
