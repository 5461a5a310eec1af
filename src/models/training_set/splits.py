"""Split by time, so that the label windows of test and training rows never overlap.

With label windows `[cutoff + gap, cutoff + gap + horizon)` and `span = gap + horizon`, a row is in
`fit` when `cutoff + span <= first validation cutoff`, in `refit` when `cutoff + span <= first test
cutoff`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.config.company import CutoffCalendar, TargetConfig, as_utc
from features.errors import DataRefused
from features.history.history_table import DAY
from models.targets.target import Target
from models.training_set.customer_holdout import share_start

Mask = NDArray[np.bool_]
#: Share of the answers before the test that is used for validation (satisfaction, nps).
VALID_SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """Row masks: `fit` trains, `valid` stops early and calibrates, `test` evaluates.

    `refit` has all rows whose labels are mature before the test, including `fit` and `valid`.
    """

    fit: Mask
    valid: Mask
    test: Mask
    refit: Mask
    valid_start: datetime
    test_start: datetime


def calendar_cutoffs(
    calendar: CutoffCalendar, span_days: int, start: datetime, end: datetime, target: str
) -> list[datetime]:
    """The cutoffs of a calendar with mature labels, oldest first; the last one is the test.

    Monthly steps keep the day of the month. Raises DataRefused when the history is too short for a
    fit, a validation and a test cutoff with disjoint label windows.
    """
    span = timedelta(days=span_days)
    last = as_utc(calendar.test_cutoff) if calendar.test_cutoff else end - span
    first = (
        as_utc(calendar.first_cutoff)
        if calendar.first_cutoff
        else start + timedelta(days=calendar.warmup_days)
    )
    if last + span > end:
        raise DataRefused(
            f"target {target}: the label of calendar.test_cutoff {last:%Y-%m-%d} is mature on "
            f"{last + span:%Y-%m-%d}, but the data end on {end:%Y-%m-%d}; take an earlier cutoff"
        )
    found = [last]
    while (earlier := _back(last, len(found), calendar.every)) >= first:
        found.append(earlier)
    found.reverse()
    valid = [c for c in found if c + span <= last]
    if not valid or not any(c + span <= valid[-1] for c in found):
        have = (end - start).days
        warmup = (first - start).days
        raise DataRefused(
            f"target {target}: the history of {have} days ({start:%Y-%m-%d} to {end:%Y-%m-%d}) is "
            f"too short for a horizon of {span_days} days: {warmup} days of warm-up and three label "
            f"windows need {warmup + 3 * span_days} days; shorten targets.{target}."
            "horizon_days or bring a longer history"
        )
    return found


def _back(last: datetime, steps: int, every: str) -> datetime:
    if every == "week":
        return last - timedelta(days=7 * steps)
    months = steps * (3 if every == "quarter" else 1)
    return (pd.Timestamp(last) - pd.DateOffset(months=months)).to_pydatetime()


def split_by_time(target: Target, config: TargetConfig, cutoff: NDArray[np.int64]) -> Split:
    """Split the rows of a target by their cutoffs, the test last."""
    span = target.span_days(config)
    if config.is_snapshot:
        return split_customers(cutoff, config.test_share)
    if target.on_calendar:
        return split_calendar(cutoff, span)
    return split_answers(cutoff, span, config.test_share, config.test_from)


def split_customers(cutoff: NDArray[np.int64], test_share: float) -> Split:
    """Test a share of the customers, validate on a fifth of the others, fit on the rest."""
    test_start = share_start(cutoff, test_share)
    valid_start = share_start(cutoff, test_share + VALID_SHARE * (1 - test_share))
    return Split(
        fit=cutoff < valid_start,
        valid=(cutoff >= valid_start) & (cutoff < test_start),
        test=cutoff >= test_start,
        refit=cutoff < test_start,
        valid_start=instant(valid_start),
        test_start=instant(test_start),
    )


def split_calendar(cutoff: NDArray[np.int64], span_days: int) -> Split:
    """Test on the last cutoff, validate on the last one mature before it, fit on the ones before."""
    span = span_days * DAY
    distinct = np.unique(cutoff)
    test = distinct[-1]
    before = distinct[distinct + span <= test]
    if not len(before):
        raise DataRefused(f"no cutoff is mature {span_days} days before the test cutoff")
    return _split(cutoff, span, valid_start=before[-1], valid_end=before[-1] + 1, test_start=test)


def split_answers(
    cutoff: NDArray[np.int64],
    span_days: int,
    test_share: float,
    test_from: datetime | None = None,
) -> Split:
    """Test on the last share of the answers in time, validate on the last fifth mature before.

    With `test_from`, test on the answers to questions sent from then on.
    """
    span = span_days * DAY
    test_start = int(np.quantile(cutoff, 1.0 - test_share, method="lower"))
    if test_from:
        test_start = _checked_start(cutoff, test_from)
    before = cutoff[cutoff + span <= test_start]
    if not len(before):
        raise DataRefused(
            f"all {len(cutoff)} answers lie within {span_days} days before the test; "
            "bring a longer history or a smaller horizon_days"
        )
    valid_start = int(np.quantile(before, 1.0 - VALID_SHARE, method="lower"))
    return _split(cutoff, span, valid_start, int(test_start - span) + 1, test_start)


def _checked_start(cutoff: NDArray[np.int64], test_from: datetime) -> int:
    """The moment of `test_from` in microseconds; raises DataRefused when no answer follows it."""
    start = microseconds(test_from)
    if not (cutoff >= start).any():
        raise DataRefused(
            f"no answer to a question sent from test_from, {as_utc(test_from):%Y-%m-%d}, on; the last "
            f"question with a mature answer was sent on {instant(int(cutoff.max())):%Y-%m-%d}"
        )
    return start


def _split(
    cutoff: NDArray[np.int64], span: int, valid_start: int, valid_end: int, test_start: int
) -> Split:
    return Split(
        fit=cutoff + span <= valid_start,
        valid=(cutoff >= valid_start) & (cutoff < valid_end),
        test=cutoff >= test_start,
        refit=cutoff + span <= test_start,
        valid_start=instant(valid_start),
        test_start=instant(test_start),
    )


def instant(microseconds: int) -> datetime:
    """Microseconds since 1970 as an instant in UTC."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(microseconds))


def microseconds(moment: datetime) -> int:
    """An instant as microseconds since 1970."""
    return int((as_utc(moment) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
