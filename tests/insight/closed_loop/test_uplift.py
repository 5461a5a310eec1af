"""Uplift on a log like Hillstrom's with known effects of a mail on visits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.closed_loop.uplift import measure_qini, plan_treatments, score_uplift

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def log(seed: int, n: int = 8000) -> tuple[Floats, Bools, Floats, Floats]:
    """A mail to a random half: it helps recent buyers and annoys loyal customers."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    base = 0.15 + 0.1 * (X[:, 1] > 0)
    gain = np.where(X[:, 0] > 0.5, 0.2, np.where(X[:, 0] < -0.5, -0.05, 0.02))
    treated = rng.random(n) < 0.5
    outcome = (rng.random(n) < base + gain * treated).astype(float)
    return outcome, treated, X, gain


def test_score_finds_customers_with_a_gain() -> None:
    outcome, treated, X, gain = log(0)
    score = score_uplift(outcome, treated, X)
    assert gain[score > np.quantile(score, 0.8)].mean() > 0.14
    assert gain[score < np.quantile(score, 0.2)].mean() < 0
    assert float(score.mean()) == pytest.approx(gain.mean(), abs=0.02)


def test_qini_of_true_learned_random_and_reversed_scores() -> None:
    outcome, treated, X, gain = log(1)
    random_score = np.random.default_rng(0).normal(size=len(X))
    true, chance, reverse = (measure_qini(s, outcome, treated) for s in (gain, random_score, -gain))
    learned = measure_qini(score_uplift(outcome, treated, X), outcome, treated)
    assert true.sorts
    assert learned.sorts
    assert chance.coefficient.low < 0 < chance.coefficient.high
    assert reverse.coefficient.high < 0
    assert learned.coefficient.value > 0.6 * true.coefficient.value


def test_coefficient_is_the_area_under_the_true_gains() -> None:
    """With known gains the curve is their cumulative sum, highest first."""
    outcome, treated, _, gain = log(2, 40_000)
    best = np.cumsum(np.sort(gain)[::-1]) / len(gain)
    area = float(np.mean(best - best[-1] * np.arange(1, len(gain) + 1) / len(gain)))
    found = measure_qini(gain, outcome, treated)
    assert found.coefficient.low < area < found.coefficient.high
    assert found.gains[-1] == pytest.approx(gain.mean(), abs=0.012)
    assert found.coefficient.value == pytest.approx(area, abs=0.006)


def test_curve_of_a_literal_log() -> None:
    """Treated and held out alternate; the first four contain the whole effect."""
    treated = np.array([1, 0, 1, 0, 1, 0, 1, 0], bool)
    outcome = np.array([1, 0, 1, 0, 0, 0, 1, 1], float)
    found = measure_qini(np.arange(8, 0, -1.0), outcome, treated, points=8)
    assert found.shares.tolist() == [index / 8 for index in range(9)]
    assert found.gains.tolist() == pytest.approx([0, 0.25, 0.25, 0.5, 0.5, 0.5, 0.5, 0.75, 0.5])


def test_a_small_log_is_refused() -> None:
    outcome, treated, X, _ = log(0, 900)
    with pytest.raises(DataRefused, match="takes at least 500 of each"):
        score_uplift(outcome, treated, X)


def test_budget_goes_to_the_highest_gain_per_cost() -> None:
    chosen = plan_treatments(np.array([5.0, 4.0, 1.0, -2.0]), np.array([10.0, 2.0, 2.0, 1.0]), 11.0)
    assert chosen.chosen.tolist() == [1, 2]  # 10 more would be 12
    assert (chosen.cost, chosen.gain) == (4.0, 5.0)


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0.5, 9)), min_size=1, max_size=30),
    st.floats(9, 60),
)
def test_a_plan_never_costs_more_and_never_harms(
    people: list[tuple[float, float]], budget: float
) -> None:
    score, cost = (np.array(column) for column in zip(*people, strict=True))
    found = plan_treatments(score, cost, budget)
    assert found.cost == pytest.approx(cost[found.chosen].sum())
    assert found.cost <= budget
    assert (score[found.chosen] > 0).all()


def test_a_budget_that_is_too_small_and_a_cost_of_zero_are_refused() -> None:
    with pytest.raises(DataRefused, match=r"a budget of 1 is too small.*costs 3"):
        plan_treatments(np.array([1.0]), np.array([3.0]), 1.0)
    with pytest.raises(DataRefused, match="lowest cost of an action is 0"):
        plan_treatments(np.array([1.0]), np.array([0.0]), 1.0)


def test_customers_with_equal_scores_are_taken_together() -> None:
    """With all treated customers first, their order must not act as a score."""
    outcome, treated, X, gain = log(4)
    by_group = np.argsort(~treated, kind="stable")
    same = measure_qini(np.zeros(len(X)), outcome[by_group], treated[by_group])
    assert same.coefficient.value == pytest.approx(0, abs=1e-12)
    two = (gain > 0.1).astype(float)
    shuffled = np.random.default_rng(0).permutation(len(X))
    first, other = (measure_qini(two[o], outcome[o], treated[o]) for o in (by_group, shuffled))
    assert first.coefficient.value == pytest.approx(other.coefficient.value)
    assert first.sorts


def test_missing_scores_and_a_log_of_treated_customers_only_are_refused() -> None:
    outcome, treated, X, _ = log(0, 600)
    holes = np.where(np.arange(600) < 2, np.nan, X[:, 0])
    with pytest.raises(DataRefused, match="2 of 600 customers have no score"):
        measure_qini(holes, outcome, treated)
    with pytest.raises(DataRefused, match="2 of 600 customers have no score"):
        plan_treatments(holes, np.ones(600), 10.0)
    with pytest.raises(DataRefused, match="600 of 600 customers were treated"):
        measure_qini(X[:, 0], outcome, np.ones(600, bool))
