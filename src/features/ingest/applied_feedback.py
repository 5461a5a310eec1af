"""Outcomes of feedback at an import: the outcome of each event, and the rows of events it changed.

Both are stored with the history, in the folder `feedback`. An incremental import takes the changes
back before it adds the new files, so that feedback always meets the company's own rows alone and the
result is that of a full import.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.ingest.feedback_calls import FeedbackCall
from features.ingest.sql import quote_literal

#: The folder in that of a history, and its files.
FOLDER, OUTCOMES, CHANGES = "feedback", "outcomes.parquet", "changes.parquet"

IMPORTED = "imported"
IN_TABLE = "in the table"
UNKNOWN = "waiting: unknown customer"
LATE = "waiting: after the end"
QUARANTINED = "quarantined"
WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class CallOutcome:
    """Outcomes of a call's events at the last import: their number by state, and broken rules."""

    states: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class AppliedFeedback:
    """The outcome of every event of feedback, and the events that were added to or taken from the table.

    `outcomes` has the columns call, state, rule and value. `changes` has those of the events and
    `added`: false for an own row of the company that feedback completed, as it was before.
    """

    outcomes: pa.Table
    changes: pa.Table

    def counts(self) -> dict[str, int]:
        """Events by state."""
        counted = self.outcomes["state"].value_counts().to_pylist()
        return {row["values"]: row["counts"] for row in sorted(counted, key=lambda r: r["values"])}

    @property
    def waiting(self) -> int:
        """Events that cannot be imported yet."""
        counts = self.counts()
        return counts.get(UNKNOWN, 0) + counts.get(LATE, 0)

    def figures(self) -> dict[str, int]:
        """The figures of the import's step line."""
        counts = self.counts()
        shown = {"feedback_in_table": IN_TABLE, "feedback_quarantined": QUARANTINED}
        return {name: counts[state] for name, state in shown.items() if state in counts}

    def note(self) -> str:
        """One line that says what became of the events."""
        states = ", ".join(f"{rows:,} {state}" for state, rows in self.counts().items())
        return f"  {len(self.outcomes):,} events of CRM feedback: {states}"

    def write(self, history: Path) -> None:
        """Write both tables into the folder of a history."""
        folder = history / FOLDER
        folder.mkdir(exist_ok=True)
        pq.write_table(self.outcomes, folder / OUTCOMES, compression="zstd")
        pq.write_table(self.changes, folder / CHANGES, compression="zstd")


def read_call_outcomes(history: Path) -> dict[str, CallOutcome]:
    """The outcome of each call at the last import, by its id; empty before the first with feedback."""
    path = history / FOLDER / OUTCOMES
    if not path.is_file():
        return {}
    states: dict[str, Counter[str]] = {}
    rules: dict[str, list[str]] = {}
    for row in pq.read_table(path).to_pylist():
        states.setdefault(row["call"], Counter())[row["state"]] += 1
        if row["rule"]:
            rules.setdefault(row["call"], []).append(f"{row['rule']}, {row['value']}")
    return {
        call: CallOutcome(dict(sorted(found.items())), tuple(dict.fromkeys(rules.get(call, ()))))
        for call, found in states.items()
    }


def describe_state(call: FeedbackCall, outcome: CallOutcome | None) -> str:
    """The outcome of a stored call, as one text; `outcome` is None for one that no import has read."""
    states = outcome.states if outcome else {}
    if call.withdrawal:
        leaves = " (leaves at the next import)" if states.keys() & {IMPORTED, IN_TABLE} else ""
        gone = call.withdrawal
        return f"withdrawn{leaves} {gone.withdrawn_at:%Y-%m-%d} by {gone.by}: {gone.reason}"
    if outcome is None:
        return "new: for the next import"
    why = {QUARANTINED: f" ({'; '.join(outcome.rules)})"}
    shown = [f"{rows:,} {state}{why.get(state, '')}" for state, rows in states.items()]
    return ", ".join(shown) if len(shown) > 1 else shown[0].split(" ", 1)[1]


def has_applied_feedback(history: Path) -> bool:
    """Whether a stored history says which of its events came as feedback."""
    return (history / FOLDER / CHANGES).is_file()


def own_events_sql(history: Path) -> str:
    """SQL of a history's events as the company's own table had them, before feedback was applied."""
    events = f"read_parquet({quote_literal(str(history / 'events.parquet'))})"
    if not has_applied_feedback(history):
        return f"select * from {events}"
    changes = f"read_parquet({quote_literal(str(history / FOLDER / CHANGES))})"
    columns = f"select * exclude (added) from {changes} where"
    touched = f"(select distinct customer_id, occurred_at from {changes} where added)"
    return (
        f"select * from {events} anti join {touched} using (customer_id, occurred_at) union all "
        f"(select * from (select * from {events} semi join {touched} using (customer_id, occurred_at)) "
        f"except all {columns} added) union all {columns} not added"
    )
