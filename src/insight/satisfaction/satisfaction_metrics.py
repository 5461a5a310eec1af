"""The figures of customer satisfaction: each is a value per question asked or customer and period."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from insight.satisfaction.satisfaction_settings import Satisfaction

Rows = pd.DataFrame


@dataclass(frozen=True)
class Measure:
    """A figure: the rows it is about, and the value of each (NaN: asked without an answer).

    `source`: made of the questions asked or of the customers by period. `kind`: a `rate` is the
    share of values that are 1, a `mean` their mean. `remedy`: what to do where it has no data.
    """

    title: str
    unit: str
    kind: Literal["rate", "mean"]
    source: Literal["asked", "customers"]
    about: Callable[[Rows], "pd.Series[bool]"]
    value: Callable[[Rows, Satisfaction], "pd.Series[Any]"]
    per_dimension: bool = False
    remedy: str = "ask the question, or leave the figure out"

    def of(self, rows: Rows, choices: Satisfaction) -> Rows:
        """The rows the figure is about with their `value`; `weight` is 1 where rows have none."""
        kept = rows[self.about(rows)]
        weight = kept.get("weight", 1.0)
        return kept.assign(value=self.value(kept, choices).astype(float), weight=weight)


def _question(instrument: str) -> Callable[[Rows], "pd.Series[bool]"]:
    return lambda rows: (rows["instrument"] == instrument) & (rows["dimension"] == "overall")


def _dimensions(rows: Rows) -> "pd.Series[bool]":
    """What is asked beside overall satisfaction, which is the index."""
    return (rows["instrument"] == "csat") & (rows["dimension"] != "overall")


def _gaps(rows: Rows) -> "pd.Series[bool]":
    return rows["instrument"] == "servqual"


def _marked(score: "pd.Series[float]", mark: "pd.Series[bool]") -> "pd.Series[float]":
    """1 and 0, missing where there is no answer."""
    return mark.astype(float).where(score.notna())


def _nps(rows: Rows, choices: Satisfaction) -> "pd.Series[float]":
    ten = (rows["score"] / 10).round(9)  # 0.1 + 0.2 and the like must not miss a cut point
    points = np.select(
        [ten >= choices.promoters_from, ten <= choices.detractors_to], [100.0, -100.0], 0.0
    )
    return pd.Series(points, rows.index).where(rows["score"].notna())  # fmt: skip


def _effort(rows: Rows, choices: Satisfaction) -> "pd.Series[float]":
    return 100.0 - rows["score"] if choices.effort_low_is_easy else rows["score"]


def _stood(rows: Rows) -> "pd.Series[bool]":
    return rows["stood"]


MEASURES = {
    "csat_index": Measure(
        "Satisfaction index", "0 to 10", "mean", "asked", _question("csat"),
        lambda r, c: r["score"] / 10,
    ),
    "satisfied": Measure(
        "Satisfied customers", "share of answers", "rate", "asked", _question("csat"),
        lambda r, c: _marked(r["score"], r["score"] >= c.satisfied_from),
    ),
    "dimension": Measure(
        "Satisfaction by dimension", "0 to 100", "mean", "asked", _dimensions,
        lambda r, c: r["score"], per_dimension=True,
    ),
    "nps": Measure(
        "Net promoter score", "-100 to 100", "mean", "asked", _question("nps"), _nps,
    ),
    "effort": Measure(
        "Customer effort (100: no effort)", "0 to 100", "mean", "asked", _question("ces"), _effort,
    ),
    "gap": Measure(
        "Service gap, perception less expectation", "-100 to 100", "mean", "asked",
        _gaps,
        lambda r, c: r["score"] - r["expectation"], per_dimension=True,
    ),
    "retention": Measure(
        "Customers kept over the period", "share of customers", "rate", "customers", _stood,
        lambda r, c: r["stays"],
        remedy="without contracts it takes customer_days of data before a period ends",
    ),
    "active": Measure(
        "Customers active in the period", "share of customers", "rate", "customers", _stood,
        lambda r, c: r["active"], remedy="map orders, logins or visits (active_kinds)",
    ),
    "called_back": Measure(
        "Customers called or visited in the period", "share of customers", "rate", "customers", _stood,
        lambda r, c: r["called"], remedy="map visits or calls (callback_kinds)",
    ),
    "complaint": Measure(
        "Customers who complained in the period", "share of customers", "rate", "customers", _stood,
        lambda r, c: _marked(r["complaints"], r["complaints"] > 0), remedy="map tickets",
    ),
    "complaints_per_100": Measure(
        "Complaints per 100 customers", "complaints", "mean", "customers", _stood,
        lambda r, c: 100.0 * r["complaints"], remedy="map tickets",
    ),
    "repurchase": Measure(
        "Buyers who bought on a second day of the period", "share of buyers", "rate", "customers",
        lambda r: r["order_days"] > 0, lambda r, c: r["order_days"] > 1,
        remedy="map events of kind order",
    ),
    "loyalty": Measure(
        "Buyers who bought in each of the last periods", "share of buyers known so long", "rate",
        "customers", lambda r: (r["order_days"] > 0) & r["known"].fillna(False).astype(bool),
        lambda r, c: r["loyal"],
        remedy="map events of kind order, over more than loyal_periods periods",
    ),
}  # fmt: skip
