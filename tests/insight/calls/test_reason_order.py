"""The main reason of a customer: what worsens the most urgent prediction."""

from typing import NamedTuple

import pytest

from insight.calls.reason_order import listed_risk, main_reason, urgent_signs


class Reason(NamedTuple):
    effect: float | None
    text: str


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ({"churn": [(-3.0, "loyal"), (2.0, "late")]}, "late"),
        ({"satisfaction": [(-1.0, "slow")], "churn": [(2.0, "late")]}, "late"),
        ({"satisfaction": [(-9.0, "slow")], "churn": [(-3.0, "loyal"), (2.0, "late")]}, "slow"),
        ({"value": [(90.0, "large")]}, "large"),
        ({"value": [(90.0, "large")], "churn": [(1.0, "late")]}, "late"),
    ],
)
def test_the_strongest_reason_that_worsens_a_prediction(reasons, expected):
    found = main_reason({t: [Reason(*r) for r in listed] for t, listed in reasons.items()})
    assert found is not None
    assert found.text == expected


@pytest.mark.parametrize(
    ("first", "expected"), [(("satisfaction", "nps"), "slow"), (("churn",), "late"), ((), "late")]
)
def test_reasons_of_the_risk_that_a_customer_is_listed_for_come_first(first, expected):
    reasons = {
        "churn": [Reason(5.0, "late"), Reason(3.0, "silent")],
        "satisfaction": [Reason(9.0, "quick"), Reason(-1.0, "slow")],
    }
    found = main_reason(reasons, first)
    assert found is not None
    assert found.text == expected


@pytest.mark.parametrize(
    ("churn", "dissatisfied", "targets"),
    [
        (0.2, 0.5, ("satisfaction", "nps")), (0.5, 0.2, ("churn",)), (0.3, 0.3, ("churn",)),
        (None, 0.1, ("satisfaction", "nps")), (0.1, None, ("churn",)),
        (float("nan"), 0.1, ("satisfaction", "nps")), (None, None, ("churn",)),
    ],
)  # fmt: skip
def test_the_risk_of_a_customer_is_the_higher_probability(churn, dissatisfied, targets):
    assert listed_risk(churn, dissatisfied) == targets


def test_without_reasons_there_is_no_main_one():
    assert main_reason({}) is None
    assert main_reason({"churn": []}) is None


def test_what_improves_a_prediction_is_no_reason_to_call():
    better = {
        "churn": [Reason(-3.0, "loyal"), Reason(None, "unknown")],
        "nps": [Reason(4.0, "liked")],
    }
    assert main_reason(better) is None


def test_value_counts_only_where_no_risk_is_predicted():
    assert list(urgent_signs(["value", "nps"])) == ["churn", "satisfaction", "nps"]
    assert list(urgent_signs(["value"])) == ["value"]
