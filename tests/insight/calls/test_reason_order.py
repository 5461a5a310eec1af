"""The main reason of a customer: what worsens the most urgent prediction."""

from typing import NamedTuple

import pytest

from insight.calls.reason_order import main_reason, urgent_signs


class Reason(NamedTuple):
    effect: float | None
    text: str


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        ({"churn": [(-3.0, "loyal"), (2.0, "late")]}, "late"),
        ({"satisfaction": [(-1.0, "slow")], "churn": [(2.0, "late")]}, "late"),
        ({"satisfaction": [(-9.0, "slow")], "churn": [(-3.0, "loyal"), (2.0, "late")]}, "slow"),
        ({"churn": [(-3.0, "loyal"), (-1.0, "new")], "nps": [(4.0, "liked")]}, "loyal"),
        ({"value": [(90.0, "large")]}, "large"),
        ({"value": [(90.0, "large")], "churn": [(1.0, "late")]}, "late"),
        ({"churn": [(None, "unknown")]}, "unknown"),
    ],
)
def test_the_strongest_reason_that_worsens_a_prediction(reasons, expected):
    found = main_reason({t: [Reason(*r) for r in listed] for t, listed in reasons.items()})
    assert found is not None
    assert found.text == expected


def test_without_reasons_there_is_no_main_one():
    assert main_reason({}) is None
    assert main_reason({"churn": []}) is None


def test_value_counts_only_where_no_risk_is_predicted():
    assert list(urgent_signs(["value", "nps"])) == ["churn", "satisfaction", "nps"]
    assert list(urgent_signs(["value"])) == ["value"]
