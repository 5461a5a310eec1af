"""Feedback from the CRM: outcomes and campaign contacts, each stored once, until an import reads them.

Each call is stored in a file named by its idempotency key, so that a repeated call (a retry of the
client, two workers at once) finds the first. An import adds the rows as events that became known when
they were received, so no cutoff sees one that had not arrived.
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

#: The columns of a feedback row, from the contract's events; `known_at` is when it was received.
COLUMNS = ("customer_id", "occurred_at", "kind", "amount", "quantity", "channel", "category")


class IdempotencyConflict(GoodwillError):
    """An idempotency key was used again with different content."""


@dataclass(frozen=True)
class Feedback:
    """One call of the CRM: its key, and events by the columns of the contract, times in ISO 8601."""

    key: str
    events: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class StoredFeedback:
    """A stored call: how many events, when it was received, and whether it is a repetition."""

    events: int
    received_at: datetime
    repeated: bool


def store_feedback(folder: Path, feedback: Feedback) -> StoredFeedback:
    """Store one call exactly once, or return the first if it is repeated; safe with several processes.

    Raises IdempotencyConflict when the key was used with different content, OSError when the call
    cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"{hashlib.sha256(feedback.key.encode()).hexdigest()[:40]}.json"
    content = [{c: event.get(c) for c in COLUMNS} for event in feedback.events]
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    now = datetime.now(UTC)
    record = {"received_at": now.isoformat(), "sha256": digest, "events": content}
    if final.exists():
        return _read_stored(final, digest)
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".new", encoding="utf-8") as new:
        json.dump(record, new, ensure_ascii=False)
        new.flush()
        os.fsync(new.fileno())
        try:
            os.link(new.name, final)  # unlike a rename, fails where another process was first
        except FileExistsError:
            return _read_stored(final, digest)
    return StoredFeedback(len(content), now, repeated=False)


def _read_stored(path: Path, digest: str) -> StoredFeedback:
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["sha256"] != digest:
        raise IdempotencyConflict(
            "this idempotency key was used before with different content; choose a new key"
        )
    received = datetime.fromisoformat(record["received_at"])
    return StoredFeedback(len(record["events"]), received, repeated=True)


def feedback_files(folder: Path) -> list[Path]:
    """The files of all stored calls, in the order of their names."""
    return sorted(folder.glob("*.json"))


def feedback_digest(folder: Path) -> str:
    """A hash that changes with every new call; empty without calls. Stored files never change."""
    names = [path.name for path in feedback_files(folder)]
    return hashlib.sha256("\n".join(names).encode()).hexdigest()[:16] if names else ""


def add_feedback(
    con: duckdb.DuckDBPyConnection, folder: Path, audit: RowAudit, limit: datetime
) -> int:
    """Append every stored event to `good_events`; returns how many have to wait.

    An event waits, and is counted in the audit, while `good_customers` (where it exists) does not hold
    its customer, and when it occurred at or after `limit`, the end of the data.
    """
    files = feedback_files(folder)
    if not files:
        return 0
    rows = [row for path in files for row in _rows(path)]
    con.register("feedback", pa.Table.from_pylist(rows, _SCHEMA))
    audit.add_read("events", f"feedback: {len(files):,} calls of the CRM", len(rows))
    known = con.execute(
        "select 1 from duckdb_tables() where table_name = 'good_customers'"
    ).fetchall()
    unknown = "customer_id not in (select customer_id from good_customers)" if known else "false"
    late = f"occurred_at >= timestamptz '{limit.isoformat()}'"
    waiting = 0
    for rule, condition in (
        ("feedback of unknown customers waits", unknown),
        ("feedback from after the end of the data waits", f"{late} and not {unknown}"),
    ):
        count = int(
            con.execute(f"select count(*) from feedback where {condition}").fetchall()[0][0]
        )
        waiting += count
        if count:
            audit.add_removed("events", "drop", rule, count)
    con.execute(
        f"insert into good_events by name select * from feedback where not ({unknown} or {late})"
    )
    con.unregister("feedback")
    return waiting


_MOMENT = pa.timestamp("us", "UTC")
_TYPES = {"occurred_at": _MOMENT, "amount": pa.float64(), "quantity": pa.float64()}
_SCHEMA = pa.schema([(c, _TYPES.get(c, pa.string())) for c in COLUMNS] + [("known_at", _MOMENT)])


def _rows(path: Path) -> list[dict[str, Any]]:
    """The events of one call, which became known when it was received."""
    record = json.loads(path.read_text(encoding="utf-8"))
    received = datetime.fromisoformat(record["received_at"])
    rows = []
    for event in record["events"]:
        occurred = datetime.fromisoformat(event["occurred_at"])
        rows.append(event | {"occurred_at": occurred, "known_at": max(occurred, received)})
    return rows
