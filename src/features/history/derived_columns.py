"""Derived columns, computed row by row: durations, lateness, scores on a common scale, comments.

Each depends on one row only, so it is the same in training, snapshot and request. It is revealed
with the last of its inputs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from features.history.history_table import NEVER, Floats, HistoryTable
from features.text.sentiment import score_sentiment
from features.text.topics import TOPICS, mentions_topic

HOUR = 3_600_000_000.0
#: The column that needs a fitted comment score model.
TONE = "tone"


@dataclass(frozen=True)
class DerivedColumn:
    """A derived column: the columns it needs, the time column that reveals it, its function and unit."""

    needs: tuple[str, ...]
    revealed_by: str | None
    compute: Callable[[HistoryTable], Floats]
    unit: str


def _hours(rows: HistoryTable, start: str, end: str) -> Floats:
    """Hours from one time to another; NaN where either is missing."""
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


def _by_comment(rows: HistoryTable, analyse: Callable[[tuple[str, ...]], Floats]) -> Floats:
    """A number for each comment, NaN without one; each distinct text is analysed once."""
    codes = rows.codes["comment"]
    by_word = analyse(rows.words["comment"])
    if not len(by_word):
        return np.full(len(codes), np.nan)
    return np.where(codes < 0, np.nan, by_word[np.maximum(codes, 0)])


def _sentiment(rows: HistoryTable) -> Floats:
    return _by_comment(rows, score_sentiment)


def _topic(name: str, rows: HistoryTable) -> Floats:
    return _by_comment(rows, partial(mentions_topic, name=name))


def _comment_score(rows: HistoryTable) -> Floats:
    """The predicted score of each comment, 0 to 100; NaN without a fitted model."""
    if rows.comment_model is None:
        return np.full(len(rows), np.nan)
    return _by_comment(rows, rows.comment_model.predict)


def _of_comments(revealed_by: str | None) -> dict[str, DerivedColumn]:
    """The columns derived from a table's comments: sentiment, predicted score and topics."""
    needs = ("comment",)
    return {
        "sentiment": DerivedColumn(needs, revealed_by, _sentiment, "-1 to 1"),
        TONE: DerivedColumn(needs, revealed_by, _comment_score, "points"),
        **{
            f"about_{name}": DerivedColumn(needs, revealed_by, partial(_topic, name), "flag")
            for name in TOPICS
        },
    }


DERIVED: dict[str, dict[str, DerivedColumn]] = {
    "customers": {},
    "events": {
        "lateness_days": DerivedColumn(("due_at",), None, _lateness, "days"),
        "overdue_days": DerivedColumn(("due_at",), None, _overdue, "days"),
        "late": DerivedColumn(("due_at",), None, _late, "share"),
    },
    "surveys": {
        "level": DerivedColumn(("score",), "answered_at", lambda r: _level(r, "score"), "points"),
        "expected_level": DerivedColumn(
            ("expectation",), "answered_at", lambda r: _level(r, "expectation"), "points"
        ),
        "gap": DerivedColumn(("score", "expectation"), "answered_at", _gap, "points"),
        **_of_comments("answered_at"),
        "answer_hours": DerivedColumn(
            ("answered_at",), "answered_at", lambda r: _hours(r, "sent_at", "answered_at"), "hours"
        ),
    },
    "tickets": {
        "reply_hours": DerivedColumn(
            ("first_reply_at",),
            "first_reply_at",
            lambda r: _hours(r, "opened_at", "first_reply_at"),
            "hours",
        ),
        "resolution_hours": DerivedColumn(
            ("closed_at",), "closed_at", lambda r: _hours(r, "opened_at", "closed_at"), "hours"
        ),
        **_of_comments(None),
    },
}


def add_derived_columns(rows: HistoryTable, wanted: Iterable[str | None]) -> None:
    """Add the wanted derived columns to a table's numbers, unless they are there already."""
    derived = DERIVED[rows.contract.name]
    with np.errstate(divide="ignore", invalid="ignore"):
        for name in wanted:
            if name in derived and name not in rows.numbers:
                rows.numbers[name] = derived[name].compute(rows)
