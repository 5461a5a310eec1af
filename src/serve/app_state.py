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
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import ScoreBatch
from serve.security.audit_log import Caller, AuditLog
from serve.security.authentication import Authenticator

Result = TypeVar("Result")

#: Longest a call may work; BentoML's own limit is longer, so that ours answers.
WORK_SECONDS = 50.0
THREADS = 4


class AppState:
    """The state of one worker process."""

    def __init__(
        self,
        loader: ScorerLoader,
        describe: Callable[[tuple[str, ...], bool], Any],
        authenticator: Authenticator | None = None,
        audits: Callable[[str], AuditLog] | None = None,
    ) -> None:
        self.loader = loader
        self.authenticator = authenticator or Authenticator()
        self._audit_of = cache(audits) if audits else None
        self.metrics = Metrics(loader)
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="score")
        self._describe = describe

    async def run(self, task: Callable[[], Result], *, in_thread: bool) -> Result:
        """Run `task` here, or in_thread the event loop when it may take long.

        Raises TooSlow after WORK_SECONDS; a thread can't be stopped, so its work ends unheard.
        """
        if not in_thread:
            return task()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(WORK_SECONDS):
                return await loop.run_in_executor(self.executor, task)
        except TimeoutError:
            raise TooSlow(f"no answer within {WORK_SECONDS:.0f} seconds") from None

    def record_scores(self, call: Call, batch: ScoreBatch, body: bytes = b"") -> None:
        """Count a scoring, put its customers' number and the versions in the log, and audit it.

        `body` is what was sent where rows were sent along. Raises NotStored when the audit cannot
        be written and must be.
        """
        self.metrics.scored(batch)
        call.facts.update(customers=len(batch.scores), versions=batch.versions)
        ids = [score.customer_id for score in batch.scores]
        self.record_audit(call, ids, batch.as_of, batch.versions, batch.fingerprint, body)

    def record_audit(
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
        audit = self._audit_of(self.loader.loaded_scorer().company)
        who = Caller(call.request_id, call.client, call.route)
        if not audit.scored(who, ids, as_of, versions, fingerprint, body):
            self.metrics.unaudited()
            if audit.required:
                raise NotStored("the audit cannot be written, so nothing is scored")

    def openapi_document(self) -> Any:
        """The OpenAPI document with the targets served now."""
        scorer = self.loader.scorer
        known: set[str] = set()
        if scorer is not None:
            known = {model.target for model in scorer.models()}
        return self._describe(tuple(sorted(known)), self.authenticator.keys_required)
