"""The corrected mean: by hand, against direct formulas, and against simulated truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.nonresponse.aipw import AipwInputs, aipw_mean, clustered_standard_error, respondent_mean

ONES = np.ones(4)
ALONE = np.arange(4)


def test_weighted_errors_are_added_to_the_mean_prediction() -> None:
    answers = AipwInputs(
        said=np.array([100.0, 0.0, -1.0, -1.0]),  # the last two said nothing
        expected=np.array([80.0, 10.0, 40.0, 30.0]),
        weight=np.array([1.0, 3.0, 0.0, 0.0]),
        base=ONES,
        customer=ALONE,
    )
    # Mean prediction 40; errors +20 and -10, weighed 1 : 3.
    assert aipw_mean(answers).value == pytest.approx(40.0 + (20.0 - 30.0) / 4)


def test_naive_is_the_mean_of_those_who_answered() -> None:
    found = respondent_mean(np.array([10.0, 30.0, 99.0]), np.array([1.0, 3.0, 0.0]), np.arange(3))
    assert found.value == pytest.approx(25.0)
    assert found.low < 25.0 < found.high


def test_the_error_of_a_plain_mean_is_the_textbook_one() -> None:
    said = np.random.default_rng(0).normal(size=50)
    found = respondent_mean(said, np.ones(50), np.arange(50))
    assert found.error == pytest.approx(said.std(ddof=1) / np.sqrt(50))


def test_a_customer_who_answers_twice_counts_once_for_the_error() -> None:
    said = np.random.default_rng(1).normal(size=60)
    once = respondent_mean(said, np.ones(60), np.arange(60))
    twice = respondent_mean(np.repeat(said, 2), np.ones(120), np.repeat(np.arange(60), 2))
    assert twice.error == pytest.approx(once.error)


def test_one_customer_alone_tells_nothing_of_the_error() -> None:
    assert np.isinf(clustered_standard_error(np.array([0.5, -0.5]), np.array([3, 3])))
    told = respondent_mean(np.array([1.0, 0.0]), np.ones(2), np.zeros(2, np.int64)).to_dict()
    assert told == {"value": 0.5, "error": None, "low": None, "high": None}


@given(st.integers(0, 1000), st.floats(0.2, 5.0), st.floats(-50, 50))
def test_scale_and_shift_of_the_answers_carry_over(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    said, expected = rng.normal(size=(2, 30))
    weight = rng.uniform(0.5, 2, 30) * (np.arange(30) % 3 > 0)
    rows = (weight, np.ones(30), np.arange(30) // 2)
    plain = aipw_mean(AipwInputs(said, expected, *rows))
    moved = aipw_mean(AipwInputs(scale * said + shift, scale * expected + shift, *rows))
    assert moved.value == pytest.approx(scale * plain.value + shift)
    assert moved.error == pytest.approx(scale * plain.error)


def drawn(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, ...]:  # type: ignore[type-arg]
    """A cause that moves both the answer and the chance of answering; what is said, and the truth."""
    cause = rng.normal(size=rows)
    said = 50 + 10 * cause + rng.normal(0, 5, rows)
    chance = 1 / (1 + np.exp(1.0 - cause))
    return cause, said, chance, rng.random(rows) < chance


@pytest.mark.parametrize("right", ["both", "outcome", "propensity"])
def test_either_model_being_right_is_enough(right: str) -> None:
    cause, said, chance, answered = drawn(np.random.default_rng(3), 40_000)
    expected = 50 + 10 * cause if right != "propensity" else np.full(len(cause), 20.0)
    believed = chance if right != "outcome" else np.full(len(cause), 0.5)
    weight = np.where(answered, 1 / believed, 0.0)
    found = aipw_mean(AipwInputs(said, expected, weight, np.ones(len(said)), np.arange(len(said))))
    assert abs(respondent_mean(said, 1.0 * answered, np.arange(len(said))).value - 50) > 3
    assert abs(found.value - 50) < 0.4


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(400):
        cause, said, chance, answered = drawn(rng, 400)
        weight = np.where(answered, 1 / chance, 0.0)
        rows = (weight, np.ones(400), np.arange(400))
        found = aipw_mean(AipwInputs(said, 48 + 9 * cause, *rows))
        held += found.low <= 50 <= found.high
    assert 0.91 < held / 400 < 0.98
