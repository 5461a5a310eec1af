"""Check whether the predictions for one customer are consistent across targets.

Each target has its own model. Within a target the outputs are consistent by construction (class
probabilities sum to 1, a survival curve never rises and meets the churn probability, a prediction
interval contains its prediction). Across targets they can contradict each other; this counts how often,
and a model that contradicts another for too many customers does not replace one that serves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Satisfaction and recommendation contradict each other when they are further apart than this on a
#: common scale of 0 to 100, after matching mean and standard deviation.
MAX_DISTANCE = 50.0
#: Models that contradict each other for more than this share of the customers do not serve together.
MAX_SHARE = 0.25


@dataclass(frozen=True)
class ConsistencyCheck:
    """One way for two predictions to contradict each other, with the number of customers affected."""

    name: str
    bound: str
    customers: int
    contradictions: int

    @property
    def share(self) -> float:
        """The share of the checked customers whose predictions contradict each other."""
        return self.contradictions / self.customers if self.customers else 0.0


def consistency_objection(checks: Iterable[ConsistencyCheck]) -> str | None:
    """Why models should not serve together, or None: the first check with too many contradictions."""
    for check in checks:
        if check.share > MAX_SHARE:
            return (
                f"{check.name} contradict each other for {check.share:.0%} of {check.customers:,} "
                f"customers, {MAX_SHARE:.0%} at most should: {check.bound}"
            )
    return None


def check_consistency(
    outputs: Mapping[str, Mapping[str, NDArray[Any]]],
    level: Floats | None = None,
    silence: bool = False,
) -> list[ConsistencyCheck]:
    """Run the checks that the targets in `outputs` allow, over all customers together.

    `outputs[target][name]` is as returned by `predict`; `level` is each customer's usual spending
    over the horizon of value, given only when churn has the same horizon. `silence`: churn is silence
    over that horizon, so that who leaves spends nothing.
    """
    found = []
    if {"satisfaction", "nps"} <= outputs.keys():
        found.append(_satisfaction_and_nps(outputs["satisfaction"], outputs["nps"]))
    if {"churn", "value"} <= outputs.keys() and level is not None:
        compare = _silence_and_value if silence else _churn_and_value
        found.append(compare(outputs["churn"], outputs["value"], level))
    return found


def _satisfaction_and_nps(
    satisfaction: Mapping[str, NDArray[Any]], nps: Mapping[str, NDArray[Any]]
) -> ConsistencyCheck:
    score = np.asarray(satisfaction["score"], np.float64)
    index = 50.0 + 50.0 * (nps["promoter"] - nps["detractor"])
    apart = np.abs(_rescale(index, score) - score)
    return ConsistencyCheck(
        "satisfaction and recommendation",
        f"at most {MAX_DISTANCE:.0f} of 100 points apart on a common scale",
        len(score),
        int((apart > MAX_DISTANCE).sum()),
    )


def _rescale(values: Floats, like: Floats) -> Floats:
    """Rescale values to the mean and standard deviation of others."""
    if not len(values):
        return values
    spread = values.std()
    if spread == 0:
        return np.full(len(values), like.mean())
    return np.asarray(like.mean() + (values - values.mean()) * like.std() / spread)


def _churn_and_value(
    churn: Mapping[str, NDArray[Any]], value: Mapping[str, NDArray[Any]], level: Floats
) -> ConsistencyCheck:
    # a model of an older version has no prediction interval to compare with
    inside = np.asarray(churn["in_population"], bool) & ~np.isnan(value["low"])
    spent = ((1.0 - churn["probability"]) * level)[inside]
    apart = (spent < value["low"][inside]) | (spent > value["high"][inside])
    return ConsistencyCheck(
        "churn and value",
        "the chance of staying times the usual spend lies in the range of value",
        int(inside.sum()),
        int(apart.sum()),
    )


def _silence_and_value(
    churn: Mapping[str, NDArray[Any]], value: Mapping[str, NDArray[Any]], _level: Floats
) -> ConsistencyCheck:
    """Who is silent spends nothing: an interval above 0 or of nothing says how likely that is."""
    inside = np.asarray(churn["in_population"], bool) & ~np.isnan(value["low"])
    leaves, low = (v[inside] for v in (churn["probability"], value["low"]))
    nothing = (value["high"] <= np.maximum(value["expected"], value["typical"]))[inside]
    apart = ((low > 0) & (leaves > 0.5)) | ((low <= 0) & nothing & (leaves < 0.5))
    return ConsistencyCheck(
        "churn and value",
        "whose value is above 0 at the lower end of its range stays rather than leaves, and whose range "
        "is nothing leaves rather than stays",
        int(inside.sum()),
        int(apart.sum()),
    )
