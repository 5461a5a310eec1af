"""Which reasons of a customer come first: those that worsen the most urgent prediction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol, TypeVar

#: The sign of an effect that worsens a prediction, by target, the most urgent target first.
WORSENS = {"churn": 1.0, "satisfaction": -1.0, "nps": -1.0}
#: Where only value is predicted, the effects that increase it.
INCREASES_VALUE = {"value": 1.0}


class Effect(Protocol):
    """A reason, with its effect on the score."""

    @property
    def effect(self) -> float | None: ...


Reason = TypeVar("Reason", bound=Effect)


def urgent_signs(targets: Collection[str]) -> dict[str, float]:
    """The sign of the effects that matter for a call, by target, where these targets are predicted."""
    return WORSENS if any(target in WORSENS for target in targets) else INCREASES_VALUE


def main_reason(reasons: Mapping[str, Sequence[Reason]]) -> Reason | None:
    """The strongest reason that worsens a prediction; if none does, the strongest of any sign.

    `reasons` are a customer's by target, the strongest first. Of equal rank, the more urgent target's.
    """
    ordered = [
        (rank, place, sign * (reason.effect or 0.0) > 0, reason)
        for place, (target, sign) in enumerate(urgent_signs(reasons).items())
        for rank, reason in enumerate(reasons.get(target, ()))
    ]
    ordered.sort(key=lambda found: (not found[2], found[0], found[1]))
    return ordered[0][3] if ordered else None
