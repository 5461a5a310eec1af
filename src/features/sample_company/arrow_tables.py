"""Conversion of weekly counts to rows: single occurrences, their times, typed Arrow columns."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.sample_company import parameters
from features.sample_company.parameters import BoolArray, FloatArray, IntArray
from features.sample_company.weekly_process import CustomerHistories

INSTANT = pa.timestamp("us", tz="UTC")
_START_SECONDS = int(parameters.START.timestamp())


@dataclass(frozen=True)
class Occurrences:
    """Single occurrences, ordered by customer and week.

    `position` counts from 0 to `size` - 1 within a customer's week; `day` is the time in days since
    `START`.
    """

    customer: IntArray
    week: IntArray
    position: IntArray
    size: IntArray
    day: FloatArray


def spread_counts(
    rng: np.random.Generator, histories: CustomerHistories, counts: IntArray
) -> Occurrences:
    """Spread (weeks, customers) counts uniformly over the part of the week each customer is active."""
    customers, weeks = np.nonzero(counts.T)
    size = counts[weeks, customers]
    first = np.repeat(np.cumsum(size) - size, size)
    customer, week = np.repeat(customers, size), np.repeat(weeks, size)
    begin, stop = histories.begin[week, customer], histories.stop[week, customer]
    day = begin + rng.random(len(week)) * (stop - begin)
    return Occurrences(customer, week, np.arange(len(week)) - first, np.repeat(size, size), day)


def mark_first(counts: IntArray, found: Occurrences) -> BoolArray:
    """Mark the first `counts[week, customer]` occurrences of each customer's week."""
    return found.position < counts[found.week, found.customer]


def mark_some(rng: np.random.Generator, counts: IntArray, found: Occurrences) -> BoolArray:
    """Mark the same number at a random offset, so that two kinds of marks are independent."""
    weeks, customers = counts.shape
    turn = (rng.random((weeks, customers)) * 1000).astype(np.int64)[found.week, found.customer]
    return (found.position + turn) % found.size < counts[found.week, found.customer]


def draw_booking_times(rng: np.random.Generator, day: FloatArray, share: float) -> FloatArray:
    """Draw when each row is recorded: at once, or for `share` of them hours to six days later."""
    late = rng.random(len(day)) < share
    wait = np.clip(rng.exponential(1.5, len(day)), 0.05, 6.0)
    return np.where(late, day + wait, day)


def to_timestamps(day: FloatArray) -> pa.Array:
    """Days since `START` as UTC timestamps of whole seconds; null where not finite."""
    known = np.isfinite(day)
    seconds = np.floor(np.where(known, day, 0.0) * 86400).astype(np.int64) + _START_SECONDS
    return pa.array(seconds * 1_000_000, pa.int64(), mask=~known).cast(INSTANT)


def keep_before(day: FloatArray, limit: FloatArray | float) -> FloatArray:
    """`day` if it is before `limit` and the end of the history, else NaN."""
    return np.where((day < limit) & (day < parameters.END_DAY), day, np.nan)


def choose_labels(choice: IntArray | BoolArray, vocabulary: tuple[str, ...]) -> pa.Array:
    """The label at each index of `choice`."""
    return pa.array(vocabulary, pa.string()).take(pa.array(choice.astype(np.int64)))


def format_ids(prefix: str, number: IntArray) -> pa.Array:
    """Identifiers such as `A0000042`."""
    digits = pc.utf8_lpad(pa.array(number).cast(pa.string()), width=7, padding="0")
    return pc.binary_join_element_wise(prefix, digits, "")


def number_or_null(values: FloatArray) -> pa.Array:
    """Numbers; null where NaN."""
    return pa.array(values, pa.float64(), mask=np.isnan(values))


def round_to_cents(amount: FloatArray) -> FloatArray:
    """Amounts rounded to cents."""
    return np.round(amount, 2)


def select_rows(columns: dict[str, pa.Array], chosen: BoolArray) -> pa.Table:
    """The table of the chosen rows."""
    return pa.table(columns).filter(pa.array(chosen))
