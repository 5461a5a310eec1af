"""The order in which customers are called: the most revenue at risk first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: What the order depends on, each with its column of the scores file.
PREDICTED = {
    "value": "value_expected", "churn": "churn_probability",
    "dissatisfied": "satisfaction_dissatisfied", "detractor": "nps_detractor",
}  # fmt: skip
#: Stages of those who are no customers, for companies whose churn is not predicted.
NO_CUSTOMERS = ("lost", "prospect")


@dataclass(frozen=True)
class RiskRanking:
    """Current customers in order: the rows of the scores, what each is sorted by, and its predictions.

    `amounts` are the expected value × the higher probability of churn or dissatisfaction; without one of
    the three predictions, that of the others. `predicted` has `value`, `churn` and `dissatisfied` where
    they are predicted. `by` names the order: `value_risk`, `any_churn`, ...: money or a probability, and
    which risk.
    """

    rows: NDArray[np.int64]
    amounts: Floats
    predicted: dict[str, Floats]
    by: str

    @property
    def is_money(self) -> bool:
        """Whether the amounts are money rather than probabilities."""
        return self.by.startswith("value")


def is_current(columns: Mapping[str, NDArray[Any]], rows: int) -> NDArray[np.bool_]:
    """Mask of current customers: the population of churn; where churn is not scored, by stage.

    Everybody where neither is known.
    """
    if "churn_in_population" in columns:
        return np.asarray(columns["churn_in_population"], np.bool_)
    if "stage" in columns:
        return ~np.isin(columns["stage"].astype(str), NO_CUSTOMERS)
    return np.ones(rows, np.bool_)


def rank_by_risk(columns: Mapping[str, NDArray[Any]], rows: int) -> RiskRanking:
    """Rank the current customers among the rows of a scores file; equal amounts keep their order."""
    current = np.flatnonzero(is_current(columns, rows))
    predicted = {
        short: np.asarray(columns[name], np.float64)[current]
        for short, name in PREDICTED.items() if name in columns
    }  # fmt: skip
    detractor = predicted.pop("detractor", None)
    if detractor is not None:
        predicted.setdefault("dissatisfied", detractor)
    risks = [name for name in ("churn", "dissatisfied") if name in predicted]
    amounts = np.ones(len(current))
    if risks:
        amounts = np.fmax.reduce([predicted[name] for name in risks])
    if "value" in predicted:
        amounts = amounts * np.maximum(predicted["value"], 0.0)
    risk = "risk" if len(risks) > 1 else risks[0] if risks else "only"
    order = np.argsort(-amounts, kind="stable")
    return RiskRanking(
        current[order], amounts[order], {n: v[order] for n, v in predicted.items()},
        f"{'value' if 'value' in predicted else 'any'}_{risk}",
    )  # fmt: skip
