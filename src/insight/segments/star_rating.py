"""One to five stars: a score translated into the chance of what is wanted, cut at fixed chances."""

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

#: Outcomes of either kind below which a chance cannot be told.
MIN_OUTCOMES = 50


class StarSettings(TomlSection):
    """`[insight.stars]`: the chances from which a customer has 2, 3, 4 and 5 stars.

    `by` says what of: bringing more than the median buyer (`value`), staying (`churn`), or being
    content (`satisfaction`).
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
        text = json.dumps([self.scores, self.rates, self.chances])
        return hashlib.sha256(text.encode()).hexdigest()[:8]


def fit_star_scale(score: pd.Series, happened: pd.Series, settings: StarSettings) -> StarScale:
    """The scale learned from an earlier day's scores and what came of them (0 or 1).

    The chance rises with the score (isotonic regression). Raises DataRefused under 50 customers with
    the outcome or 50 without it.
    """
    from sklearn.isotonic import IsotonicRegression

    both = pd.DataFrame({"x": score, "y": happened}).dropna()
    yes = int(both["y"].sum())
    if min(yes, len(both) - yes) < MIN_OUTCOMES:
        raise DataRefused(
            f"of {len(both)} customers {yes} had the outcome; stars need {MIN_OUTCOMES} with it and {MIN_OUTCOMES} "
            "without: take a longer period or a commoner outcome"
        )
    fitted = IsotonicRegression(y_min=0, y_max=1).fit(
        both["x"].to_numpy(float), both["y"].to_numpy(float)
    )
    return StarScale(
        tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)),
        tuple(settings.chances),
    )  # fmt: skip


def calibrated_star_scale(settings: StarSettings) -> StarScale:
    """The scale of a score that is a calibrated probability itself."""
    return StarScale((0.0, 1.0), (0.0, 1.0), tuple(settings.chances))


def score_probability(score: pd.Series, scale: StarScale) -> pd.Series:
    """The chance a score stands for; NaN for no score."""
    return pd.Series(np.interp(score.to_numpy(float), scale.scores, scale.rates), score.index)


def assign_stars(score: pd.Series, scale: StarScale) -> pd.Series:
    """1 to 5 stars by the score's chance; missing for no score."""
    rate = score_probability(score, scale)
    number = 1 + np.searchsorted(np.array(scale.chances), rate.to_numpy(), side="right")
    return pd.Series(number, score.index, dtype="Int64").where(rate.notna())


def check_star_scale(score: pd.Series, happened: pd.Series, scale: StarScale) -> pd.DataFrame:
    """On later customers: a row a star with the chance told, and what came (95 % Wilson)."""
    from scipy.stats import binomtest

    given, told = assign_stars(score, scale), score_probability(score, scale)
    rows: list[tuple[float, ...]] = []
    for star in range(1, 6):
        mine = (given == star).fillna(False).astype(bool) & happened.notna()
        count, yes = int(mine.sum()), int(happened[mine].sum())
        if count:
            low, high = binomtest(yes, count).proportion_ci(0.95, "wilson")
            rows.append(
                (star, count, float(told[mine].mean()), yes / count, float(low), float(high))
            )
        else:
            rows.append((star, 0, *[np.nan] * 4))
    columns = ["stars", "customers", "told", "came", "low", "high"]
    return pd.DataFrame(rows, columns=columns).set_index("stars")
