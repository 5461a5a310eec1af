"""Attributable fraction against potential outcomes, a hand calculation and g-computation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.complaints.attributable_fraction import (
    Attribution,
    ComparisonRows,
    estimate_attribution,
)

Bools = NDArray[np.bool_]


def simulate_rows(
    seed: int, n: int = 3000, effect: float = 0.2, ties: int = 1
) -> tuple[ComparisonRows, Bools, float]:
    """Customers whose confounders drive exposure and outcome; the true attributable fraction."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n // ties, 3)).repeat(ties, axis=0)
    exposed = rng.random(n) < 1 / (1 + np.exp(1.2 - X[:, 0] - 0.5 * X[:, 1]))
    without = 1 / (1 + np.exp(1.5 - 0.9 * X[:, 0] + 0.4 * X[:, 2]))
    chance = np.minimum(without + effect * exposed, 1.0)
    outcome = (rng.random(n) < chance).astype(float)
    customer = np.arange(n // ties).repeat(ties)
    true = float((chance - without).sum() / chance.sum())
    return ComparisonRows(outcome, X, np.ones(n), customer), exposed, true


def test_the_adjusted_effect_is_unbiased_and_the_naive_one_is_not() -> None:
    rows, exposed, true = simulate_rows(1, 40_000)
    found = estimate_attribution(rows, exposed)
    assert found.share.value == pytest.approx(true, abs=0.02)
    assert found.effect.value == pytest.approx(0.195, abs=0.02)  # capped at 1 for some rows
    assert found.naive_effect > found.effect.value + 0.08
    assert found.certain


def test_intervals_cover_95_percent() -> None:
    held = 0
    for seed in range(20):
        rows, exposed, true = simulate_rows(seed, 1000, ties=2)
        interval = estimate_attribution(rows, exposed, seed=seed).share
        held += interval.low <= true <= interval.high
    assert held >= 16  # fewer of 20 have a probability of 1 in 400 at 95%


def test_a_cause_without_effect_is_rarely_certain() -> None:
    wrong = sum(
        estimate_attribution(*simulate_rows(seed, 1000, effect=0.0)[:2]).certain
        for seed in range(20)
    )
    assert wrong <= 4


def test_one_binary_confounder_matches_a_hand_calculation() -> None:
    """Exposed and unexposed rows are compared within each level."""
    cells = {(0, 0): (600, 60), (0, 1): (200, 60), (1, 0): (200, 80), (1, 1): (600, 360)}
    x, exposed, outcome = [], [], []
    for (level, cause), (n, cases) in cells.items():
        x += [level] * n
        exposed += [cause] * n
        outcome += [1.0] * cases + [0.0] * (n - cases)
    rows = ComparisonRows(
        np.array(outcome), np.array(x, float)[:, None], np.ones(1600), np.arange(1600)
    )
    found = estimate_attribution(rows, np.array(exposed, bool))
    excess = 200 * (0.3 - 0.1) + 600 * (0.6 - 0.4)
    assert found.effect.value == pytest.approx(excess / 800, abs=0.005)
    assert found.share.value == pytest.approx(excess / 560, abs=0.008)
    assert found.naive_effect == pytest.approx(420 / 800 - 140 / 800)
    ratio = (420 / 800) / (420 / 800 - excess / 800)
    assert found.e_value == pytest.approx(ratio + (ratio * (ratio - 1)) ** 0.5, abs=0.05)


def test_g_computation_with_statsmodels_agrees() -> None:
    import statsmodels.api as sm

    rows, exposed, _ = simulate_rows(3, 8000)
    design = sm.add_constant(rows.confounders)
    fitted = sm.GLM(rows.outcome[~exposed], design[~exposed], family=sm.families.Binomial()).fit()
    excess = (rows.outcome - fitted.predict(design))[exposed].sum()
    assert estimate_attribution(rows, exposed).share.value == pytest.approx(
        excess / rows.outcome.sum(), abs=0.02
    )


def test_repeated_rows_of_a_customer_do_not_narrow_the_interval() -> None:
    rows, exposed, _ = simulate_rows(5, 2000)
    twice = ComparisonRows(*(np.repeat(a, 2, axis=0) for a in (rows.outcome, rows.confounders, rows.weight, rows.customer)))  # fmt: skip  # noqa: E501
    alone = estimate_attribution(rows, exposed).share
    again = estimate_attribution(twice, np.repeat(exposed, 2)).share
    assert again.high - again.low == pytest.approx(alone.high - alone.low, rel=0.15)


def test_ineligible_rows_are_cases_but_not_compared() -> None:
    rows, exposed, _ = simulate_rows(7, 4000)
    eligible = np.arange(4000) < 2000
    exposed &= eligible
    found = estimate_attribution(rows, exposed, eligible)
    inner: Attribution = estimate_attribution(rows.select(eligible), exposed[eligible])
    part = rows.outcome[eligible].sum() / rows.outcome.sum()
    assert found.effect.value == pytest.approx(inner.effect.value)
    assert found.share.value == pytest.approx(inner.share.value * part)
    assert found.exposed == pytest.approx(exposed.mean())


def test_too_few_rows_are_refused_with_their_number() -> None:
    rows, exposed, _ = simulate_rows(1, 500)
    few = np.zeros(500, bool)
    few[:7] = True
    with pytest.raises(DataRefused, match="7 rows with the cause; a comparison takes 30"):
        estimate_attribution(rows, few)
    with pytest.raises(DataRefused, match="7 rows without it"):
        estimate_attribution(rows, ~few)
    clean = ComparisonRows(
        np.where(exposed, rows.outcome, 0.0), rows.confounders, rows.weight, rows.customer
    )
    with pytest.raises(DataRefused, match="0 cases without the cause"):
        estimate_attribution(clean, exposed)
