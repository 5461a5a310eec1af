"""What comes back from the CRM: outcomes and campaign contacts, kept once each, until an import.

Each call of the CRM is a file of its own, named by its idempotency key, so that the same call sent
again (by an impatient client, by two workers at once) finds itself. An import takes the rows in as
events that were known when they were received: no cutoff sees one that had not arrived.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.errors import GoodwillError
from features.row_audit import RowAudit

#: What a row of feedback may say, as the contract's events have it; `known_at` is when it came.
COLUMNS = ("customer_id", "occurred_at", "kind", "amount", "quantity", "channel", "category")


class IdempotencyConflict(GoodwillError):
    """An idempotency key came again with another content."""


@dataclass(frozen=True)
class Feedback:
    """One call of the CRM: its key, and events by the columns of the contract, times in ISO 8601."""

    key: str
    events: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StoredFeedback:
    """What became of a call: how many events are kept, since when, and whether it had come before."""

    events: int
    received_at: datetime
    repeated: bool


def store_feedback(folder: Path, feedback: Feedback) -> StoredFeedback:
    """Write one call down, whole and once, or find that it came before; safe with several processes.

    Raises KeyTaken when the key came with another content, OSError when it cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{hashlib.sha256(feedback.key.encode()).hexdigest()[:40]}.json"
    content = [{c: event.get(c) for c in COLUMNS} for event in feedback.events]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    now = datetime.now(UTC)
    told = {"received_at": now.isoformat(), "sha256": digest, "events": content}
    if final.exists():
        return _former(final, digest)
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".new", encoding="utf-8") as new:
        json.dump(told, new, ensure_ascii=False)
        new.flush()
        os.fsync(new.fileno())
        try:
            os.link(new.name, final)  # unlike a rename, fails where another process was first
        except FileExistsError:
            return _former(final, digest)
    return StoredFeedback(len(content), now, repeated=False)


def _former(path: Path, digest: str) -> StoredFeedback:
    told = json.loads(path.read_text(encoding="utf-8"))
    if told["sha256"] != digest:
        raise IdempotencyConflict("this idempotency key came with another content before; choose a new key")
    received = datetime.fromisoformat(told["received_at"])
    return StoredFeedback(len(told["events"]), received, repeated=True)


def feedback_files(folder: Path) -> list[Path]:
    """Every call that was kept, in the order of the names."""
    return sorted(folder.glob("*.json"))


def feedback_digest(folder: Path) -> str:
    """Changes when a call comes; empty while there is none. Kept files never change."""
    names = [path.name for path in feedback_files(folder)]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16] if names else ""


def add_feedback(
    con: duckdb.DuckDBPyConnection, folder: Path, ledger: RowAudit, limit: datetime
) -> int:
    """Put every kept event behind the rows of `good_events`; how many have to wait.

    An event waits, and is counted in the ledger, while `good_customers` (where there is one) does not
    hold its customer, and when it happened at or after `limit`, the end of the data.
    """
    files = feedback_files(folder)
    if not files:
        return 0
    rows = [row for path in files for row in _rows(path)]
    con.register("feedback", pa.Table.from_pylist(rows, _SCHEMA))
    ledger.add_read("events", f"feedback: {len(files):,} calls of the CRM", len(rows))
    known = con.execute(
        "select 1 from duckdb_tables() where table_name = 'good_customers'"
    ).fetchall()
    stranger = "customer_id not in (select customer_id from good_customers)" if known else "false"
    late = f"occurred_at >= timestamptz '{limit.isoformat()}'"
    waiting = 0
    for rule, condition in (
        ("feedback of unknown customers waits", stranger),
        ("feedback from after the end of the data waits", f"{late} and not {stranger}"),
    ):
        count = int(
            con.execute(f"select count(*) from feedback where {condition}").fetchall()[0][0]
        )
        waiting += count
        if count:
            ledger.add_removed("events", "drop", rule, count)
    con.execute(
        f"insert into good_events by name select * from feedback where not ({stranger} or {late})"
    )
    con.unregister("feedback")
    return waiting


_MOMENT = pa.timestamp("us", "UTC")
_TYPES = {"occurred_at": _MOMENT, "amount": pa.float64(), "quantity": pa.float64()}
_SCHEMA = pa.schema([(c, _TYPES.get(c, pa.string())) for c in COLUMNS] + [("known_at", _MOMENT)])


def _rows(path: Path) -> list[dict[str, Any]]:
    """The events of one call, known when it was received: nothing of it was known earlier."""
    told = json.loads(path.read_text(encoding="utf-8"))
    received = datetime.fromisoformat(told["received_at"])
    rows = []
    for event in told["events"]:
        happened = datetime.fromisoformat(event["occurred_at"])
        rows.append(event | {"occurred_at": happened, "known_at": max(happened, received)})
    return rows
