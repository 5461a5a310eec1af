"""Plausible feedback: the bounds that a company's own events set, and the rule an event breaks.

The bounds follow from a high quantile, so that a few typing errors in the table do not widen them.
Quantiles are counted in logarithmic steps of 2.3%: exact ones would need all values in memory.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from features.config.company import as_utc
from features.config.feedback_settings import FeedbackSettings

#: The share of the company's values that the bound is a multiple of.
QUANTILE = 0.99
#: Fewest values of a kind to judge by that kind alone, and of all kinds to judge at all.
LEAST = 30
#: The largest plausible values where the company has too few of its own.
LARGEST = {"amount": 1e12, "quantity": 1e9}
#: Steps of the logarithm to base 10 in which values are counted.
STEPS = 100
#: An event may lie this far before the company's first, and after it was received.
MARGIN = timedelta(days=366)


class BrokenRule(NamedTuple):
    """The rule that an event breaks, and the value that breaks it."""

    rule: str
    value: str


@dataclass(frozen=True)
class PlausibleFeedback:
    """The bounds of plausible feedback: the largest values by column and kind, and the earliest time.

    `usual` are the bounds by column for kinds that the company's table does not hold. Quantities are
    negative only in kinds where the table has negative ones, such as returns.
    """

    largest: Mapping[tuple[str, str], float] = field(default_factory=dict)
    usual: Mapping[str, float] = field(default_factory=lambda: LARGEST)
    negative: frozenset[str] = frozenset()
    earliest: datetime | None = None

    def broken_rule(
        self, event: Mapping[str, Any], occurred: datetime | None, received: datetime
    ) -> BrokenRule | None:
        """The first rule that an event breaks, None for a plausible event."""
        if occurred is None:
            return BrokenRule("occurred_at: not a time with an offset", str(event["occurred_at"]))
        if self.earliest and occurred < self.earliest:
            return BrokenRule("occurred_at: long before the company's events", str(occurred))
        if occurred > received + MARGIN:
            return BrokenRule("occurred_at: more than a year after it was received", str(occurred))
        kind = str(event["kind"])
        for column in ("amount", "quantity"):
            value = event.get(column)
            if value is None:
                continue
            if not math.isfinite(value):
                return BrokenRule(f"{column}: not a finite number", f"{value:g}")
            if abs(value) > self.bound(column, kind):
                return BrokenRule(f"{column}: implausibly large", f"{value:g}")
            if column == "quantity" and value < 0 and kind not in self.negative:
                return BrokenRule("quantity: negative", f"{value:g}")
        return None

    def bound(self, column: str, kind: str) -> float:
        """The largest plausible value of a column in events of a kind."""
        return self.largest.get((column, kind), self.usual[column])


def learn_plausibility(
    con: duckdb.DuckDBPyConnection, settings: FeedbackSettings
) -> PlausibleFeedback:
    """Learn the bounds from the company's own events, `good_events`; settings override them."""
    largest: dict[tuple[str, str], float] = {}
    usual: dict[str, float] = {}
    fixed = {"amount": settings.largest_amount, "quantity": settings.largest_quantity}
    for column, given in fixed.items():
        if given is not None:
            usual[column] = given
            continue
        kinds, usual[column] = _largest_by_kind(con, column, settings.plausible_multiple)
        largest |= {(column, kind): value for kind, value in kinds.items()}
    negative = con.execute("select distinct kind from good_events where quantity < 0").fetchall()
    first = (
        con.sql("select min(occurred_at) as m from good_events").to_arrow_table()["m"][0].as_py()
    )
    earliest = as_utc(settings.earliest) if settings.earliest else first and as_utc(first) - MARGIN
    return PlausibleFeedback(largest, usual, frozenset(row[0] for row in negative), earliest)


def _largest_by_kind(
    con: duckdb.DuckDBPyConnection, column: str, multiple: float
) -> tuple[dict[str, float], float]:
    """The largest plausible value of a column by kind, and for kinds that the table does not hold."""
    counted = con.execute(
        f"select kind, ceil({STEPS} * log10(abs({column})))::int as step, count(*) from good_events "
        f"where {column} <> 0 and isfinite({column}) group by 1, 2 order by 2, 1"
    ).fetchall()
    every = [(step, rows) for _, step, rows in counted]
    enough = sum(rows for _, rows in every) >= LEAST
    usual = multiple * _high_value(every, QUANTILE) if enough else LARGEST[column]
    by_kind: dict[str, list[tuple[int, int]]] = {}
    for kind, step, rows in counted:
        by_kind.setdefault(kind, []).append((step, rows))
    found = {}
    for kind, steps in by_kind.items():
        if sum(rows for _, rows in steps) >= LEAST:
            found[kind] = multiple * _high_value(steps, QUANTILE)
        else:  # too few for a quantile, but the kind may be larger than the usual one
            found[kind] = max(usual, multiple * _high_value(steps, 1.0))
    return found, usual


def _high_value(steps: Sequence[tuple[int, int]], share: float) -> float:
    """The upper end of the step below which at least this share of the values lies."""
    needed, seen = share * sum(rows for _, rows in steps), 0
    for step, rows in steps:
        seen += rows
        if seen >= needed:
            return float(10.0 ** (step / STEPS))
    raise ValueError("no values to take a quantile of")
