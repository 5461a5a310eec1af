"""Stars: fixed probabilities, fitted from scores, calibrated on later customers."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from features.errors import DataRefused
from insight.segments.star_rating import (
    StarSettings,
    assign_stars,
    calibrated_star_scale,
    check_star_scale,
    fit_star_scale,
    score_probability,
)

SETTINGS = StarSettings()


def simulate_scores(seed: int, count: int = 6000) -> tuple[pd.Series, pd.Series]:
    """The probability is the square of score / 100."""
    rng = np.random.default_rng(seed)
    score = pd.Series(rng.uniform(0, 100, count))
    return score, (pd.Series(rng.random(count)) < (score / 100) ** 2).astype(float)


def test_a_probability_is_cut_at_the_settings() -> None:
    score = pd.Series([0.0, 0.19, 0.2, 0.5, 0.79, 0.8, 1.0, np.nan])
    assert assign_stars(score, calibrated_star_scale(SETTINGS)).tolist() == [
        1,
        1,
        2,
        3,
        4,
        5,
        5,
        pd.NA,
    ]


def test_the_probability_of_a_score_is_fitted() -> None:
    scale = fit_star_scale(*simulate_scores(0), SETTINGS)
    predicted = score_probability(pd.Series([20.0, 50, 90]), scale)
    assert predicted.tolist() == pytest.approx([0.04, 0.25, 0.81], abs=0.05)
    rising = assign_stars(pd.Series(np.linspace(0, 100, 50)), scale)
    assert rising.is_monotonic_increasing
    assert set(rising) == {1, 2, 3, 4, 5}


def test_outcomes_of_later_customers_match_the_prediction() -> None:
    table = check_star_scale(*simulate_scores(1), fit_star_scale(*simulate_scores(0), SETTINGS))
    assert (table["low"] - 0.02 <= table["predicted"]).all()
    assert (table["predicted"] <= table["high"] + 0.02).all()
    assert table["observed"].is_monotonic_increasing
    assert table["customers"].sum() == 6000


def test_an_empty_star_has_a_row() -> None:
    few = check_star_scale(
        pd.Series([0.1, 0.9]), pd.Series([0.0, 1.0]), calibrated_star_scale(SETTINGS)
    )
    assert few["customers"].tolist() == [1, 0, 0, 0, 1]


def test_the_version_identifies_the_scale() -> None:
    scale = fit_star_scale(*simulate_scores(0), SETTINGS)
    assert scale.version == fit_star_scale(*simulate_scores(0), SETTINGS).version
    assert scale.version != fit_star_scale(*simulate_scores(1), SETTINGS).version
    other = StarSettings(chances=[0.1, 0.4, 0.6, 0.8])
    assert scale.version != fit_star_scale(*simulate_scores(0), other).version


def test_too_few_outcomes_and_invalid_settings_are_refused() -> None:
    score, outcome = simulate_scores(0, 200)
    with pytest.raises(DataRefused, match=r"of 200 customers 0 had the outcome; stars need 50"):
        fit_star_scale(score, outcome * 0, SETTINGS)
    for wrong in ([0.2, 0.4, 0.6], [0.4, 0.2, 0.6, 0.8], [0.0, 0.4, 0.6, 0.8]):
        with pytest.raises(ValidationError, match="four rising numbers"):
            StarSettings(chances=wrong)
