"""The loader starts without a scorer, with a reason, and loads one later."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from features.errors import DataRefused
from serve.errors import NotReady
from serve.scoring import reload_loop as module
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import Scorer
from support.fake_scorer import FakeScorer


class StubLoad:
    """A load function that fails until it has a scorer."""

    def __init__(self) -> None:
        self.scorer: Scorer | None = None
        self.error: Exception = DataRefused("no bundle under mlruns/serving/sample")
        self.attempts = 0

    def load(self) -> Scorer:
        self.attempts += 1
        if self.scorer is None:
            raise self.error
        return self.scorer


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> StubLoad:
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.0)
    return StubLoad()


def test_the_message_of_our_own_error_is_shown(stub: StubLoad) -> None:
    loader = ScorerLoader(stub.load)
    loader.refresh()
    with pytest.raises(NotReady) as refused:
        loader.ready_scorer()
    assert "no bundle under" in refused.value.problems[0].problem


def test_the_message_of_a_foreign_error_is_not_shown(stub: StubLoad) -> None:
    stub.error = ValueError("secret")
    loader = ScorerLoader(stub.load)
    loader.refresh()
    assert loader.reason == "loading failed with ValueError"


def test_it_becomes_ready_when_a_scorer_appears(stub: StubLoad) -> None:
    loader = ScorerLoader(stub.load)
    loader.refresh()
    stub.scorer = FakeScorer()
    loader.refresh()
    assert loader.ready_scorer() is stub.scorer
    assert loader.failures == 1


def test_attempts_to_load_are_spaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_SECONDS", 60.0)
    stub = StubLoad()
    loader = ScorerLoader(stub.load)
    for _ in range(5):
        loader.refresh()
    assert stub.attempts == 1


def test_a_failing_refresh_keeps_the_scorer(caplog: pytest.LogCaptureFixture) -> None:
    scorer = FakeScorer()
    loader = ScorerLoader(lambda: scorer)
    loader.refresh()

    def broken() -> None:
        raise OSError("secret")

    scorer.refresh = broken  # type: ignore[method-assign]
    for _ in range(3):
        loader.refresh()
    assert loader.ready_scorer() is scorer
    assert loader.failures == 3
    assert caplog.text.count("refresh failed") == 1
    assert "secret" not in caplog.text


def test_a_scorer_without_models_is_not_ready() -> None:
    scorer = FakeScorer()
    scorer.is_ready = False
    loader = ScorerLoader(lambda: scorer)
    loader.refresh()
    assert loader.loaded_scorer() is scorer
    with pytest.raises(NotReady) as refused:
        loader.ready_scorer()
    assert refused.value.problems == [("nps", "no champion yet")]


def test_a_call_waits_for_the_first_load_of_its_worker() -> None:
    async def call() -> tuple[float, Scorer]:
        loader = ScorerLoader(lambda: (time.sleep(0.3), FakeScorer())[1])
        with ThreadPoolExecutor(1) as executor:
            task = asyncio.create_task(loader.run(executor))
            await asyncio.sleep(0)
            start = time.monotonic()
            await loader.wait_for_first_load()
            waited = time.monotonic() - start
            task.cancel()
            return waited, loader.ready_scorer()

    waited, scorer = asyncio.run(call())
    assert 0.2 < waited < 10
    assert scorer.ready()


def test_a_call_does_not_wait_when_nothing_is_loading() -> None:
    start = time.monotonic()
    asyncio.run(ScorerLoader(FakeScorer).wait_for_first_load())
    assert time.monotonic() - start < 1
