"""Columns worked out row by row from a table's own columns: durations, lateness, common scale.

Each is a function of one row, so it is the same in training, snapshot and request. It is revealed
when the last of its inputs is.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from features.history.rows import NEVER, Floats, HistoryTable
from features.text.sentiment import score_sentiment
from features.text.topics import TOPICS, mentions_topic

HOUR = 3_600_000_000.0
#: The column that only a fitted tone can make.
TONE = "tone"


@dataclass(frozen=True)
class Derived:
    """A row-wise column: what it needs, when it is known, how it is made."""

    needs: tuple[str, ...]
    revealed_by: str | None
    make: Callable[[HistoryTable], Floats]
    unit: str


def _hours(rows: HistoryTable, start: str, end: str) -> Floats:
    """Hours from one moment to another; NaN where either is missing."""
    first, last = rows.times[start], rows.times[end]
    missing = (first == NEVER) | (last == NEVER)
    hours = (np.where(missing, 0, last) - np.where(missing, 0, first)) / HOUR
    return np.where(missing, np.nan, hours)


def _lateness(rows: HistoryTable) -> Floats:
    return _hours(rows, "due_at", "occurred_at") / 24.0


def _late(rows: HistoryTable) -> Floats:
    lateness = _lateness(rows)
    return np.where(np.isnan(lateness), np.nan, (lateness > 0).astype(np.float64))


def _overdue(rows: HistoryTable) -> Floats:
    lateness = _lateness(rows)
    return np.where(np.isnan(lateness), np.nan, np.maximum(lateness, 0.0))


def _level(rows: HistoryTable, column: str) -> Floats:
    """An answer on the common scale, 0 (worst) to 100 (best)."""
    low, high = rows.numbers["scale_low"], rows.numbers["scale_high"]
    return 100.0 * (rows.numbers[column] - low) / (high - low)


def _gap(rows: HistoryTable) -> Floats:
    """Perception minus expectation, in points of the common scale (SERVQUAL's gap)."""
    return _level(rows, "score") - _level(rows, "expectation")


def _by_text(rows: HistoryTable, read: Callable[[tuple[str, ...]], Floats]) -> Floats:
    """What a reader makes of each comment, NaN without one; each distinct text is read once."""
    codes = rows.codes["comment"]
    made = read(rows.words["comment"])
    if not len(made):
        return np.full(len(codes), np.nan)
    return np.where(codes < 0, np.nan, made[np.maximum(codes, 0)])


def _mood(rows: HistoryTable) -> Floats:
    return _by_text(rows, score_sentiment)


def _about(name: str, rows: HistoryTable) -> Floats:
    return _by_text(rows, partial(mentions_topic, name=name))


def _tone(rows: HistoryTable) -> Floats:
    """What the company's own customers mean by such words, in points; NaN where none was fitted."""
    return _by_text(rows, rows.comment_model.predict) if rows.comment_model else np.full(len(rows), np.nan)


def _of_comments(revealed_by: str | None) -> dict[str, Derived]:
    """The columns a table's comments make: how they feel, how they would score, what they are about."""
    needs = ("comment",)
    return {
        "sentiment": Derived(needs, revealed_by, _mood, "-1 to 1"),
        TONE: Derived(needs, revealed_by, _tone, "points"),
        **{
            f"about_{name}": Derived(needs, revealed_by, partial(_about, name), "flag")
            for name in TOPICS
        },
    }


DERIVED: dict[str, dict[str, Derived]] = {
    "customers": {},
    "events": {
        "lateness_days": Derived(("due_at",), None, _lateness, "days"),
        "overdue_days": Derived(("due_at",), None, _overdue, "days"),
        "late": Derived(("due_at",), None, _late, "share"),
    },
    "surveys": {
        "level": Derived(("score",), "answered_at", lambda r: _level(r, "score"), "points"),
        "expected_level": Derived(
            ("expectation",), "answered_at", lambda r: _level(r, "expectation"), "points"
        ),
        "gap": Derived(("score", "expectation"), "answered_at", _gap, "points"),
        **_of_comments("answered_at"),
        "answer_hours": Derived(
            ("answered_at",), "answered_at", lambda r: _hours(r, "sent_at", "answered_at"), "hours"
        ),
    },
    "tickets": {
        "reply_hours": Derived(
            ("first_reply_at",),
            "first_reply_at",
            lambda r: _hours(r, "opened_at", "first_reply_at"),
            "hours",
        ),
        "resolution_hours": Derived(
            ("closed_at",), "closed_at", lambda r: _hours(r, "opened_at", "closed_at"), "hours"
        ),
        **_of_comments(None),
    },
}


def derive(rows: HistoryTable, wanted: Iterable[str | None]) -> None:
    """Add the wanted derived columns to a table's numbers, unless they are there."""
    made = DERIVED[rows.contract.name]
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in wanted:
            if name in made and name not in rows.numbers:
                rows.numbers[name] = made[name].make(rows)
