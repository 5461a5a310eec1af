"""The helpers of these tests are modules beside them."""

import pytest


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two threads on a busy machine wait for each other most of the time."""
    monkeypatch.setenv("GOODWILL_THREADS", "1")
