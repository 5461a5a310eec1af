"""The grade of a value: error, rank and sums together."""

import pytest

from models.evaluation.bootstrap import Interval
from models.evaluation.grade import ModelEvaluation
from models.evaluation.value_grade import (
    lower_grade,
    sums_are_right,
    value_faults,
    with_value_faults,
)

BY_ERROR = ModelEvaluation(
    "regression", 100, 50, "mae", {}, Interval(4.0, 3.0, 5.0), "A", "better by error"
)
RIGHT, THIRD = Interval(0.98, 0.9, 1.1), Interval(0.33, 0.3, 0.4)
AS_WELL, WORSE = Interval(0.01, -0.02, 0.04), Interval(-0.2, -0.3, -0.1)


def test_sums_that_are_off_and_a_worse_rank_cost_a_grade_each() -> None:
    assert with_value_faults(BY_ERROR, RIGHT, AS_WELL) == BY_ERROR
    third = with_value_faults(BY_ERROR, THIRD, AS_WELL)
    assert third.grade == "B"
    assert third.reason.startswith(
        "at most B: expected values add up to 0.330 (0.300 to 0.400) of what came"
    )
    assert third.reason.endswith("otherwise better by error")
    worse = with_value_faults(BY_ERROR, RIGHT, WORSE)
    assert worse.grade == "B"
    assert "ranked worse than by the rule, beyond chance" in worse.reason
    assert with_value_faults(BY_ERROR, THIRD, WORSE).grade == "C"


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
