"""Feedback calls, and an import's tables as they are before feedback is applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.config.feedback_settings import FeedbackSettings
from features.ingest.applied_feedback import AppliedFeedback
from features.ingest.feedback_calls import FeedbackCall, Withdrawal
from features.ingest.feedback_import import FeedbackRules, add_feedback
from features.row_audit import RowAudit

USUAL = FeedbackSettings()
RECEIVED = datetime(2025, 6, 12, 9, tzinfo=UTC)
END = datetime(2025, 7, 1, tzinfo=UTC)
TEXT, NUMBER, TIME = pa.string(), pa.float64(), pa.timestamp("us", "UTC")
EVENT_TYPES = {
    "customer_id": TEXT, "occurred_at": TIME, "known_at": TIME, "kind": TEXT, "amount": NUMBER,
    "quantity": NUMBER, "channel": TEXT, "category": TEXT, "due_at": TIME,
}  # fmt: skip


def sent(occurred_at: str = "2025-06-12T07:00:00Z", **changes: Any) -> dict[str, Any]:
    """An order of customer A over 12.50, as it is sent to POST /v1/feedback."""
    return {
        "customer_id": "A", "occurred_at": occurred_at, "kind": "order", "amount": 12.5,
    } | changes  # fmt: skip


def own(occurred_at: str = "2025-06-12T07:00:00Z", **changes: Any) -> dict[str, Any]:
    """The same order in the company's own table, known since it occurred."""
    moment = datetime.fromisoformat(occurred_at)
    return sent() | {"occurred_at": moment, "known_at": moment} | changes


def call(*events: Mapping[str, Any], name: str = "c1", **changes: Any) -> FeedbackCall:
    """A stored call of the client crm."""
    usual: dict[str, Any] = {"received_at": RECEIVED, "client": "crm", "request_id": f"r-{name}"}
    return FeedbackCall(id=name, events=events, **usual | changes)


WITHDRAWAL = Withdrawal(RECEIVED, "ada", "sent to the wrong company")


@dataclass
class EventImport:
    """An import of the customers A and B, whose own events are `rows`."""

    home: Path
    rows: Sequence[Mapping[str, Any]] = ()
    settings: FeedbackSettings = USUAL
    time_zone: str = "UTC"
    audit: RowAudit = field(default_factory=RowAudit)

    def apply(self, *calls: FeedbackCall) -> AppliedFeedback:
        """Apply the calls to the own events."""
        self.con = duckdb.connect()
        self.con.execute("SET TimeZone = 'UTC'")
        self.con.execute(
            "create temp table good_customers as select unnest(['A', 'B']) as customer_id"
        )
        self.con.register("given", pa.Table.from_pylist(list(self.rows), pa.schema(EVENT_TYPES)))  # type: ignore[arg-type]
        self.con.execute("create temp table good_events as select * from given")
        self.audit.add_read("events", "events.csv", len(self.rows))
        rules = FeedbackRules(self.settings, self.time_zone, END, self.quarantine)
        applied = add_feedback(self.con, calls, rules, self.audit)
        assert applied is not None
        assert self.audit.row_count("events") == len(self.events())
        return applied

    @property
    def quarantine(self) -> Path:
        return self.home / "quarantine" / "feedback.parquet"

    def events(self) -> list[dict[str, Any]]:
        """The events of the history."""
        found = self.con.sql("select * from good_events order by all").to_arrow_table()
        rows: list[dict[str, Any]] = found.to_pylist()
        return rows
