"""What every handler of one worker shares: the scorer, the metrics, and threads for long work."""

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from serve.errors import TooSlow
from serve.metrics import Metrics
from serve.upkeep import Upkeep

Result = TypeVar("Result")

#: Longest a call may work; BentoML's own limit is longer, so that ours answers.
WORK_SECONDS = 50.0
THREADS = 4


class Desk:
    """The state of one worker process."""

    def __init__(self, upkeep: Upkeep, describe: Callable[[Iterable[str]], Any]) -> None:
        self.upkeep = upkeep
        self.metrics = Metrics(upkeep)
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="score")
        self._describe = describe

    async def work(self, task: Callable[[], Result], *, beside: bool) -> Result:
        """Run `task` here, or beside the event loop when it may take long.

        Raises TooSlow after WORK_SECONDS; a thread can't be stopped, so its work ends unheard.
        """
        if not beside:
            return task()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WORK_SECONDS):
                return await loop.run_in_executor(self.executor, task)
        except TimeoutError:
            raise TooSlow(f"no answer within {WORK_SECONDS:.0f} seconds") from None

    def document(self) -> Any:
        """The OpenAPI document with the targets known now."""
        scorer = self.upkeep.scorer
        if scorer is None:
            return self._describe(())
        served = {model.target for model in scorer.models()}
        return self._describe(served | set(scorer.missing()))
