"""What every handler of one worker shares: the scorer, the metrics, and threads for long work."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from serve.errors import NotStored, TooSlow
from serve.http.middleware import Call
from serve.observability.prometheus import Metrics
from serve.scoring.reload_loop import Upkeep
from serve.scoring.scorer import Batch
from serve.security.audit_log import Asker, Audit
from serve.security.authentication import Gatekeeper

Result = TypeVar("Result")

#: Longest a call may work; BentoML's own limit is longer, so that ours answers.
WORK_SECONDS = 50.0
THREADS = 4


class Desk:
    """The state of one worker process."""

    def __init__(
        self,
        upkeep: Upkeep,
        describe: Callable[[tuple[str, ...], bool], Any],
        gate: Gatekeeper | None = None,
        audits: Callable[[str], Audit] | None = None,
    ) -> None:
        self.upkeep = upkeep
        self.gate = gate or Gatekeeper()
        self._audit_of = cache(audits) if audits else None
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

    def account(self, call: Call, batch: Batch, body: bytes = b"") -> None:
        """Count a scoring, put its customers' number and the versions in the log, and audit it.

        `body` is what was sent where rows were sent along. Raises NotStored when the audit cannot
        be written and must be.
        """
        self.metrics.scored(batch)
        call.facts.update(customers=len(batch.scores), versions=batch.versions)
        ids = [score.customer_id for score in batch.scores]
        self.audit(call, ids, batch.as_of, batch.versions, batch.fingerprint, body)

    def audit(
        self,
        call: Call,
        ids: Sequence[str],
        as_of: datetime,
        versions: dict[str, str],
        fingerprint: str = "",
        body: bytes = b"",
    ) -> None:
        """Write down who scored whom with what. Raises NotStored when that fails and must not."""
        if self._audit_of is None:
            return
        audit = self._audit_of(self.upkeep.present().company)
        who = Asker(call.request_id, call.client, call.route)
        if not audit.scored(who, ids, as_of, versions, fingerprint, body):
            self.metrics.unaudited()
            if audit.required:
                raise NotStored("the audit cannot be written, so nothing is scored")

    def document(self) -> Any:
        """The OpenAPI document with the targets served now."""
        scorer = self.upkeep.scorer
        known: set[str] = set()
        if scorer is not None:
            known = {model.target for model in scorer.models()}
        return self._describe(tuple(sorted(known)), self.gate.locked)
