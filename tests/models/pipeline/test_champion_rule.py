"""The champion rule on literal predictions; the whole decision is in test_retrain.py."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.pipeline.champion_rule import Promotion, compare_with_champion, decide_promotion
from models.validation.slice_metrics import Slices

RNG = np.random.default_rng(0)
N = 400
Z = RNG.normal(size=N)
CHURN = (RNG.random(N) < 1 / (1 + np.exp(-2 * Z))).astype(float)
GOOD, POOR = 1 / (1 + np.exp(-2 * Z)), np.full(N, 0.5) + 0.001 * RNG.normal(size=N)
CUSTOMERS = np.repeat(np.arange(N // 2), 2)


def test_the_point_estimate_decides_between_challenger_and_champion():
    better = compare_with_champion("binary", CHURN, GOOD, POOR)
    assert better
    assert "the challenger replaces the champion: roc_auc 0.8" in better.reason
    assert "beyond chance" in better.reason
    assert not compare_with_champion("binary", CHURN, POOR, GOOD)
    draw = compare_with_champion("binary", CHURN, GOOD, GOOD)
    assert not draw.better
    assert "within the noise" in draw.reason
    undefined = compare_with_champion("binary", np.zeros(N), GOOD, POOR)
    assert not undefined
    assert "undefined" in undefined.reason
    assert compare_with_champion("regression", CHURN, GOOD, GOOD + 5, None, CUSTOMERS)


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
    )
    columns = champion.pop("columns", ["orders_90d"])
    manifest = SimpleNamespace(**LABEL | champion)
    old: Any = SimpleNamespace(version="3", columns=columns, manifest=manifest, tone=champion_tone)
    return decide_promotion(trained, Slices("roc_auc", "rule", (), (), ()), old, [], None)


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
