"""Long work runs in a thread with a time limit."""

import asyncio
import threading

import pytest

from serve import app_state as module
from serve.app_state import AppState
from serve.errors import TooSlow
from serve.scoring.reload_loop import ScorerLoader
from support.fake_scorer import FakeScorer


@pytest.fixture
def state() -> AppState:
    return AppState(ScorerLoader(FakeScorer), lambda targets, locked: [*targets, locked])


def test_short_work_stays_on_the_event_loop(state: AppState) -> None:
    direct = asyncio.run(state.run(threading.current_thread, in_thread=False))
    threaded = asyncio.run(state.run(threading.current_thread, in_thread=True))
    assert direct is threading.main_thread()
    assert threaded is not threading.main_thread()


def test_work_that_takes_too_long_is_an_error(
    state: AppState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WORK_SECONDS", 0.01)
    done = threading.Event()
    with pytest.raises(TooSlow):
        asyncio.run(state.run(lambda: done.wait(5), in_thread=True))
    done.set()


def test_the_document_lists_the_targets_with_a_model(state: AppState) -> None:
    assert state.openapi_document() == [False]
    state.loader.refresh()
    assert state.openapi_document() == ["churn", "value", False]
