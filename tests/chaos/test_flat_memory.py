"""The memory of a worker does not grow over many calls of all kinds."""

import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from serve.schemas.score_schemas import RecordsRequest
from support.served_company import Served, figure, served
from support.steady_load import calls_at_once, get, post

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

WARM, CALLS, PLACES = 5_000, 45_000, 8
MOST_GROWTH = 5 * 2**20
RECORDS: Any = RecordsRequest.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]


@pytest.fixture(scope="module")
def now(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("memory") / "home") as running:
        yield running


def a_call(now: Served, number: int) -> bytes:
    """Mostly one customer; in every hundred calls some of each other kind, valid and invalid."""
    place = number * 7 % len(now.ids)
    some = [now.ids[(place + n) % len(now.ids)] for n in range(number % 40 + 1)]
    match number % 100:
        case 0:
            return post("/v1/scores", {"customer_ids": some[:3], "reasons": 2})
        case 1 | 2 | 3 | 4:
            return post("/v1/scores", {"customer_ids": some})
        case 5:
            return get(f"/v1/customers/{some[0]}")
        case 6:
            return post("/v1/scores/records", RECORDS)
        case 7:
            return post("/v1/scores", {"customer_ids": [f"nobody-{number}"]})
        case 8:
            return post("/v1/scores", {f"field-{number}": number})
        case 9:
            return get(f"/nowhere-{number}")
        case 10:
            return get(f"/v1/customers?prefix={some[0][:4]}")
        case _:
            targets = ["churn", "value"] if number % 2 else None
            return post("/v1/scores", {"customer_ids": some[:1], "targets": targets})


def resident(now: Served) -> dict[int, int]:
    """Memory of each worker in bytes."""
    return {pid: psutil.Process(pid).memory_info().rss for pid in sorted(now.workers())}


def test_memory_is_flat_over_many_calls(now: Served) -> None:
    url = now.server.url
    for start in range(0, len(now.ids), 100):  # fill the prediction caches of both workers
        for _ in range(4):
            now.score(*now.ids[start : start + 100])
    calls_at_once(url, PLACES, WARM, lambda number: a_call(now, number))
    warm = resident(now)
    began = time.monotonic()
    load = calls_at_once(url, PLACES, CALLS, lambda number: a_call(now, number + WARM))
    seconds = time.monotonic() - began
    after = resident(now)
    assert len(load.replies) == CALLS
    assert set(load.statuses()) == {200, 404, 422}
    assert after.keys() == warm.keys()
    grown = [round((after[pid] - warm[pid]) / 2**20, 1) for pid in warm]
    figure("memory: MB grown in each worker", grown)
    figure("memory: MB of each worker, warm", [round(size / 2**20) for size in warm.values()])
    figure("memory: calls a second", round(CALLS / seconds))
    assert max(after[pid] - warm[pid] for pid in warm) <= MOST_GROWTH
