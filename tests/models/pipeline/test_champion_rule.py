"""The champion rule on literal predictions; the whole decision is in test_retrain.py."""

from datetime import datetime

import numpy as np
import pytest

from models.pipeline.champion_rule import compare_with_champion, fresher_days

RNG = np.random.default_rng(0)
N = 400
Z = RNG.normal(size=N)
CHURN = (RNG.random(N) < 1 / (1 + np.exp(-2 * Z))).astype(float)
GOOD, POOR = 1 / (1 + np.exp(-2 * Z)), np.full(N, 0.5) + 0.001 * RNG.normal(size=N)
CUSTOMERS = np.repeat(np.arange(N // 2), 2)


SLIGHTLY = GOOD + 0.02 * RNG.normal(size=N)


def test_a_challenger_must_be_better_beyond_noise():
    better = compare_with_champion("binary", CHURN, GOOD, POOR)
    assert better
    assert "the challenger replaces the champion: roc_auc 0.8" in better.reason
    assert better.reason.endswith("beyond chance")
    assert not compare_with_champion("binary", CHURN, POOR, GOOD)
    one = compare_with_champion("binary", CHURN, GOOD, SLIGHTLY)
    other = compare_with_champion("binary", CHURN, SLIGHTLY, GOOD)
    assert (one.gain.value > 0) != (other.gain.value > 0)
    assert not one
    assert not other
    draw = compare_with_champion("binary", CHURN, GOOD, GOOD)
    assert not draw.better
    assert "within the noise" in draw.reason
    undefined = compare_with_champion("binary", np.zeros(N), GOOD, POOR)
    assert not undefined
    assert "undefined" in undefined.reason
    assert compare_with_champion("regression", CHURN, GOOD, GOOD + 5, None, CUSTOMERS)


def test_a_fresher_challenger_may_be_worse_within_the_margin():
    fresher = compare_with_champion("binary", CHURN, SLIGHTLY, GOOD, fresher_days=31)
    assert fresher
    assert fresher.reason.endswith("within the noise; its labels reach 31 days further")
    assert compare_with_champion("binary", CHURN, GOOD, GOOD, fresher_days=31)
    assert not compare_with_champion("binary", CHURN, POOR, GOOD, fresher_days=31)
    # An error of 102 against 100 is worse by 2%, beyond the margin of 1%; one of 100.5 is not.
    y = RNG.normal(size=N)
    assert not compare_with_champion("regression", y, y + 102, y + 100, fresher_days=31)
    undefined = compare_with_champion("binary", np.zeros(N), GOOD, POOR, fresher_days=31)
    assert not undefined


@pytest.mark.parametrize(
    ("until", "horizon", "days"),
    [
        ("2026-01-31", 30, 30),
        ("2026-01-30", 30, None),
        ("2026-01-31", 90, 30),
        ("2026-03-01", 180, None),
        ("2026-03-02", 180, 60),
        ("2025-12-01", 30, None),
    ],
)
def test_fresher_is_thirty_days_and_a_third_of_the_horizon(until, horizon, days):
    challenger = datetime.fromisoformat(f"{until}T00:00:00+00:00")
    assert fresher_days(challenger, "2026-01-01T00:00:00+00:00", horizon) == days
    assert fresher_days(challenger, "", horizon) is None


def test_models_that_differ_by_their_seed_rarely_take_turns():
    """Every night both have new outcomes and the challenger a new seed; neither is better."""
    rng, nights, customers = np.random.default_rng(1), 80, 200
    z = rng.normal(size=customers)

    def model():
        return 1 / (1 + np.exp(-z - 0.3 * rng.normal(size=customers)))

    champion, swaps = model(), 0
    for night in range(nights):
        churn = (rng.random(customers) < 1 / (1 + np.exp(-z))).astype(float)
        challenger = model()
        if compare_with_champion("binary", churn, challenger, champion, seed=night):
            champion, swaps = challenger, swaps + 1
    # At most 5% of nights in the long run: ten of 80 or more have a probability of 0.6% then.
    assert swaps < 10


def test_a_prediction_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="challenger: 400 predictions, 1 numbers not finite"):
        compare_with_champion("binary", CHURN, np.where(np.arange(N) == 2, np.nan, GOOD), POOR)
