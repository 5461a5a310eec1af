"""Contradictions between the predictions of one customer, counted on a few of them."""

import numpy as np
import pytest

from models.scoring.prediction_consistency import (
    ConsistencyCheck,
    check_consistency,
    consistency_objection,
)

NAN = float("nan")


def nps(index: list[float]) -> dict[str, np.ndarray]:
    """Shares with that index: 100 all promoters, 0 all detractors, 50 as many of each."""
    promoter = np.array(index) / 100
    return {"promoter": promoter, "passive": np.zeros(len(index)), "detractor": 1 - promoter}


def satisfaction(score: list[float]) -> dict[str, np.ndarray]:
    return {"score": np.array(score, float)}


@pytest.mark.parametrize(
    ("score", "index", "contradictions"),
    [
        ([0, 100, 0, 100], [0, 100, 0, 100], 0),
        ([0, 100, 0, 100, 0, 100], [100, 0, 0, 100, 0, 100], 2),  # the first two, by 100 points
        ([70, 90, 70, 90], [10, 50, 10, 50], 0),  # another scale, the same order
        ([70, 90, 70, 90], [50, 10, 50, 10], 0),  # the other way round, by 20 points only
        ([0, 100, 40], [50, 50, 50], 1),  # all alike: at the mean score, 46.7; 53.3 from 100
        ([], [], 0),
    ],
)
def test_satisfaction_and_recommendation_on_a_common_scale(
    score: list[float], index: list[float], contradictions: int
) -> None:
    (check,) = check_consistency({"satisfaction": satisfaction(score), "nps": nps(index)})
    assert (check.name, check.customers) == ("satisfaction and recommendation", len(score))
    assert check.contradictions == contradictions


CHURN = {
    "probability": np.array([0.1, 0.9, 0.5, 0.5, 0.5, 0.5, 0.9]),
    "in_population": np.array([True, True, True, True, True, False, True]),
}
VALUE = {
    "low": np.array([80, 80, 50, 51, 10, 90, NAN]),
    "high": np.array([99, 99, 60, 90, 49, 99, NAN]),
}


def test_the_chance_of_staying_times_the_usual_spend_lies_in_the_range() -> None:
    (check,) = check_consistency({"churn": CHURN, "value": VALUE}, np.full(7, 100.0))
    # 90 in 80-99; 10 below 80; 50 on the edge of 50-60; 50 below 51; 50 above 49; the sixth is not
    # in the population; of the last there is no range
    assert check == ConsistencyCheck(
        "churn and value",
        "the chance of staying times the usual spend lies in the range of value",
        customers=5,
        contradictions=3,
    )
    assert check.share == pytest.approx(0.6)


def test_who_is_silent_spends_nothing() -> None:
    churn = {"probability": np.array([0.1, 0.9, 0.9, 0.2]), "in_population": np.ones(4, bool)}
    value = {
        "expected": np.array([5.0, 5.0, 0.1, 0.1]),
        "typical": np.array([4.0, 4.0, 0.0, 0.0]),
        "low": np.array([1.0, 1.0, 0.0, 0.0]),
        "high": np.array([9.0, 9.0, 0.1, 0.1]),
    }
    # the second spends for sure and leaves; the fourth spends nothing and stays
    outputs = {"churn": churn, "value": value}
    (check,) = check_consistency(outputs, np.ones(4), silence=True)
    assert (check.name, check.customers, check.contradictions) == ("churn and value", 4, 2)


def test_models_that_contradict_each_other_for_a_quarter_must_not_serve_together() -> None:
    few = ConsistencyCheck("churn and value", "one does not exclude the other", 100, 25)
    many = ConsistencyCheck("churn and value", "one does not exclude the other", 1000, 500)
    assert consistency_objection([few]) is None
    assert consistency_objection([few, many]) == (
        "churn and value contradict each other for 50% of 1,000 customers, 25% at most should: "
        "one does not exclude the other"
    )


def test_only_what_can_be_compared_is() -> None:
    assert check_consistency({}) == []
    assert check_consistency({"satisfaction": satisfaction([1.0]), "churn": CHURN}) == []
    assert check_consistency({"churn": CHURN, "value": VALUE}) == []  # no common horizon
    nobody = {**CHURN, "in_population": np.zeros(7, bool)}
    (check,) = check_consistency({"churn": nobody, "value": VALUE}, np.full(7, 100.0))
    assert (check.customers, check.share) == (0, 0.0)
    both = {"satisfaction": satisfaction([1.0]), "nps": nps([5.0]), "churn": CHURN, "value": VALUE}
    assert [c.name for c in check_consistency(both, np.full(7, 100.0))] == [
        "satisfaction and recommendation", "churn and value",
    ]  # fmt: skip
