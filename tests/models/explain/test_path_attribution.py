"""A change is split over contributions: exactly, in proportion, and as the integral requires."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.explain.path_attribution import split_by_path

MIX = np.array([-100.0, 0.0, 100.0])


def probability(at: np.ndarray) -> np.ndarray:
    return 100 / (1 + np.exp(-at[:, 0]))


def balance(at: np.ndarray) -> np.ndarray:
    powers = np.exp(at - at.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True) @ MIX


def step(at: np.ndarray) -> np.ndarray:
    return np.where(at[:, 0] < 0.3, 10.0, 60.0)


NUMBERS = st.floats(-3, 3, allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(
    moves=arrays(float, (5, 3, 4), elements=NUMBERS),
    start=arrays(float, (5, 3), elements=NUMBERS),
    seen=st.sampled_from([probability, balance, step]),
)
def test_the_parts_add_up_to_the_change(moves, start, seen):
    coordinates = 3 if seen is balance else 1
    start, moves = start[:, :coordinates], moves[:, :coordinates]
    end = start + moves.sum(axis=2)
    parts = split_by_path(seen, start, end, moves)
    np.testing.assert_allclose(parts.sum(axis=1), seen(end) - seen(start), atol=1e-9)


def test_with_one_raw_score_every_contribution_keeps_its_share():
    start, moves = np.array([[-1.0]]), np.array([[[2.0, -0.5, 0.5]]])
    parts = split_by_path(probability, start, start + 2, moves)[0]
    gain = probability(np.array([[1.0]])) - probability(start)
    np.testing.assert_allclose(parts, gain * np.array([1.0, -0.25, 0.25]), atol=1e-9)


def test_with_several_raw_scores_parts_are_the_integral_along_the_line():
    """Compared with a fine Riemann sum of the explicit gradient."""
    start, moves = np.array([[0.1, -0.4, 0.6]]), np.array([[[1.2, -0.3], [0.1, 0.9], [-0.7, 0.2]]])
    end = start + moves.sum(axis=2)
    expected, points = np.zeros(2), 4000
    for i in range(points):
        at = start + (i + 0.5) / points * (end - start)
        p = np.exp(at[0]) / np.exp(at[0]).sum()
        gradient = p * (MIX - p @ MIX)
        expected += gradient @ moves[0] / points
    np.testing.assert_allclose(split_by_path(balance, start, end, moves)[0], expected, atol=1e-4)


def test_a_calibration_step_between_cancelling_parts_stays_bounded():
    """+2 and -1.999 across a step of 50 points: the slope is taken over a minimum width."""
    start, moves = np.array([[0.2995]]), np.array([[[2.0, -1.999]]])
    parts = split_by_path(step, start, start + 0.001, moves)[0]
    assert parts.sum() == pytest.approx(50)
    assert np.abs(parts).max() < 1200  # without the minimum width it would be 100,000


def test_zero_contributions_change_nothing():
    still = np.zeros((2, 1, 3))
    assert not split_by_path(probability, np.ones((2, 1)), np.ones((2, 1)), still).any()


def test_no_rows_have_no_parts():
    assert split_by_path(
        balance, np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3, 4))
    ).shape == (0, 4)
