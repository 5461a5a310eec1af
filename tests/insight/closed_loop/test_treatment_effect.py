"""The effect of an action: by hold-out with CUPED, matched, or not identifiable; on planted truth."""

import numpy as np
import pytest
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.closed_loop.matching import estimate_matched_effect
from insight.closed_loop.treatment_effect import NOT_IDENTIFIABLE, estimate_holdout_effect

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def trial(
    seed: int, n: int = 1000, effect: float = 5.0, lot: bool = True
) -> tuple[Floats, Bools, Floats]:
    """Spend that goes with former spend; who is treated is drawn by lot, or spent more before."""
    rng = np.random.default_rng(seed)
    before = rng.normal(size=(n, 2))
    chance = 0.5 if lot else 1 / (1 + np.exp(-before[:, 0]))
    treated = rng.random(n) < chance
    outcome = 100 + 20 * before[:, 0] + effect * treated + 10 * rng.normal(size=n)
    return outcome, treated, before


def test_what_was_known_before_sharpens_the_figure() -> None:
    outcome, treated, before = trial(1)
    sharp = estimate_holdout_effect(outcome, treated, before).effect
    blunt = estimate_holdout_effect(outcome, treated, before[:, :0]).effect
    assert sharp is not None
    assert blunt is not None
    assert sharp.low < 5 < sharp.high
    assert (blunt.high - blunt.low) / (sharp.high - sharp.low) == pytest.approx(5**0.5, rel=0.1)


def test_an_oracle_for_cuped() -> None:
    """Theta is the covariance over the variance; the sides' means of what is left are compared."""
    outcome, treated, before = trial(2, 20_000)
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


def test_the_interval_is_that_of_welch_without_anything_before() -> None:
    from scipy.stats import ttest_ind

    outcome, treated, before = trial(3)
    found = estimate_holdout_effect(outcome, treated, before[:, :0]).effect
    assert found is not None
    welch = ttest_ind(outcome[treated], outcome[~treated], equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=0.02)


@pytest.mark.parametrize("effect", [0.0, 5.0])
def test_nineteen_intervals_of_twenty_hold_the_truth(effect: float) -> None:
    held = 0
    for seed in range(100):
        found = estimate_holdout_effect(*trial(seed, 300, effect)).effect
        held += found is not None and found.low <= effect <= found.high
    assert held >= 88


def test_nobody_left_alone_is_not_identifiable() -> None:
    outcome, treated, before = trial(1)
    found = estimate_holdout_effect(outcome, np.ones_like(treated), before)
    assert found.effect is None
    assert found.verdict == NOT_IDENTIFIABLE
    assert "nobody to compare with" in found.note


def test_a_handful_left_alone_is_not_identifiable() -> None:
    outcome, treated, before = trial(1)
    treated[:] = True
    treated[:8] = False
    found = estimate_holdout_effect(outcome, treated, before)
    assert found.note == "992 treated and 8 left alone; a comparison takes 50 of each"


def test_a_hold_out_that_was_not_drawn_by_lot_is_found_out() -> None:
    found = estimate_holdout_effect(*trial(1, lot=False))
    assert found.effect is None
    assert "not drawn by lot" in found.note
    by_lot = [estimate_holdout_effect(*trial(seed)).effect is not None for seed in range(50)]
    assert all(by_lot)


def test_matching_undoes_what_the_tables_show() -> None:
    outcome, treated, before = trial(4, 4000, lot=False)
    found = estimate_matched_effect(outcome, treated, before)
    assert found.naive is not None
    assert found.effect is not None
    assert found.naive > 15
    assert found.effect.low < 5 < found.effect.high
    assert found.effect.high - found.effect.low < 4
    assert found.design == "matched"


def test_matched_intervals_hold_the_truth() -> None:
    held = 0
    for seed in range(20):
        found = estimate_matched_effect(*trial(seed, 800, 0.0, lot=False), seed=seed).effect
        held += found is not None and found.low <= 0 <= found.high
    assert held >= 16


def test_treated_customers_unlike_everybody_are_no_comparison() -> None:
    outcome, _, before = trial(5)
    found = estimate_matched_effect(outcome, before[:, 0] > 0, before)
    assert found.effect is None
    assert "have nobody alike" in found.note
    few = estimate_matched_effect(outcome, np.arange(1000) < 9, before)
    assert few.note == "9 treated and 991 others; a comparison takes 50 of each"


def test_an_outcome_that_is_the_same_for_all_proves_nothing() -> None:
    _, treated, before = trial(1)
    for outcome in (np.zeros(len(treated)), np.full(len(treated), 0.1)):
        for found in (
            estimate_holdout_effect(outcome, treated, before),
            estimate_matched_effect(outcome, treated, before),
        ):
            assert found.verdict == NOT_IDENTIFIABLE
            assert found.note.startswith(f"the outcome is {outcome[0]:g} for every customer")


def test_missing_outcomes_are_refused() -> None:
    outcome, treated, before = trial(1)
    outcome[:3] = np.nan
    for effect in (estimate_holdout_effect, estimate_matched_effect):
        with pytest.raises(DataRefused, match="3 of 1,000 outcomes are missing"):
            effect(outcome, treated, before)


def test_sides_each_all_alike_before_that_differ_were_not_drawn_by_lot() -> None:
    outcome, treated, _ = trial(1)
    found = estimate_holdout_effect(outcome, treated, treated.astype(float)[:, None])
    assert found.verdict == NOT_IDENTIFIABLE
    assert "not drawn by lot" in found.note


def test_a_few_large_customers_do_not_make_an_effect_of_nothing() -> None:
    """Log-normal spend, 60 on a side: an interval of HC1 would leave out the truth in 12 of 100."""
    wrong = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        before = rng.lognormal(3, 1.2, 120)
        treated = np.arange(120) < 60
        outcome = before * rng.lognormal(0, 0.5, 120)
        wrong += estimate_holdout_effect(outcome, treated, before[:, None]).verdict != "no effect seen"
    assert wrong / 300 < 0.09
