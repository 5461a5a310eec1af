"""Keeps a scorer at hand: loads it in the background, tries again on failure, and refreshes it."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor

from features.errors import GoodwillError
from serve.errors import NotReady, Problem
from serve.scoring.scorer import Scorer

log = logging.getLogger("goodwill.serve")

#: Seconds between two looks for a new champion, and between two attempts to load.
REFRESH_SECONDS, RETRY_SECONDS = 1.0, 2.0
#: Longest a call waits for the first load of its worker, which another worker may have behind it.
FIRST_LOAD_SECONDS = 20.0


class ScorerLoader:
    """A scorer that may not be there yet; the service answers from the first moment on.

    An exception while a BentoML service starts would restart it for ever, so loading happens
    behind the running service and its failure is a state with a reason.
    """

    def __init__(self, load: Callable[[], Scorer]) -> None:
        self._load = load
        self.scorer: Scorer | None = None
        self.reason = "the models are being loaded"
        self.failures = 0
        self.loading = False
        #: Told what became of each part that was loaded anew: (part, "loaded" | "kept" | "failed").
        self.on_reload: Callable[[str, str], None] = lambda part, result: None
        self._next_attempt = 0.0

    def loaded_scorer(self) -> Scorer:
        """The scorer, able to score or not. Raises NotReady while there is none."""
        if self.scorer is None:
            raise NotReady("the service is not ready", [Problem("service", self.reason)])
        return self.scorer

    def ready_scorer(self) -> Scorer:
        """The scorer. Raises NotReady with the reasons when it cannot score yet."""
        scorer = self.loaded_scorer()
        if not scorer.ready():
            problems = [Problem(target, why) for target, why in sorted(scorer.missing().items())]
            raise NotReady("no model is ready", problems)
        return scorer

    async def wait_for_first_load(self) -> None:
        """Return when this worker's first load has ended, well or not, or took too long."""
        until = time.monotonic() + FIRST_LOAD_SECONDS
        while self.loading and time.monotonic() < until:
            await asyncio.sleep(0.02)

    def refresh(self) -> None:
        """Load the scorer, or let it notice a new champion. Blocks; never raises."""
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
        except Exception as error:  # the last good scorer goes on
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        """Keep the reason for /readyz. Only our own messages are meant to be read by people."""
        told = f"{type(error).__name__}: {error}" if isinstance(error, GoodwillError) else ""
        reason = told or f"loading failed with {type(error).__name__}"
        if reason != self.reason:
            log.warning("upkeep failed: %s", reason)
        self.reason = reason
        self.failures += 1
        self.on_reload("service", "kept" if self.scorer else "failed")

    async def run(self, executor: Executor) -> None:
        """Look once a second until cancelled, beside the event loop."""
        loop = asyncio.get_running_loop()
        self.loading = self.scorer is None
        while True:
            await loop.run_in_executor(executor, self.refresh)
            self.loading = False
            await asyncio.sleep(REFRESH_SECONDS)
