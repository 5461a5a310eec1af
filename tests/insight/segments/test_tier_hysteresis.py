"""Tier hysteresis: simulated noise and real changes; the rule by hand."""

import sys

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.segments.tier_hysteresis import (
    INTERVAL_Z,
    TierAssignment,
    assign_first_tiers,
    changed_share,
    estimate_half_width,
    update_tiers,
)
from insight.segments.tier_thresholds import (
    TierSettings,
    TierThresholds,
    classify_tiers,
    fit_thresholds,
)

THREE = TierThresholds(("A", "B", "C"), (80.0, 50.0))
SIGMA = 5.0
WIDTH = INTERVAL_Z * SIGMA


def assignment(tier: str, figure: float) -> TierAssignment:
    return TierAssignment(pd.Series([tier]), pd.Series([0]), pd.Series([figure]))


@pytest.mark.parametrize(
    ("tier", "before", "figure", "now", "leans"),
    [
        ("B", 60, 60, "B", 0),  # inside
        ("B", 60, 83, "B", 0),  # beyond the threshold, by less than 5
        ("B", 60, 86, "B", -1),  # by 5, the mean of both is inside
        ("B", 86, 86, "B", -1),  # the mean by 6, not by 7
        ("B", 87.5, 87, "A", 0),  # the mean by more than 7
        ("B", 89, 84, "B", 0),  # no longer by 5, the mean by 6.5
        ("B", 44, 87, "B", -1),  # the opposite direction before
        ("B", 60, 91, "A", 0),  # by twice 5: at once
        ("B", 60, 44, "B", 1),
        ("B", 42, 43, "C", 0),
        ("A", 85, 30, "C", 0),  # two tiers down
        ("C", 45, 95, "A", 0),
        ("A", 85, 71, "A", 1),  # leaves A, at 30 short of C
        ("A", 85, np.nan, None, 0),
        ("B", np.nan, 87, "B", -1),  # the previous score is missing
    ],
)
def test_the_rule_matches_a_hand_calculation(
    tier: str, before: float, figure: float, now: str | None, leans: int
) -> None:
    found = update_tiers(assignment(tier, before), pd.Series([figure], dtype=float), 5.0, THREE)
    assert (found.tier[0], found.leaning[0]) == (now, leans)
    assert found.figure[0] == figure or np.isnan(figure)


def simulate_scores(
    months: int, count: int = 20_000, seed: int = 0, sigma: float = SIGMA, spread: float = 20
) -> tuple[pd.Series, list[pd.Series]]:
    rng = np.random.default_rng(seed)
    true = pd.Series(rng.normal(60, spread, count))
    return true, [true + rng.normal(0, sigma, count) for _ in range(months)]


@pytest.mark.parametrize("cuts", [[0.2, 0.5], [0.2, 0.4, 0.6, 0.8]])
@pytest.mark.parametrize(("sigma", "spread"), [(5, 20), (10, 20), (9, 9)])
def test_noise_moves_at_most_one_percent(
    cuts: list[float], sigma: float, spread: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two years with estimated noise, from a quarter of the spread to all of it."""
    names = list("ABCDE")[: len(cuts) + 1]
    settings = TierSettings.model_construct(method="quantile", by="x", names=names, cuts=cuts)
    _, months = simulate_scores(25, seed=len(names), sigma=sigma, spread=spread)
    found = fit_thresholds(months[0], settings)
    before, plain_before = assign_first_tiers(months[0], found), classify_tiers(months[0], found)
    steady, plain = [], []
    for figure in months[1:]:
        after = update_tiers(before, figure, estimate_half_width(before.figure, figure), found)
        plain_after = classify_tiers(figure, fit_thresholds(figure, settings))
        steady.append(changed_share(before.tier, after.tier))
        plain.append(changed_share(plain_before, plain_after))
        before, plain_before = after, plain_after
    with capsys.disabled():
        sys.stdout.write(
            f"\n{names}, noise {sigma / spread:.2f} of the spread: {max(steady):.2%} move at most, "
            f"plain {np.mean(plain):.1%} "
        )
    assert max(steady) <= 0.01
    assert min(plain) > 0.1


@pytest.mark.parametrize(("widths", "arrived"), [(2.0, 0.93), (3.0, 0.99)])
@pytest.mark.parametrize("way", [1, -1])
def test_a_real_change_takes_effect_within_two_periods(
    widths: float, arrived: float, way: int
) -> None:
    """The true score moves `widths` half-widths beyond the threshold, from anywhere in B."""
    rng = np.random.default_rng(1)
    who = range(20_000)
    was = pd.Series(rng.uniform(50, 80, len(who)))
    before = TierAssignment(pd.Series("B", who), pd.Series(0, who), was)
    true = 80 + widths * WIDTH if way == 1 else 50 - widths * WIDTH
    for _ in range(2):
        before = update_tiers(before, pd.Series(true + rng.normal(0, SIGMA, 20_000)), WIDTH, THREE)
    assert (before.tier == ("A" if way == 1 else "C")).mean() >= arrived


def test_exact_scores_move_at_once() -> None:
    figure = pd.Series([79.0, 81.0, 49.0])
    before = TierAssignment(
        pd.Series(["A", "B", "B"]), pd.Series(0, range(3)), pd.Series([81.0, 79.0, 51.0])
    )
    assert update_tiers(before, figure, 0.0, THREE).tier.tolist() == ["B", "A", "C"]


def test_new_customers_are_assigned_by_score_and_need_a_half_width() -> None:
    figure = pd.Series([90.0, 90.0], ["old", "new"])
    before = TierAssignment(
        pd.Series(["B"], ["old"]), pd.Series([0], ["old"]), pd.Series([60.0], ["old"])
    )
    found = update_tiers(before, figure, pd.Series({"old": 20.0, "new": 20.0}), THREE)
    assert found.tier.to_dict() == {"old": "B", "new": "A"}
    with pytest.raises(DataRefused, match=r"1 customers have a figure .*first: new"):
        update_tiers(before, figure, pd.Series({"old": 20.0}), THREE)


def test_the_half_width_is_robust_to_real_changes() -> None:
    _, (first, second) = simulate_scores(2)
    second[:1000] += 30
    assert estimate_half_width(first, second) == pytest.approx(WIDTH, rel=0.1)
    with pytest.raises(DataRefused, match="2 customers"):
        estimate_half_width(first.head(2), second.head(2))
    assert np.isnan(changed_share(pd.Series(["A"]), pd.Series([None])))
