"""Satisfaction metrics: each gives one value per question, or per customer and period."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from insight.satisfaction.satisfaction_settings import SatisfactionSettings


@dataclass(frozen=True)
class SatisfactionMetric:
    """A metric: the rows it applies to, and the value of each (NaN: asked without an answer).

    `source`: computed from the questions (`asked`) or the customers by period. `kind`: a `rate` is the
    share of values that are 1, a `mean` their mean, a `count` the mean number of events per `scale`
    customers. `bounds` are the ends of the values. `remedy`: what to do if there is no data.
    """

    title: str
    unit: str
    kind: Literal["rate", "mean", "count"]
    source: Literal["asked", "customers"]
    applies_to: Callable[[pd.DataFrame], "pd.Series[bool]"]
    value: Callable[[pd.DataFrame, SatisfactionSettings], "pd.Series[Any]"]
    per_dimension: bool = False
    remedy: str = "ask this question in a survey, or map its instrument and dimension"
    bounds: tuple[float, float] | None = None
    scale: float = 1.0

    def compute(self, rows: pd.DataFrame, settings: SatisfactionSettings) -> pd.DataFrame:
        """Return the rows the metric applies to with their `value`; `weight` is 1 if there is none."""
        kept = rows[self.applies_to(rows)]
        weight = kept.get("weight", 1.0)
        return kept.assign(value=self.value(kept, settings).astype(float), weight=weight)


def _is_overall(instrument: str) -> Callable[[pd.DataFrame], "pd.Series[bool]"]:
    return lambda rows: (rows["instrument"] == instrument) & (rows["dimension"] == "overall")


def _is_dimension(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Return which questions are about a dimension other than overall satisfaction."""
    return (rows["instrument"] == "csat") & (rows["dimension"] != "overall")


def asks_expectation(rows: pd.DataFrame) -> "pd.Series[bool]":
    """Return which questions ask what was expected beside what was perceived, as SERVQUAL does.

    Those of the instrument servqual, and those of any other instrument where somebody answered both.
    """
    servqual = rows["instrument"] == "servqual"
    if rows.empty or "expectation" not in rows:
        return servqual
    pairs = rows["expectation"].notna() & rows["score"].notna()
    return servqual | pairs.groupby([rows["instrument"], rows["dimension"]]).transform("any")


def _to_rate(score: "pd.Series[float]", mark: "pd.Series[bool]") -> "pd.Series[float]":
    """Return 1 and 0, missing without an answer."""
    return mark.astype(float).where(score.notna())


def _nps(rows: pd.DataFrame, settings: SatisfactionSettings) -> "pd.Series[float]":
    ten = (rows["score"] / 10).round(9)  # rounding errors must not miss a cut point
    points = np.select(
        [ten >= settings.promoters_from, ten <= settings.detractors_to], [100.0, -100.0], 0.0
    )
    return pd.Series(points, rows.index).where(rows["score"].notna())  # fmt: skip


def _effort(rows: pd.DataFrame, settings: SatisfactionSettings) -> "pd.Series[float]":
    return 100.0 - rows["score"] if settings.effort_low_is_easy else rows["score"]


def _is_customer(rows: pd.DataFrame) -> "pd.Series[bool]":
    return rows["stood"]


SATISFACTION_METRICS = {
    "csat_index": SatisfactionMetric(
        "Satisfaction index", "0 to 10", "mean", "asked", _is_overall("csat"),
        lambda r, c: r["score"] / 10, bounds=(0.0, 10.0),
    ),
    "satisfied": SatisfactionMetric(
        "Satisfied customers", "share of answers", "rate", "asked", _is_overall("csat"),
        lambda r, c: _to_rate(r["score"], r["score"] >= c.satisfied_from),
    ),
    "dimension": SatisfactionMetric(
        "Satisfaction by dimension", "0 to 100", "mean", "asked", _is_dimension,
        lambda r, c: r["score"], per_dimension=True, bounds=(0.0, 100.0),
    ),
    "nps": SatisfactionMetric(
        "Net promoter score", "-100 to 100", "mean", "asked", _is_overall("nps"), _nps,
        bounds=(-100.0, 100.0),
    ),
    "effort": SatisfactionMetric(
        "Customer effort (100: no effort)", "0 to 100", "mean", "asked", _is_overall("ces"), _effort,
        bounds=(0.0, 100.0),
    ),
    "gap": SatisfactionMetric(
        "Service gap, perception less expectation", "-100 to 100", "mean", "asked",
        asks_expectation,
        lambda r, c: r["score"] - r["expectation"], per_dimension=True, bounds=(-100.0, 100.0),
    ),
    "retention": SatisfactionMetric(
        "Customers kept over the period", "share of customers", "rate", "customers",
        _is_customer,
        lambda r, c: r["stays"],
        remedy="without contracts it takes targets.churn.active_days of data before a period ends",
    ),
    "active": SatisfactionMetric(
        "Customers active in the period", "share of customers", "rate", "customers",
        _is_customer,
        lambda r, c: r["active"], remedy="map orders, logins or visits (active_kinds)",
    ),
    "called_back": SatisfactionMetric(
        "Customers called or visited in the period", "share of customers", "rate", "customers",
        _is_customer,
        lambda r, c: r["called"], remedy="map visits or calls (callback_kinds)",
    ),
    "complaint": SatisfactionMetric(
        "Customers who complained in the period", "share of customers", "rate", "customers",
        _is_customer,
        lambda r, c: _to_rate(r["complaints"], r["complaints"] > 0), remedy="map tickets",
    ),
    "complaints_per_100": SatisfactionMetric(
        "Complaints per 100 customers", "complaints", "count", "customers", _is_customer,
        lambda r, c: 100.0 * r["complaints"], remedy="map tickets", scale=100.0,
    ),
    "repurchase": SatisfactionMetric(
        "Buyers who bought on a second day of the period", "share of buyers", "rate", "customers",
        lambda r: r["order_days"] > 0, lambda r, c: r["order_days"] > 1,
        remedy="map events of kind order",
    ),
    "loyalty": SatisfactionMetric(
        "Buyers who bought in each of the last periods", "share of buyers known so long", "rate",
        "customers", lambda r: (r["order_days"] > 0) & r["known"].fillna(False).astype(bool),
        lambda r, c: r["loyal"],
        remedy="map events of kind order, over more than loyal_periods periods",
    ),
}  # fmt: skip
