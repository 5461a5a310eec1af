"""Drivers of overall satisfaction, estimated from the answers of each customer."""

from typing import Any

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import SatisfactionDriver, SatisfactionDrivers
from insight.evaluation.indicator_schema import IntervalEstimate
from insight.satisfaction.drivers import ROWS_PER_DRIVER, analyse_drivers
from insight.satisfaction.missing_answers import describe_answers
from insight.satisfaction.responses import NO_SURVEYS

NO_ANSWERS = "no question was answered in a whole period"
OUTCOME = "overall"
#: Smallest number of rows that `insight.satisfaction.drivers` accepts.
MIN_ROWS = 50
#: Number of service gaps to include, the widest first.
WORST_GAPS = 3


def summarise_drivers(asked: pd.DataFrame | None, no_questions: str = "") -> SatisfactionDrivers:
    """Estimate the drivers of overall satisfaction: its dimensions and the widest service gaps.

    A row is a customer with the mean of their answers by dimension. `asked` and `no_questions`, the
    reason for no questions, are those of `IndicatorResults`. Dimensions that too few customers answer
    together with the others are left out with the reason. Raises DataRefused without surveys, without
    dimensions, or with too few answers.
    """
    if asked is None or (no_questions and not asked["score"].notna().any()):
        raise DataRefused(no_questions or NO_SURVEYS)
    wide, weight = _wide(asked)
    names = [str(name) for name in wide if name != OUTCOME]
    if OUTCOME not in wide or not names:
        known = describe_answers(asked)
        there = f"there are answers on {known}" if known else NO_ANSWERS
        raise DataRefused(
            f"drivers need answers on overall satisfaction and its dimensions; {there}: ask about "
            "product, service, price, delivery and staff"
        )
    kept, left_out = _drop_rare(wide)
    found = analyse_drivers(kept, OUTCOME, weight)
    found_drivers = [_driver(str(name), row) for name, row in found.table.iterrows()]
    return SatisfactionDrivers(
        outcome=OUTCOME, rows=found.rows, incomplete=found.incomplete, explained=found.explained,
        drivers=found_drivers, left_out=left_out,
    )  # fmt: skip


def _wide(asked: pd.DataFrame) -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """One row per customer, one column per dimension; and the mean weight of their answers."""
    answered = asked[asked["score"].notna()]
    csat = answered[answered["instrument"] == "csat"]
    wide = csat.pivot_table(index="customer_id", columns="dimension", values="score")
    # The perception of a csat question is a driver itself already.
    served = answered[(answered["instrument"] != "csat") & answered["expectation"].notna()]
    if not served.empty:
        gaps = served.assign(gap=served["score"] - served["expectation"]).pivot_table(
            index="customer_id", columns="dimension", values="gap"
        )
        worst = gaps.mean().nsmallest(WORST_GAPS).index
        wide = wide.join(gaps[worst].add_prefix("gap: "))
    weight = csat.groupby("customer_id")["weight"].mean().reindex(wide.index)
    return wide.reset_index(drop=True).rename_axis(columns=None), weight.reset_index(drop=True)


def _drop_rare(wide: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """Drop the least answered dimensions until enough customers answered all that remain."""
    kept, left_out = wide, {}
    while len(names := [c for c in kept if c != OUTCOME]) > 1:
        complete, need = len(kept.dropna()), max(MIN_ROWS, ROWS_PER_DRIVER * len(names))
        if complete >= need:
            break
        answers = kept[names].count()
        rarest = str(answers.idxmin())
        left_out[rarest] = (
            f"{answers.min():,} customers answered it, {complete:,} of them all the others too; {need} "
            "are needed"
        )
        kept = kept.drop(columns=rarest)
    return kept, left_out


def _driver(name: str, row: "pd.Series[Any]") -> SatisfactionDriver:
    effect, importance, performance = (
        _estimate(row[n], row[f"{n}_low"], row[f"{n}_high"])
        for n in ("effect", "importance", "performance")
    )
    return SatisfactionDriver(
        name=name, effect=effect, importance=importance, performance=performance,
        quadrant=row["quadrant"], clear=bool(row["clear"]),
    )  # fmt: skip


def _estimate(value: float, low: float, high: float) -> IntervalEstimate:
    """The value with its interval, which has no ends where it has no width: a single driver's share."""
    return (
        IntervalEstimate(value=value)
        if low == high
        else IntervalEstimate(value=value, low=low, high=high)
    )
