"""The grade of a value: error, rank and sums together."""

from dataclasses import replace

import pytest

from models.evaluation.bootstrap import Interval
from models.evaluation.grade import ModelEvaluation
from models.evaluation.value_grade import (
    highest_grade,
    sums_are_right,
    value_faults,
    with_value_faults,
)

BY_ERROR = ModelEvaluation(
    "regression", 100, 50, "mae", {}, Interval(4.0, 3.0, 5.0), "A", "better by error"
)
RIGHT, HIGH = Interval(0.98, 0.9, 1.1), Interval(1.4, 1.2, 1.7)
THIRD = Interval(0.33, 0.3, 0.4)
AS_WELL, WORSE = Interval(0.01, -0.02, 0.04), Interval(-0.2, -0.3, -0.1)


def test_sums_that_are_off_limit_the_grade_and_a_worse_rank_costs_one() -> None:
    assert with_value_faults(BY_ERROR, RIGHT, AS_WELL) == BY_ERROR
    high = with_value_faults(BY_ERROR, HIGH, AS_WELL)
    assert high.grade == "B"
    assert high.reason.startswith(
        "at most B: expected values add up to 1.400 (1.200 to 1.700) of what came"
    )
    assert high.reason.endswith("otherwise better by error")
    b_by_error = replace(BY_ERROR, grade="B")
    assert with_value_faults(b_by_error, HIGH, AS_WELL).grade == "B"
    worse = with_value_faults(BY_ERROR, RIGHT, WORSE)
    assert worse.grade == "B"
    assert "ranked worse than by the rule, beyond chance" in worse.reason
    assert with_value_faults(BY_ERROR, HIGH, WORSE).grade == "C"
    assert with_value_faults(BY_ERROR, THIRD, AS_WELL).grade == "C"


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


def test_sums_off_by_more_than_a_factor_of_two_are_useless() -> None:
    ratios = (0.49, 0.51, 0.98, 1.99, 2.01)
    grades = [highest_grade(Interval(r, r - 0.01, r + 0.01)) for r in ratios]
    assert grades == ["C", "B", "A", "B", "C"]
