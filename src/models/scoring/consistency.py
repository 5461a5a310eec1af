"""Whether the predictions of one customer agree with each other.

Each target has a model of its own. Within a target the numbers agree by construction (class
probabilities sum to 1, a survival curve never rises and meets the churn probability, a range holds
its prediction). Across targets they can contradict each other; here it is counted how often they do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Satisfaction and recommendation contradict each other when their places on a common scale of 0
#: to 100 (after levelling mean and spread) are further apart than this.
MOST_APART = 50.0


@dataclass(frozen=True)
class ConsistencyCheck:
    """One way in which two predictions can contradict each other, and for how many they do."""

    name: str
    bound: str
    customers: int
    contradictions: int

    @property
    def share(self) -> float:
        """The share of the customers concerned whose predictions contradict each other."""
        return self.contradictions / self.customers if self.customers else 0.0


def check_consistency(
    outputs: Mapping[str, Mapping[str, NDArray[Any]]], level: Floats | None = None
) -> list[ConsistencyCheck]:
    """The checks that the targets in `outputs` allow, over all customers scored together.

    `outputs[target][name]` as `models.bundles.predict.predict` gives them; `level` is what each
    customer is used to spending over the horizon of value, where churn has the same horizon.
    """
    found = []
    if {"satisfaction", "nps"} <= outputs.keys():
        found.append(_satisfaction_and_nps(outputs["satisfaction"], outputs["nps"]))
    if {"churn", "value"} <= outputs.keys() and level is not None:
        found.append(_churn_and_value(outputs["churn"], outputs["value"], level))
    return found


def _satisfaction_and_nps(
    satisfaction: Mapping[str, NDArray[Any]], nps: Mapping[str, NDArray[Any]]
) -> ConsistencyCheck:
    score = np.asarray(satisfaction["score"], np.float64)
    index = 50.0 + 50.0 * (nps["promoter"] - nps["detractor"])
    apart = np.abs(_levelled(index, score) - score)
    return ConsistencyCheck(
        "satisfaction and recommendation",
        f"at most {MOST_APART:.0f} of 100 points apart on a common scale",
        len(score),
        int((apart > MOST_APART).sum()),
    )


def _levelled(values: Floats, like: Floats) -> Floats:
    """Values with the mean and the spread of others."""
    if not len(values):
        return values
    spread = values.std()
    if spread == 0:
        return np.full(len(values), like.mean())
    return np.asarray(like.mean() + (values - values.mean()) * like.std() / spread)


def _churn_and_value(
    churn: Mapping[str, NDArray[Any]], value: Mapping[str, NDArray[Any]], level: Floats
) -> ConsistencyCheck:
    # a model of an older version has no range to compare with
    inside = np.asarray(churn["in_population"], bool) & ~np.isnan(value["low"])
    spent = ((1.0 - churn["probability"]) * level)[inside]
    apart = (spent < value["low"][inside]) | (spent > value["high"][inside])
    return ConsistencyCheck(
        "churn and value",
        "the chance of staying times the usual spend lies in the range of value",
        int(inside.sum()),
        int(apart.sum()),
    )
