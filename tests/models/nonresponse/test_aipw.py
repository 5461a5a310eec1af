"""The AIPW mean against literal values, direct formulas and simulated truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.nonresponse.aipw import AipwInputs, aipw_mean, clustered_standard_error, respondent_mean

ONES = np.ones(4)
ALONE = np.arange(4)


def test_weighted_residuals_are_added_to_the_mean_prediction() -> None:
    inputs = AipwInputs(
        observed=np.array([100.0, 0.0, -1.0, -1.0]),  # the last two did not answer
        predicted=np.array([80.0, 10.0, 40.0, 30.0]),
        weight=np.array([1.0, 3.0, 0.0, 0.0]),
        base_weight=ONES,
        customer=ALONE,
    )
    # Mean prediction 40; residuals +20 and -10, weighted 1 : 3.
    assert aipw_mean(inputs).value == pytest.approx(40.0 + (20.0 - 30.0) / 4)


def test_respondent_mean_uses_answers_only() -> None:
    found = respondent_mean(np.array([10.0, 30.0, 99.0]), np.array([1.0, 3.0, 0.0]), np.arange(3))
    assert found.value == pytest.approx(25.0)
    assert found.low < 25.0 < found.high


def test_standard_error_of_a_plain_mean_equals_the_textbook_formula() -> None:
    observed = np.random.default_rng(0).normal(size=50)
    found = respondent_mean(observed, np.ones(50), np.arange(50))
    assert found.error == pytest.approx(observed.std(ddof=1) / np.sqrt(50))


def test_two_answers_of_a_customer_count_once_in_the_standard_error() -> None:
    observed = np.random.default_rng(1).normal(size=60)
    once = respondent_mean(observed, np.ones(60), np.arange(60))
    twice = respondent_mean(np.repeat(observed, 2), np.ones(120), np.repeat(np.arange(60), 2))
    assert twice.error == pytest.approx(once.error)


def test_one_customer_has_no_standard_error() -> None:
    assert np.isinf(clustered_standard_error(np.array([0.5, -0.5]), np.array([3, 3])))
    result = respondent_mean(np.array([1.0, 0.0]), np.ones(2), np.zeros(2, np.int64)).to_dict()
    assert result == {"value": 0.5, "error": None, "low": None, "high": None}


@given(st.integers(0, 1000), st.floats(0.2, 5.0), st.floats(-50, 50))
def test_estimate_is_equivariant_to_scale_and_shift(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    observed, predicted = rng.normal(size=(2, 30))
    weight = rng.uniform(0.5, 2, 30) * (np.arange(30) % 3 > 0)
    rows = (weight, np.ones(30), np.arange(30) // 2)
    plain = aipw_mean(AipwInputs(observed, predicted, *rows))
    moved = aipw_mean(AipwInputs(scale * observed + shift, scale * predicted + shift, *rows))
    assert moved.value == pytest.approx(scale * plain.value + shift)
    assert moved.error == pytest.approx(scale * plain.error)


def draw_answers(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    """Cause, answers, response propensity and respondents; the cause drives answer and propensity."""
    cause = rng.normal(size=rows)
    observed = 50 + 10 * cause + rng.normal(0, 5, rows)
    propensity = 1 / (1 + np.exp(1.0 - cause))
    return cause, observed, propensity, rng.random(rows) < propensity


@pytest.mark.parametrize("right", ["both", "outcome", "propensity"])
def test_one_correct_model_is_enough(right: str) -> None:
    cause, observed, propensity, answered = draw_answers(np.random.default_rng(3), 40_000)
    predicted = 50 + 10 * cause if right != "propensity" else np.full(len(cause), 20.0)
    assumed = propensity if right != "outcome" else np.full(len(cause), 0.5)
    weight = np.where(answered, 1 / assumed, 0.0)
    found = aipw_mean(
        AipwInputs(observed, predicted, weight, np.ones(len(observed)), np.arange(len(observed)))
    )
    assert abs(respondent_mean(observed, 1.0 * answered, np.arange(len(observed))).value - 50) > 3
    assert abs(found.value - 50) < 0.4


def test_intervals_have_their_nominal_coverage() -> None:
    rng = np.random.default_rng(4)
    covered = 0
    for _ in range(400):
        cause, observed, propensity, answered = draw_answers(rng, 400)
        weight = np.where(answered, 1 / propensity, 0.0)
        rows = (weight, np.ones(400), np.arange(400))
        found = aipw_mean(AipwInputs(observed, 48 + 9 * cause, *rows))
        covered += found.low <= 50 <= found.high
    assert 0.91 < covered / 400 < 0.98
