"""The champion rule on literal predictions; the whole decision is in test_retrain.py."""

import numpy as np
import pytest

from models.pipeline.champion_rule import compare_with_champion

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
