"""Loads the scorer in the background, retries on failure, and refreshes it every second."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor

from features.errors import GoodwillError
from serve.errors import NotReady, Problem
from serve.scoring.scorer import Scorer

log = logging.getLogger("goodwill.serve")

#: Seconds between two refreshes, and between two attempts to load.
REFRESH_SECONDS, RETRY_SECONDS = 1.0, 2.0
#: Longest wait of a call for the first load of its worker; another worker may be ready already.
FIRST_LOAD_SECONDS = 20.0


class ScorerLoader:
    """A scorer that may not be loaded yet, so that the service can answer from the start.

    BentoML restarts a service for ever when its start raises an exception. So loading runs behind
    the running service, and a failure is a state with a reason.
    """

    def __init__(self, load: Callable[[], Scorer]) -> None:
        self._load = load
        self.scorer: Scorer | None = None
        self.reason = "the models are being loaded"
        self.failures = 0
        self.loading = False
        #: Called for each part that was loaded again: (part, "loaded" | "kept" | "failed").
        self.on_reload: Callable[[str, str], None] = lambda part, result: None
        self._next_attempt = 0.0

    def loaded_scorer(self) -> Scorer:
        """Return the scorer, whether or not it can score. Raises NotReady before it is loaded."""
        if self.scorer is None:
            raise NotReady("the service is not ready", [Problem("service", self.reason)])
        return self.scorer

    def ready_scorer(self) -> Scorer:
        """Return the scorer. Raises NotReady with the reasons while it cannot score."""
        scorer = self.loaded_scorer()
        if not scorer.ready():
            problems = [Problem(target, why) for target, why in sorted(scorer.missing().items())]
            raise NotReady("no model is ready", problems)
        return scorer

    async def wait_for_first_load(self) -> None:
        """Return when the first load of this worker succeeds, fails or takes too long."""
        until = time.monotonic() + FIRST_LOAD_SECONDS
        while self.loading and time.monotonic() < until:
            await asyncio.sleep(0.02)

    def refresh(self) -> None:
        """Load the scorer, or let it look for new models. Blocks; never raises."""
        if time.monotonic() < self._next_attempt:
            return
        try:
            if self.scorer is None:
                self._next_attempt = time.monotonic() + RETRY_SECONDS
                self.scorer = self._load()
                self._next_attempt = 0.0
                log.info("scorer loaded")
                self.on_reload("service", "loaded")
            else:
                for part, result in self.scorer.refresh().items():
                    self.on_reload(part, result)
                self.reason = ""
        except Exception as error:  # the last good scorer stays in use
            self._record_failure(error)

    def _record_failure(self, error: Exception) -> None:
        """Keep the reason for /readyz; only messages of our own errors are meant for people."""
        message = f"{type(error).__name__}: {error}" if isinstance(error, GoodwillError) else ""
        reason = message or f"loading failed with {type(error).__name__}"
        if reason != self.reason:
            log.warning("refresh failed: %s", reason)
        self.reason = reason
        self.failures += 1
        self.on_reload("service", "kept" if self.scorer else "failed")

    async def run(self, executor: Executor) -> None:
        """Refresh once a second, in a thread, until cancelled."""
        loop = asyncio.get_running_loop()
        self.loading = self.scorer is None
        while True:
            await loop.run_in_executor(executor, self.refresh)
            self.loading = False
            await asyncio.sleep(REFRESH_SECONDS)
