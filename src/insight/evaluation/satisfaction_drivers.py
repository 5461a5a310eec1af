"""What overall satisfaction hangs on, from the answers of each customer."""

from typing import Any

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import (
    SatisfactionDrivers,
    IntervalEstimate,
    SatisfactionDriver,
)
from insight.satisfaction.drivers import ROWS_PER_DRIVER, analyse_drivers

OUTCOME = "overall"
#: Rows the library needs at the least.
FEWEST = 50
#: Service gaps taken as drivers, the widest first.
WORST_GAPS = 3


def summarise_drivers(asked: pd.DataFrame | None) -> SatisfactionDrivers:
    """The drivers of overall satisfaction: its dimensions and the widest service gaps.

    A row is a customer with the mean of his answers to each. `asked` is that of `ToldIndicators`.
    Dimensions too few answer together with the others are left out and told. Raises DataRefused where
    nobody was asked, overall satisfaction only, or too few answered more.
    """
    if asked is None:
        raise DataRefused("the company has no surveys; satisfaction is measured by asking")
    wide, weight = _wide(asked)
    names = [str(name) for name in wide if name != OUTCOME]
    if OUTCOME not in wide or not names:
        known = ", ".join(map(str, wide)) or "nothing"
        raise DataRefused(
            f"drivers need overall satisfaction and what goes into it; answers there are to {known}: "
            "ask for product, service, price, delivery, staff"
        )
    kept, left_out = _answered(wide)
    found = analyse_drivers(kept, OUTCOME, weight)
    told = [_driver(str(name), row) for name, row in found.table.iterrows()]
    return SatisfactionDrivers(
        outcome=OUTCOME, rows=found.rows, incomplete=found.incomplete, explained=found.explained,
        drivers=told, left_out=left_out,
    )  # fmt: skip


def _wide(asked: pd.DataFrame) -> tuple[pd.DataFrame, "pd.Series[float]"]:
    """A row a customer, a column a dimension; and the mean weight of his answers."""
    said = asked[asked["score"].notna()]
    csat = said[said["instrument"] == "csat"]
    wide = csat.pivot_table(index="customer_id", columns="dimension", values="score")
    served = said[(said["instrument"] == "servqual") & said["expectation"].notna()]
    if not served.empty:
        gaps = served.assign(gap=served["score"] - served["expectation"]).pivot_table(
            index="customer_id", columns="dimension", values="gap"
        )
        worst = gaps.mean().nsmallest(WORST_GAPS).index
        wide = wide.join(gaps[worst].add_prefix("gap: "))
    weight = csat.groupby("customer_id")["weight"].mean().reindex(wide.index)
    return wide.reset_index(drop=True).rename_axis(columns=None), weight.reset_index(drop=True)


def _answered(wide: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str]]:
    """The columns enough customers have all of: the least answered leave until they have."""
    kept, left_out = wide, {}
    while len(names := [c for c in kept if c != OUTCOME]) > 1:
        complete, need = len(kept.dropna()), max(FEWEST, ROWS_PER_DRIVER * len(names))
        if complete >= need:
            break
        heard = kept[names].count()
        rarest = str(heard.idxmin())
        left_out[rarest] = (
            f"{heard.min():,} customers answered it, {complete:,} of them all the others too; {need} "
            "are needed"
        )
        kept = kept.drop(columns=rarest)
    return kept, left_out


def _driver(name: str, row: "pd.Series[Any]") -> SatisfactionDriver:
    effect, importance, performance = (
        IntervalEstimate(value=row[n], low=row[f"{n}_low"], high=row[f"{n}_high"])
        for n in ("effect", "importance", "performance")
    )
    return SatisfactionDriver(
        name=name, effect=effect, importance=importance, performance=performance,
        quadrant=row["quadrant"], clear=bool(row["clear"]),
    )  # fmt: skip
