"""The state that all handlers of a worker share: scorer, metrics, access control, audit, threads."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from serve.errors import NotStored, TooSlow
from serve.http.middleware import Call
from serve.observability.prometheus import Metrics
from serve.process.draining import Drain
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import ScoreBatch
from serve.security.audit_log import AuditLog, Caller
from serve.security.authentication import Authenticator

Result = TypeVar("Result")

#: Time limit of a call; shorter than BentoML's own, so that our error answer is sent.
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
        drain: Drain | None = None,
    ) -> None:
        self.loader = loader
        self.authenticator = authenticator or Authenticator()
        self.drain = drain or Drain()
        self._audit_of = cache(audits) if audits else None
        self.metrics = Metrics(loader)
        self.executor = ThreadPoolExecutor(THREADS, thread_name_prefix="score")
        self._describe = describe

    async def run(self, task: Callable[[], Result], *, in_thread: bool) -> Result:
        """Run `task` at once, or in a thread when it may take long.

        Raises TooSlow after WORK_SECONDS; the thread cannot be stopped, so its result is discarded.
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
        """Record a scoring in metrics, log and audit log.

        `body` is the request body when rows were sent along. Raises NotStored when a required audit
        log cannot be written.
        """
        self.metrics.count_scores(batch)
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
        """Write a scoring to the audit log. Raises NotStored when that fails and is required."""
        if self._audit_of is None:
            return
        audit = self._audit_of(self.loader.loaded_scorer().company)
        caller = Caller(call.request_id, call.client, call.route)
        if not audit.record(caller, ids, as_of, versions, fingerprint, body):
            self.metrics.count_audit_failure()
            if audit.required:
                raise NotStored("the audit log cannot be written, so nothing is scored")

    def openapi_document(self) -> Any:
        """Return the OpenAPI document with the targets that have a model now."""
        scorer = self.loader.scorer
        targets: set[str] = set()
        if scorer is not None:
            targets = {model.target for model in scorer.models()}
        return self._describe(tuple(sorted(targets)), self.authenticator.keys_required)
