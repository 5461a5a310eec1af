"""The import of CRM feedback: plausible events that the company's table lacks become events.

They are known from when they were received, so no cutoff sees one that had not arrived. An event
that the table also holds counts once: the table's row stays, takes from the feedback what it leaves
empty, and is known from the earlier of both times on.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from features.config.feedback_settings import FeedbackSettings
from features.ingest.applied_feedback import (
    IMPORTED,
    IN_TABLE,
    LATE,
    QUARANTINED,
    UNKNOWN,
    WITHDRAWN,
    AppliedFeedback,
)
from features.ingest.feedback import COLUMNS
from features.ingest.feedback_calls import FeedbackCall
from features.ingest.feedback_matching import pair_with_table
from features.ingest.feedback_plausibility import PlausibleFeedback, learn_plausibility
from features.ingest.sql import quote_literal
from features.row_audit import RowAudit, Step

#: The beginning and the end of the audit line of the calls that were read.
READ, OF_CRM = "feedback: ", " calls of the CRM"
#: The audit line of the events that the company's own table holds, too.
DUPLICATES = "feedback that the table also holds"
#: The audit lines of the states in which an event is left out, in the order in which they apply.
LEFT_OUT: tuple[tuple[str, Step, str], ...] = (
    (WITHDRAWN, "drop", "withdrawn feedback"),
    (UNKNOWN, "drop", "feedback of unknown customers waits"),
    (LATE, "drop", "feedback from after the end of the data waits"),
    (IN_TABLE, "duplicates", DUPLICATES),
)

_MOMENT, _TEXT = pa.timestamp("us", "UTC"), pa.string()
_TYPES = {"occurred_at": _MOMENT, "amount": pa.float64(), "quantity": pa.float64()}
_SCHEMA = pa.schema([
    ("call", _TEXT), ("client", _TEXT), ("request_id", _TEXT), ("received_at", _MOMENT),
    *((column, _TYPES.get(column, _TEXT)) for column in COLUMNS), ("known_at", _MOMENT),
    ("state", _TEXT), ("rule", _TEXT), ("value", _TEXT), ("bound", pa.float64()),
])  # fmt: skip


@dataclass(frozen=True)
class FeedbackRules:
    """What an import needs to know about feedback besides the calls: settings, zone and end of data.

    `quarantine` is the file for implausible events.
    """

    settings: FeedbackSettings
    time_zone: str
    limit: datetime
    quarantine: Path


def add_feedback(
    con: duckdb.DuckDBPyConnection,
    calls: Sequence[FeedbackCall],
    rules: FeedbackRules,
    audit: RowAudit,
) -> AppliedFeedback | None:
    """Apply every stored event to `good_events`; returns what became of each, None without calls.

    An event waits while `good_customers` (where it exists) does not hold its customer, and when it
    occurred at or after the end of the data. Every event that is left out is counted in the audit.
    """
    rules.quarantine.unlink(missing_ok=True)  # rows of a former run
    if not calls:
        return None
    plausible = learn_plausibility(con, rules.settings)
    _create_feedback_table(con, [row for call in calls for row in _rows(call, plausible)])
    _let_wait(con, rules.limit)
    pairs = pair_with_table(con, rules.time_zone, rules.settings.same_event_minutes)
    _complete_own_rows(con, pairs)
    con.execute(f"update crm_feedback set state = '{IMPORTED}' where state is null")
    _insert_imported(con)
    _write_quarantine(con, rules.quarantine)
    _audit(con, len(calls), audit)
    applied = AppliedFeedback(
        con.sql("select call, state, rule, value from crm_feedback order by n").to_arrow_table(),
        con.sql("select * from crm_changes order by all").to_arrow_table(),
    )
    con.execute("drop table crm_feedback; drop table crm_changes")
    return applied


def _rows(call: FeedbackCall, plausible: PlausibleFeedback) -> Iterator[dict[str, Any]]:
    """The events of one call, which became known when it was received."""
    came_by = {
        "call": call.id,
        "client": call.client,
        "request_id": call.request_id,
        "received_at": call.received_at,
    }
    for event in call.events:
        occurred = _moment(event)
        row = {c: event.get(c) for c in COLUMNS} | came_by | {"occurred_at": occurred}
        row["known_at"] = max(occurred, call.received_at) if occurred else None
        broken = plausible.broken_rule(event, occurred, call.received_at)
        if call.withdrawal:
            row["state"] = WITHDRAWN
        elif broken:
            column = broken.rule.split(":")[0]
            largest = column != "occurred_at" and plausible.bound(column, str(event["kind"]))
            row |= {"state": QUARANTINED, **broken._asdict(), "bound": largest or None}
        yield row


def _moment(event: Mapping[str, Any]) -> datetime | None:
    """When an event occurred, None where that is not a time with an offset."""
    try:
        occurred = datetime.fromisoformat(event["occurred_at"])
    except (TypeError, ValueError):
        return None
    return occurred if occurred.tzinfo else None


def _create_feedback_table(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    """Create `crm_feedback`, its rows numbered by their contents, and the empty `crm_changes`."""
    con.register("crm_feedback_rows", pa.Table.from_pylist(rows, _SCHEMA))
    order = ", ".join((*COLUMNS, "known_at", "call"))
    con.execute(
        "create or replace temp table crm_feedback as "
        f"select row_number() over (order by {order}) as n, * from crm_feedback_rows"
    )
    con.unregister("crm_feedback_rows")
    con.execute(
        "create or replace temp table crm_changes as "
        "select *, false as added from good_events where false"
    )


def _let_wait(con: duckdb.DuckDBPyConnection, limit: datetime) -> None:
    """Set the state of events whose customer is not known yet, or that lie after the end of the data."""
    known = "select 1 from duckdb_tables() where table_name = 'good_customers'"
    if con.execute(known).fetchall():
        con.execute(
            f"update crm_feedback set state = '{UNKNOWN}' where state is null "
            "and customer_id not in (select customer_id from good_customers)"
        )
    con.execute(
        f"update crm_feedback set state = '{LATE}' where state is null "
        f"and occurred_at >= timestamptz '{limit.isoformat()}'"
    )


#: Columns of the table's row that are taken from the feedback where they are empty.
_COMPLETED = ("amount", "quantity", "channel", "category")


def _complete_own_rows(con: duckdb.DuckDBPyConnection, pairs: Mapping[int, int]) -> None:
    """Complete the company's rows that also came as feedback, and record those that change."""
    numbers = {"n": pa.array(pairs.keys(), pa.int64()), "own": pa.array(pairs.values(), pa.int64())}
    con.register("crm_pairs", pa.table(numbers))
    values = ", ".join(f"coalesce(e.{c}, f.{c}) as {c}" for c in _COMPLETED)
    known = "least(e.known_at, greatest(e.occurred_at, f.known_at)) as known_at"
    con.execute(
        f"create or replace temp table crm_completed as select e.rowid as own, e.* replace ({values}, "
        f"{known}) from crm_pairs p join crm_feedback f using (n) join good_events e on e.rowid = p.own"
    )
    con.execute(
        "delete from crm_completed c using good_events e where e.rowid = c.own and ("
        + " and ".join(f"e.{c} is not distinct from c.{c}" for c in (*_COMPLETED, "known_at"))
        + ")"
    )
    con.execute(
        "insert into crm_changes by name select *, false as added from good_events "
        "where rowid in (select own from crm_completed)"
    )
    con.execute(
        "insert into crm_changes by name select * exclude (own), true as added from crm_completed"
    )
    con.execute("delete from good_events where rowid in (select own from crm_completed)")
    con.execute("insert into good_events by name select * exclude (own) from crm_completed")
    con.execute(
        f"update crm_feedback set state = '{IN_TABLE}' where n in (select n from crm_pairs)"
    )
    con.execute("drop table crm_completed")
    con.unregister("crm_pairs")


