"""Moving predictions to the actual base rate leaves their order and their odds ratios alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.training.shift_detection import without_drift

seeds = st.integers(0, 10_000)


@given(seeds)
def test_the_mean_is_met_and_odds_keep_their_ratios(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, w = rng.uniform(0.01, 0.6, 80), rng.uniform(0.5, 2, 80)
    y = (rng.random(80) < 0.5).astype(float)
    moved = without_drift(p, y, w)
    assert np.average(moved, weights=w) == pytest.approx(np.average(y, weights=w), abs=1e-3)
    shift = np.log(moved / (1 - moved)) - np.log(p / (1 - p))
    np.testing.assert_allclose(shift, shift[0], atol=1e-6)


@given(seeds)
def test_the_shares_of_classes_are_met(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, w = rng.dirichlet([2, 3, 1], 120), rng.uniform(0.5, 2, 120)
    y = rng.integers(0, 3, 120).astype(float)
    moved = without_drift(p, y, w)
    shares = [np.average(y == k, weights=w) for k in range(3)]
    np.testing.assert_allclose(np.average(moved, axis=0, weights=w), shares, atol=1e-3)
    np.testing.assert_allclose(moved.sum(axis=1), 1)


def test_no_drift_changes_nothing_and_no_event_stays_finite() -> None:
    p = np.array([0.2, 0.8])
    np.testing.assert_allclose(without_drift(p, np.array([0.0, 1.0]), np.ones(2)), p, atol=1e-9)
    gone = without_drift(p, np.zeros(2), np.ones(2))
    assert np.isfinite(gone).all()
    assert gone.max() < 1e-6
