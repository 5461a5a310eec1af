"""Long work runs beside the event loop, for a limited time."""

import asyncio
import threading

import pytest

from serve import app_state as module
from serve.app_state import Desk
from serve.errors import TooSlow
from serve.scoring.reload_loop import Upkeep
from support.fake_scorer import FakeScorer


@pytest.fixture
def desk() -> Desk:
    return Desk(Upkeep(FakeScorer), lambda targets, locked: [*targets, locked])


def test_short_work_stays_on_the_event_loop(desk: Desk) -> None:
    here = asyncio.run(desk.work(threading.current_thread, beside=False))
    there = asyncio.run(desk.work(threading.current_thread, beside=True))
    assert here is threading.main_thread()
    assert there is not threading.main_thread()


def test_work_that_takes_too_long_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WORK_SECONDS", 0.01)
    done = threading.Event()
    with pytest.raises(TooSlow):
        asyncio.run(desk.work(lambda: done.wait(5), beside=True))
    done.set()


def test_the_document_knows_the_targets_once_there_are_some(desk: Desk) -> None:
    assert desk.document() == [False]
    desk.upkeep.look()
    assert desk.document() == ["churn", "value", False]