def _insert_imported(con: duckdb.DuckDBPyConnection) -> None:
    """Add the events that only came as feedback."""
    columns = ", ".join((*COLUMNS, "known_at"))
    found = f"select {columns} from crm_feedback where state = '{IMPORTED}'"
    con.execute(f"insert into good_events by name {found}")
    con.execute(f"insert into crm_changes by name select *, true as added from ({found})")


def _write_quarantine(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write the implausible events with the call they came by."""
    found = f"from crm_feedback where state = '{QUARANTINED}'"
    if not con.execute(f"select count(*) {found}").fetchall()[0][0]:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    con.execute(
        f"copy (select rule as broken_rules, * exclude (n, state, rule) {found} order by n) "
        f"to {quote_literal(str(path))} (format parquet)"
    )


def _audit(con: duckdb.DuckDBPyConnection, calls: int, audit: RowAudit) -> None:
    """Count the events that were read and those that were left out."""
    counted = con.execute(
        "select state, rule, count(*) from crm_feedback group by 1, 2 order by 1, 2"
    ).fetchall()
    audit.add_read("events", f"{READ}{calls:,}{OF_CRM}", sum(row[2] for row in counted))
    states = {state: rows for state, rule, rows in counted if rule is None}
    for state, step, line in LEFT_OUT:
        if state in states:
            audit.add_removed("events", step, line, states[state])
    for _, rule, rows in counted:
        if rule is not None:
            audit.add_removed("events", "quarantine", f"implausible feedback, {rule}", rows)


def without_feedback(audit: RowAudit) -> RowAudit:
    """The audit up to the line of the calls that were read: the lines of the company's own rows.

    Feedback is applied to a table last, so that all lines of `events` after that one are about it.
    """
    lines = audit.lines
    of_feedback = (
        place
        for place, line in enumerate(lines)
        if line.table == "events" and line.rule.startswith(READ) and line.rule.endswith(OF_CRM)
    )
    first = next(of_feedback, len(lines))
    own = [line for place, line in enumerate(lines) if place < first or line.table != "events"]
    return RowAudit(own)
