"""Effect of an action on planted data: hold-out with CUPED, matched, or not identifiable."""

import numpy as np
import pytest
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.closed_loop.holdout_effect import NOT_IDENTIFIABLE, estimate_holdout_effect
from insight.closed_loop.matching import estimate_matched_effect

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def experiment(
    seed: int, n: int = 1000, effect: float = 5.0, randomised: bool = True
) -> tuple[Floats, Bools, Floats]:
    """Spend correlated with earlier spend; treatment is random, or likelier with more earlier spend."""
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(n, 2))
    chance = 0.5 if randomised else 1 / (1 + np.exp(-before[:, 0]))
    treated = rng.random(n) < chance
    outcome = 100 + 20 * before[:, 0] + effect * treated + 10 * rng.normal(size=n)
    return outcome, treated, before


def test_covariates_narrow_the_interval() -> None:
    outcome, treated, before = experiment(1)
    sharp = estimate_holdout_effect(outcome, treated, before).effect
    blunt = estimate_holdout_effect(outcome, treated, before[:, :0]).effect
    assert sharp is not None
    assert blunt is not None
    assert sharp.low < 5 < sharp.high
    assert (blunt.high - blunt.low) / (sharp.high - sharp.low) == pytest.approx(5**0.5, rel=0.1)


def test_effect_equals_cuped() -> None:
    """Theta is covariance over variance; the group means of the residuals are compared."""
    outcome, treated, before = experiment(2, 20_000)
    x = before[:, 0]
    theta = np.cov(outcome, x)[0, 1] / np.var(x)
    left = outcome - theta * (x - x.mean())
    found = estimate_holdout_effect(outcome, treated, before[:, :1])
    assert found.effect is not None
    assert found.effect.value == pytest.approx(
        left[treated].mean() - left[~treated].mean(), abs=0.02
    )
    assert found.sharper == pytest.approx(0.8, abs=0.01)
    assert found.verdict == "raises the outcome"


def test_without_covariates_the_interval_is_welchs() -> None:
    from scipy.stats import ttest_ind

    outcome, treated, before = experiment(3)
    found = estimate_holdout_effect(outcome, treated, before[:, :0]).effect
    assert found is not None
    welch = ttest_ind(outcome[treated], outcome[~treated], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=0.02)


@pytest.mark.parametrize("effect", [0.0, 5.0])
def test_intervals_have_95_percent_coverage(effect: float) -> None:
    held = 0
    for seed in range(100):
        found = estimate_holdout_effect(*experiment(seed, 300, effect)).effect
        held += found is not None and found.low <= effect <= found.high
    assert held >= 88


def test_at_most_5_percent_of_actions_without_effect_get_a_verdict() -> None:
    """Of 200, 10 are expected; more than 18 would come in one of 200 runs."""
    verdicts = [estimate_holdout_effect(*experiment(seed, 200, 0.0)).verdict for seed in range(200)]
    assert sum(verdict != "no effect seen" for verdict in verdicts) <= 18


def test_no_hold_out_group_is_not_identifiable() -> None:
    outcome, treated, before = experiment(1)
    found = estimate_holdout_effect(outcome, np.ones_like(treated), before)
    assert found.effect is None
    assert found.verdict == NOT_IDENTIFIABLE
    assert "nobody to compare with" in found.note


def test_a_tiny_hold_out_group_is_not_identifiable() -> None:
    outcome, treated, before = experiment(1)
    treated[:] = True
    treated[:8] = False
    found = estimate_holdout_effect(outcome, treated, before)
    assert found.note == "992 treated and 8 held out; a comparison takes 50 of each"


def test_a_hold_out_group_that_is_not_random_is_detected() -> None:
    found = estimate_holdout_effect(*experiment(1, randomised=False))
    assert found.effect is None
    assert "not assigned at random" in found.note
    estimated = [
        estimate_holdout_effect(*experiment(seed)).effect is not None for seed in range(50)
    ]
    assert all(estimated)


def test_matching_removes_recorded_confounding() -> None:
    outcome, treated, before = experiment(4, 4000, randomised=False)
    found = estimate_matched_effect(outcome, treated, before)
    assert found.naive is not None
    assert found.effect is not None
    assert found.naive > 15
    assert found.effect.low < 5 < found.effect.high
    assert found.effect.high - found.effect.low < 4
    assert found.design == "matched"


def test_matched_intervals_cover_the_truth() -> None:
    held = 0
    for seed in range(20):
        found = estimate_matched_effect(
            *experiment(seed, 800, 0.0, randomised=False), seed=seed
        ).effect
        held += found is not None and found.low <= 0 <= found.high
    assert held >= 16


def test_without_comparable_customers_the_effect_is_not_identifiable() -> None:
    outcome, _, before = experiment(5)
    found = estimate_matched_effect(outcome, before[:, 0] > 0, before)
    assert found.effect is None
    assert "have no comparable untreated" in found.note
    few = estimate_matched_effect(outcome, np.arange(1000) < 9, before)
    assert few.note == "9 treated and 991 others; a comparison takes 50 of each"


def test_a_constant_outcome_is_not_identifiable() -> None:
    _, treated, before = experiment(1)
    for outcome in (np.zeros(len(treated)), np.full(len(treated), 0.1)):
        for found in (
            estimate_holdout_effect(outcome, treated, before),
            estimate_matched_effect(outcome, treated, before),
        ):
            assert found.verdict == NOT_IDENTIFIABLE
            assert found.note.startswith(f"the outcome is {outcome[0]:g} for every customer")


def test_missing_outcomes_are_refused() -> None:
    outcome, treated, before = experiment(1)
    outcome[:3] = np.nan
    for effect in (estimate_holdout_effect, estimate_matched_effect):
        with pytest.raises(DataRefused, match="3 of 1,000 outcomes are missing"):
            effect(outcome, treated, before)


def test_a_covariate_equal_to_treatment_is_detected_as_not_random() -> None:
    outcome, treated, _ = experiment(1)
    found = estimate_holdout_effect(outcome, treated, treated.astype(float)[:, None])
    assert found.verdict == NOT_IDENTIFIABLE
    assert "not assigned at random" in found.note


def test_skewed_spend_does_not_produce_false_effects() -> None:
    """Log-normal spend, 60 per group: HC1 intervals would miss the truth in 12 of 100 cases."""
    wrong = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        before = rng.lognormal(3, 1.2, 120)
        treated = np.arange(120) < 60
        outcome = before * rng.lognormal(0, 0.5, 120)
        wrong += (
            estimate_holdout_effect(outcome, treated, before[:, None]).verdict != "no effect seen"
        )
    assert wrong / 300 < 0.09
