"""Workers are killed, and the service is stopped, during calls."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from serve.process.process_tree import list_descendants
from support.served_company import WORKERS, Served, eventually, figure, served
from support.steady_load import post, steady_load

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

RATE = 100.0
MOST_LOST, MOST_SECONDS = 5, 0.5


def one_customer(now: Served, number: int) -> bytes:
    return post("/v1/scores", {"customer_ids": [now.ids[number % len(now.ids)]]})


def test_a_killed_worker_costs_few_calls_and_comes_back(tmp_path: Path) -> None:
    with served(tmp_path / "home") as now:
        before = now.workers()
        victim = min(before)
        with steady_load(now.server.url, RATE, lambda number: one_customer(now, number)) as load:
            time.sleep(3.0)
            os.kill(victim, signal.SIGKILL)
            back = eventually(lambda: len(now.workers() - {victim}) == WORKERS, 40)
            time.sleep(8.0)  # the new one loads its models, and answers
        assert len(now.workers()) == WORKERS
        assert now.workers() & before == before - {victim}
        assert len(now.score()["scores"]) > 0
    figure("killed worker: calls", len(load.replies))
    figure("killed worker: lost", load.lost())
    figure("killed worker: p99 in ms", round(1000 * load.percentile(0.99)))
    figure("killed worker: seconds until its replacement answers", round(back, 1))
    assert len(load.lost()) <= MOST_LOST
    assert set(load.statuses()) <= {200, 0}
    assert load.percentile(0.99) < MOST_SECONDS


def test_calls_in_flight_finish_when_the_service_is_stopped(tmp_path: Path) -> None:
    calls = 6

    def slowly(now: Served) -> tuple[httpx.Response, float]:
        wanted = {"customer_ids": now.ids[:1000], "reasons": 10}
        answer = now.post("/v1/scores", wanted)
        return answer, time.monotonic()

    with served(tmp_path / "home") as now, ThreadPoolExecutor(calls) as pool:
        slowly(now)  # what is made once is made
        processes = list_descendants(now.server.process.pid)
        under_way = [pool.submit(slowly, now) for _ in range(calls)]
        time.sleep(0.4)  # accepted and begun, and far from done
        assert not any(call.done() for call in under_way)
        now.server.process.send_signal(signal.SIGTERM)
        stop_time = time.monotonic()
        answers = [call.result(60) for call in under_way]
        now.server.process.wait(60)
        ended = time.monotonic() - stop_time
    for answer, _ in answers:
        assert answer.status_code == 200
        assert len(answer.json()["scores"]) == 1000
    assert max(at for _, at in answers) > stop_time
    assert [pid for pid in processes if psutil.pid_exists(pid)] == []
    figure("SIGTERM: calls in flight that finished", len(answers))
    figure("SIGTERM: seconds until the service was gone", round(ended, 1))
