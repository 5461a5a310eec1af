"""The order of the call list: value times the higher risk, whatever is predicted."""

import numpy as np
import pytest

from insight.calls.call_ranking import is_current, rank_by_risk

#: Four customers, the last one gone. At risk: 100 x 0.8, 1000 x 0.1, 200 x 0.25.
COLUMNS = {
    "satisfaction_dissatisfied": np.array([0.8, 0.1, 0.2, 0.5]),
    "nps_detractor": np.array([0.7, 0.1, 0.2, 0.6]),
    "churn_probability": np.array([0.5, 0.1, 0.25, np.nan]),
    "churn_in_population": np.array([True, True, True, False]),
    "value_expected": np.array([100.0, 1000.0, 200.0, -4.0]),
}


def columns(*targets: str) -> dict[str, np.ndarray]:
    return {name: values for name, values in COLUMNS.items() if name.split("_")[0] in targets}


def test_value_times_the_higher_risk():
    found = rank_by_risk(COLUMNS, 4)
    assert found.rows.tolist() == [1, 0, 2]
    assert found.amounts.tolist() == [100.0, 80.0, 50.0]
    assert found.predicted["dissatisfied"].tolist() == [0.1, 0.8, 0.2]
    assert (found.by, found.is_money) == ("value_risk", True)


@pytest.mark.parametrize(
    ("targets", "by", "rows", "highest"),
    [
        (("churn", "value"), "value_churn", [1, 0, 2], 100.0),
        (("nps", "value"), "value_dissatisfied", [1, 0, 2, 3], 100.0),
        (("churn",), "any_churn", [0, 2, 1], 0.5),
        (("nps",), "any_dissatisfied", [0, 3, 2, 1], 0.7),
        (("value",), "value_only", [1, 2, 0, 3], 1000.0),
    ],
)
def test_without_a_prediction_the_others_decide(targets, by, rows, highest):
    found = rank_by_risk(columns(*targets), 4)
    assert (found.by, found.rows.tolist(), found.amounts[0]) == (by, rows, highest)
    assert found.is_money == by.startswith("value")


def test_an_unknown_risk_leaves_the_other_and_an_unknown_value_is_last():
    known = {
        "churn_probability": np.array([np.nan, 0.1, 0.2]),
        "satisfaction_dissatisfied": np.array([0.3, np.nan, 0.1]),
        "value_expected": np.array([10.0, np.nan, 10.0]),
    }
    found = rank_by_risk(known, 3)
    assert found.rows.tolist() == [0, 2, 1]
    assert found.amounts[:2].tolist() == [3.0, 2.0]
    assert np.isnan(found.amounts[2])


def test_equal_amounts_keep_their_order():
    found = rank_by_risk({"churn_probability": np.array([0.2, 0.2, 0.2])}, 3)
    assert found.rows.tolist() == [0, 1, 2]


def test_current_customers_by_churn_then_by_stage_then_all():
    stages = np.array(["active", "lost", "prospect", "at_risk"], object)
    assert is_current({**COLUMNS, "stage": stages}, 4).tolist() == [True, True, True, False]
    assert is_current({"stage": stages}, 4).tolist() == [True, False, False, True]
    assert is_current({}, 2).tolist() == [True, True]
