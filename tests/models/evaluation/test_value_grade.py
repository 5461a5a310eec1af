"""The grade of a value: error, rank and sums together."""

import re

import numpy as np
import pytest

from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import mae, rmse
from models.evaluation.value_grade import (
    evaluate_value,
    lower_grade,
    primary_prediction,
    sums_are_right,
    value_faults,
)

RNG = np.random.default_rng(0)
MEAN = RNG.gamma(0.5, 60.0, 2000)
BUYS = RNG.random(2000) < 0.4
Y = np.where(BUYS, MEAN / 0.4 * RNG.gamma(4.0, 0.25, 2000), 0.0)
TYPICAL = np.zeros(2000)  # most buy nothing
RULE = MEAN * RNG.gamma(4.0, 0.4, 2000)  # ranks well, and says too much


def test_each_measure_judges_the_output_it_is_made_for() -> None:
    result = evaluate_value(Y, {"model": MEAN, "typical": TYPICAL, "rule": RULE})
    model = result.metrics["model"]
    assert model["mae"].value == pytest.approx(mae(Y, TYPICAL))
    assert model["rmse"].value == pytest.approx(rmse(Y, MEAN))
    assert model["sum_ratio"].value == pytest.approx(MEAN.sum() / Y.sum())
    assert list(result.metrics) == ["model", "rule"]
    assert result.primary == "mae"
    assert result.grade == "A"
    assert result.table().loc["sum_ratio", "better"] == "1"


def test_sums_that_are_off_and_a_worse_rank_cost_a_grade_each() -> None:
    third = evaluate_value(Y, {"model": MEAN / 3, "typical": TYPICAL, "rule": RULE})
    assert third.grade == "B"
    assert re.match(r"at most B: expected values add up to 0\.(29|3)", third.reason)
    noise = MEAN[RNG.permutation(2000)]
    random = evaluate_value(Y, {"model": noise, "typical": TYPICAL, "rule": RULE})
    assert random.grade == "B"
    assert "ranked worse than by the rule, beyond chance" in random.reason
    both = evaluate_value(Y, {"model": noise / 3, "typical": TYPICAL, "rule": RULE})
    assert both.grade == "C"
    far = evaluate_value(Y, {"model": MEAN, "typical": TYPICAL + 1e4, "rule": RULE})
    assert far.grade == "C"


def test_the_sums_over_origins_count_before_those_of_the_test() -> None:
    predictions = {"model": MEAN, "typical": TYPICAL, "rule": RULE}
    assert evaluate_value(Y, predictions, Interval(0.5, 0.4, 0.6)).grade == "B"


@pytest.mark.parametrize(
    ("sums", "right"),
    [
        (Interval(1.0, 0.9, 1.1), True),
        (Interval(0.86, 0.8, 0.9), True),  # within 15%
        (Interval(0.7, 0.5, 1.0), True),  # chance explains it
        (Interval(0.7, 0.6, 0.99), False),
        (Interval(1.2, 1.1, 1.3), False),
        (Interval(float("nan"), float("nan"), float("nan")), True),
    ],
)
def test_what_right_sums_are(sums: Interval, right: bool) -> None:
    assert sums_are_right(sums) == right
    assert (not value_faults(sums, Interval(0.1, 0.0, 0.2))) == right


def test_the_lowest_grade_is_c() -> None:
    assert [lower_grade("A", n) for n in range(4)] == ["A", "B", "C", "C"]
    assert primary_prediction({"model": MEAN}) is MEAN
    assert primary_prediction({"model": MEAN, "typical": TYPICAL}) is TYPICAL
