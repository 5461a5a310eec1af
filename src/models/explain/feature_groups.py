"""Factors instead of columns: what one feature says over its windows counts as one reason."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.definitions.feature_registry import FeatureColumn

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class FeatureGroups:
    """The columns of a model, grouped: `members` are the places of each factor's columns."""

    names: tuple[str, ...]
    members: tuple[Ints, ...]

    @classmethod
    def of(cls, columns: Sequence[str], known: Mapping[str, FeatureColumn]) -> "FeatureGroups":
        """Columns of one declared feature, and one value of it, are a factor; others go alone."""
        grouped: dict[str, list[int]] = {}
        for place, name in enumerate(columns):
            factor = known[name].factor if name in known else ""
            grouped.setdefault(factor or name, []).append(place)
        return cls(tuple(grouped), tuple(np.array(places) for places in grouped.values()))

    def totals(self, parts: Floats) -> Floats:
        """What each factor adds (n, factors), of what each column adds (n, k)."""
        return np.column_stack([parts[:, places].sum(axis=1) for places in self.members])

    def speakers(self, parts: Floats, totals: Floats) -> Ints:
        """The column that speaks for each factor (n, factors): the largest part of its sign."""
        signs = np.where(totals < 0, -1.0, 1.0)
        return np.column_stack(
            [
                places[(parts[:, places] * signs[:, [i]]).argmax(axis=1)]
                for i, places in enumerate(self.members)
            ]
        )


def strongest_groups(totals: Floats, top: int) -> Ints:
    """The places of the factors that moved each row most (n, top), strongest first."""
    return np.argsort(-np.abs(totals), axis=1, kind="stable")[:, :top]
