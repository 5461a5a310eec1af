"""Inverse probability weights of the respondents, their effective sample size, covariate balance."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.feature_encoder import Encoder, split_informative

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Propensities are clipped here, so that a respondent represents at most about 40 invitations.
LOWEST_PROPENSITY = 0.025


@dataclass(frozen=True)
class IpwWeights:
    """The weight of each invitation, 0 without an answer; `propensity` is clipped.

    Stabilised: response rate / propensity, so that the mean weight of an answer is about 1.
    `clipped` counts the invitations whose propensity was raised to `LOWEST_PROPENSITY`.
    """

    propensity: Floats
    weight: Floats
    clipped: int

    @property
    def effective_size(self) -> float:
        """The effective sample size: as precise as this number of equal weights (Kish 1965)."""
        squares = float((self.weight**2).sum())
        return float(self.weight.sum()) ** 2 / squares if squares else 0.0


@dataclass(frozen=True)
class CovariateBalance:
    """Standardised mean differences between respondents and all invitations, per feature.

    In standard deviations over all invitations, before and after weighting.
    """

    columns: tuple[str, ...]
    before: Floats
    after: Floats

    def worst(self, count: int) -> list[tuple[str, float, float]]:
        """The features that differ most before weighting, with both differences."""
        order = np.argsort(-np.abs(self.before), kind="stable")[:count]
        return [(self.columns[i], float(self.before[i]), float(self.after[i])) for i in order]


def stabilised_weights(answered: Mask, propensity: Floats, weight: Floats) -> IpwWeights:
    """Clipped inverse propensities times `weight`, the survey's own weights."""
    clipped = np.maximum(propensity, LOWEST_PROPENSITY)
    rate = float(np.average(answered, weights=weight))
    return IpwWeights(
        propensity=clipped,
        weight=np.where(answered, weight * rate / clipped, 0.0),
        clipped=int((propensity < LOWEST_PROPENSITY).sum()),
    )


def covariate_balance(
    features: pa.Table, weight: Floats, answered: Floats, weighted: Floats
) -> CovariateBalance:
    """Compare all invitations (`weight`) with respondents, unweighted (`answered`) and `weighted`.

    A missing number is imputed with the mean; being missing is a feature of its own.
    """
    kept, _ = split_informative(features)
    encoder = Encoder.fit(features, kept)
    matrix = encoder.encode(features)
    names: list[str] = []
    differences: list[tuple[float, float]] = []
    for i, name in enumerate(encoder.columns):
        for label, values in _numeric_columns(name, matrix[:, i], encoder.categories.get(name)):
            mean = np.average(values, weights=weight)
            spread = float(np.sqrt(np.average((values - mean) ** 2, weights=weight)))
            if spread > 0:
                names.append(label)
                before, after = (
                    (np.average(values, weights=w) - mean) / spread for w in (answered, weighted)
                )
                differences.append((float(before), float(after)))
    both = np.array(differences).reshape(-1, 2)
    return CovariateBalance(tuple(names), both[:, 0], both[:, 1])


def _numeric_columns(
    name: str, values: Floats, categories: tuple[str, ...] | None
) -> list[tuple[str, Floats]]:
    """A column as numbers: an indicator per category, or the value and a missing indicator."""
    if categories is not None:
        return [(f"{name} = {c}", (values == i).astype(float)) for i, c in enumerate(categories)]
    missing = np.isnan(values)
    columns = [(name, np.where(missing, np.nanmean(values), values))]
    return [*columns, (f"{name} missing", missing.astype(float))] if missing.any() else columns
