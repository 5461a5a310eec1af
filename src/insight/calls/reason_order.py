"""Which reasons of a customer come first: those that worsen the risk that they are listed for."""

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

#: The sign of an effect that worsens a prediction, by target, the most urgent target first.
WORSENS = {"churn": 1.0, "satisfaction": -1.0, "nps": -1.0}
#: Where only value is predicted, the effects that increase it.
INCREASES_VALUE = {"value": 1.0}
#: The targets that predict each risk.
CHURN, DISSATISFACTION = ("churn",), ("satisfaction", "nps")


class Effect(Protocol):
    """A reason, with its effect on the score."""

    @property
    def effect(self) -> float | None: ...


Reason = TypeVar("Reason", bound=Effect)


def urgent_signs(targets: Collection[str]) -> dict[str, float]:
    """The sign of the effects that matter for a call, by target, where these targets are predicted."""
    return WORSENS if any(target in WORSENS for target in targets) else INCREASES_VALUE


def listed_risk(churn: float | None, dissatisfied: float | None) -> tuple[str, ...]:
    """The targets of the higher of two probabilities, which a customer's amount at risk is made of.

    A probability that is None or NaN counts as 0; churn, where both are equal.
    """
    leaves, unhappy = (
        0.0 if p is None or math.isnan(p) else p for p in (churn, dissatisfied)
    )  # fmt: skip
    return DISSATISFACTION if unhappy > leaves else CHURN


def main_reason(
    reasons: Mapping[str, Sequence[Reason]], first: Collection[str] = ()
) -> Reason | None:
    """The strongest reason that worsens a prediction; None if none does.

    `reasons` are a customer's by target, the strongest first; those of the targets in `first` come
    before the others. Of equal rank, the more urgent target's.
    """
    ordered = [
        (target not in first, rank, place, reason)
        for place, (target, sign) in enumerate(urgent_signs(reasons).items())
        for rank, reason in enumerate(reasons.get(target, ()))
        if sign * (reason.effect or 0.0) > 0
    ]
    ordered.sort(key=lambda found: found[:3])
    return ordered[0][3] if ordered else None
