"""The champion rule on literal predictions; the whole decision is in test_retrain.py."""

from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.pipeline.champion_rule import (
    Promotion,
    compare_with_champion,
    decide_promotion,
    fresher_days,
)
from models.validation.refit_agreement import RefitAgreement
from models.validation.slice_metrics import Slices

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


LABEL = {"horizon_days": 90, "gap_days": 0, "definition": "a"}


def decide(champion_tone: str | None = None, **champion: object) -> Promotion:
    """The decision on a challenger of grade A against a champion of these settings."""
    trained: Any = SimpleNamespace(
        evaluation=SimpleNamespace(grade="A", reason="good"),
        estimator=SimpleNamespace(encoder=SimpleNamespace(columns=["orders_90d"])),
        test=SimpleNamespace(features=pa.table({"orders_90d": [1.0]})),
        config=SimpleNamespace(**LABEL),
        typical=None,
    )
    columns = champion.pop("columns", ["orders_90d"])
    manifest = SimpleNamespace(**LABEL | champion)
    old: Any = SimpleNamespace(version="3", columns=columns, manifest=manifest, tone=champion_tone)
    alike = RefitAgreement(1.0, 0.0)
    return decide_promotion(trained, Slices("roc_auc", "rule", (), (), ()), old, [], None, alike)


@pytest.mark.parametrize(
    ("champion", "obstacle"),
    [
        ({"horizon_days": 60}, "has another horizon_days"),
        ({"gap_days": 7}, "has another gap_days"),
        ({"definition": "b"}, "has another definition"),
        ({"columns": ["orders_90d", "shoe_size"]}, "needs shoe_size"),
        ({"champion_tone": "other"}, "reads comments with another model"),
    ],
)
def test_a_champion_that_cannot_be_compared_is_replaced(
    champion: dict[str, Any], obstacle: str
) -> None:
    assert decide(**champion) == Promotion(
        "promoted", f"version 3 cannot be compared: it {obstacle}"
    )
