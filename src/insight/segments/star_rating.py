"""Star ratings, one to five: the probability of the desired outcome, cut at fixed probabilities."""

import hashlib
import json
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.toml_section import TomlSection
from features.errors import DataRefused

#: Customers with and without the outcome needed to fit probabilities.
MIN_OUTCOMES = 50


class StarSettings(TomlSection):
    """`[insight.stars]`: the probabilities from which a customer has 2, 3, 4 and 5 stars.

    `by` is the outcome: spending more than the median buyer (`value`), staying (`churn`), or being
    satisfied (`satisfaction`).
    """

    by: Literal["value", "churn", "satisfaction"] = "value"
    chances: list[float] = Field(default_factory=lambda: [0.2, 0.4, 0.6, 0.8])

    @model_validator(mode="after")
    def _rise(self) -> "StarSettings":
        inside = all(0 < c < 1 for c in self.chances)
        if len(self.chances) != 4 or not inside or any(a >= b for a, b in pairwise(self.chances)):
            raise ValueError(
                f"chances {self.chances} should be four rising numbers between 0 and 1, from which 2, "
                "3, 4 and 5 stars begin"
            )
        return self


@dataclass(frozen=True)
class StarScale:
    """A rising line from scores to chances, and the chances at which stars begin.

    `version` is worked out from all of it: stars with the same version mean the same.
    """

    scores: tuple[float, ...]
    rates: tuple[float, ...]
    chances: tuple[float, ...]

    @property
    def version(self) -> str:
        """Eight hexadecimal digits of the hash of the scale."""
        text = json.dumps([self.scores, self.rates, self.chances])
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def fit_star_scale(score: pd.Series, outcome: pd.Series, settings: StarSettings) -> StarScale:
    """Fit the scale to the scores of an earlier day and the outcomes since (0 or 1).

    The probability rises with the score (isotonic regression). Raises DataRefused under 50 customers
    with the outcome or 50 without it.
    """
    from sklearn.isotonic import IsotonicRegression

    both = pd.DataFrame({"x": score, "y": outcome}).dropna()
    yes = int(both["y"].sum())
    if min(yes, len(both) - yes) < MIN_OUTCOMES:
        raise DataRefused(
            f"of {len(both)} customers {yes} had the outcome; stars need {MIN_OUTCOMES} with it and "
            f"{MIN_OUTCOMES} without: take a longer period or a commoner outcome"
        )
    fitted = IsotonicRegression(y_min=0, y_max=1).fit(
        both["x"].to_numpy(float), both["y"].to_numpy(float)
    )
    return StarScale(
        tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)),
        tuple(settings.chances),
    )  # fmt: skip


def calibrated_star_scale(settings: StarSettings) -> StarScale:
    """Return the scale for a score that already is a calibrated probability."""
    return StarScale((0.0, 1.0), (0.0, 1.0), tuple(settings.chances))


def score_probability(score: pd.Series, scale: StarScale) -> pd.Series:
    """Return the probability of the outcome for each score; NaN for a missing score."""
    return pd.Series(np.interp(score.to_numpy(float), scale.scores, scale.rates), score.index)


def assign_stars(score: pd.Series, scale: StarScale) -> pd.Series:
    """Return 1 to 5 stars by the probability of the score; missing for a missing score."""
    probability = score_probability(score, scale)
    number = 1 + np.searchsorted(np.array(scale.chances), probability.to_numpy(), side="right")
    return pd.Series(number, score.index, dtype="Int64").where(probability.notna())


def check_star_scale(score: pd.Series, outcome: pd.Series, scale: StarScale) -> pd.DataFrame:
    """Compare predicted with observed outcomes on later customers: a row per star (95% Wilson)."""
    from scipy.stats import binomtest

    rating, predicted = assign_stars(score, scale), score_probability(score, scale)
    rows: list[tuple[float, ...]] = []
    for star in range(1, 6):
        matches = (rating == star).fillna(False).astype(bool) & outcome.notna()
        count, yes = int(matches.sum()), int(outcome[matches].sum())
        if count:
            low, high = binomtest(yes, count).proportion_ci(0.95, "wilson")
            rows.append(
                (
                    star,
                    count,
                    float(predicted[matches].mean()),
                    yes / count,
                    float(low),
                    float(high),
                )
            )
        else:
            rows.append((star, 0, *[np.nan] * 4))
    columns = ["stars", "customers", "predicted", "observed", "low", "high"]
    return pd.DataFrame(rows, columns=columns).set_index("stars")
