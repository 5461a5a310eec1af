"""Stars: fixed chances, learned from scores, held by later customers."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from features.errors import DataRefused
from insight.segments.star_rating import (
    StarSettings,
    calibrated_star_scale,
    score_probability,
    check_star_scale,
    fit_star_scale,
    assign_stars,
)

SETTINGS = StarSettings()


def world(seed: int, count: int = 6000) -> tuple[pd.Series, pd.Series]:
    """The chance is the square of the score over 100."""
    rng = np.random.default_rng(seed)
    score = pd.Series(rng.uniform(0, 100, count))
    return score, (pd.Series(rng.random(count)) < (score / 100) ** 2).astype(float)


def test_a_probability_is_cut_where_it_says() -> None:
    score = pd.Series([0.0, 0.19, 0.2, 0.5, 0.79, 0.8, 1.0, np.nan])
    assert assign_stars(score, calibrated_star_scale(SETTINGS)).tolist() == [1, 1, 2, 3, 4, 5, 5, pd.NA]


def test_the_chance_behind_a_score_is_learned() -> None:
    scale = fit_star_scale(*world(0), SETTINGS)
    told = score_probability(pd.Series([20.0, 50, 90]), scale)
    assert told.tolist() == pytest.approx([0.04, 0.25, 0.81], abs=0.05)
    rising = assign_stars(pd.Series(np.linspace(0, 100, 50)), scale)
    assert rising.is_monotonic_increasing
    assert set(rising) == {1, 2, 3, 4, 5}


def test_later_customers_come_as_told() -> None:
    table = check_star_scale(*world(1), fit_star_scale(*world(0), SETTINGS))
    assert (table["low"] - 0.02 <= table["told"]).all()
    assert (table["told"] <= table["high"] + 0.02).all()
    assert table["came"].is_monotonic_increasing
    assert table["customers"].sum() == 6000


def test_an_empty_star_is_shown() -> None:
    few = check_star_scale(pd.Series([0.1, 0.9]), pd.Series([0.0, 1.0]), calibrated_star_scale(SETTINGS))
    assert few["customers"].tolist() == [1, 0, 0, 0, 1]


def test_the_version_tells_scales_apart() -> None:
    scale = fit_star_scale(*world(0), SETTINGS)
    assert scale.version == fit_star_scale(*world(0), SETTINGS).version
    assert scale.version != fit_star_scale(*world(1), SETTINGS).version
    other = StarSettings(chances=[0.1, 0.4, 0.6, 0.8])
    assert scale.version != fit_star_scale(*world(0), other).version


def test_refused() -> None:
    score, happened = world(0, 200)
    with pytest.raises(DataRefused, match=r"of 200 customers 0 had the outcome; stars need 50"):
        fit_star_scale(score, happened * 0, SETTINGS)
    for wrong in ([0.2, 0.4, 0.6], [0.4, 0.2, 0.6, 0.8], [0.0, 0.4, 0.6, 0.8]):
        with pytest.raises(ValidationError, match="four rising numbers"):
            StarSettings(chances=wrong)
