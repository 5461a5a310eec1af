"""The value of each metric per row, calculated by hand."""

import numpy as np
import pandas as pd
import pytest

from features.config.company import Company
from features.errors import ConfigRefused
from insight.company_settings import read_section
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS
from insight.satisfaction.satisfaction_settings import SatisfactionSettings


def answers(instrument, scores, dimension="overall", expectation=np.nan):
    return pd.DataFrame({
        "customer_id": [f"C{i}" for i in range(len(scores))], "instrument": instrument,
        "dimension": dimension, "score": scores, "expectation": expectation, "weight": 2.0,
    })  # fmt: skip


def values(name, rows, **settings):
    return (
        SATISFACTION_METRICS[name].compute(rows, SatisfactionSettings(**settings))["value"].tolist()
    )


def test_the_index_is_0_to_10():
    assert values("csat_index", answers("csat", [0.0, 75.0, 100.0])) == [0.0, 7.5, 10.0]


def test_satisfied_starts_at_75_or_as_configured():
    rows = answers("csat", [50.0, 75.0, 100.0])
    assert values("satisfied", rows) == [0.0, 1.0, 1.0]
    assert values("satisfied", rows, satisfied_from=80.0) == [0.0, 0.0, 1.0]


def test_nps_has_the_standard_cut_points():
    rows = answers("nps", [10.0 * point for point in range(11)])
    assert values("nps", rows) == [-100.0] * 7 + [0.0] * 2 + [100.0] * 2


def test_nps_takes_other_cut_points():
    rows = answers("nps", [0.0, 50.0, 100.0])  # 不推荐, 推荐, 强烈推荐 on 1 to 3
    assert values("nps", rows, detractors_to=0, promoters_from=10) == [-100.0, 0.0, 100.0]


def test_cut_points_in_the_wrong_order_are_refused():
    mapping = {"files": "events.csv", "columns": {}}
    company = Company.model_validate({
        "company": {"name": "shop"}, "tables": {"events": mapping},
        "insight": {"satisfaction": {"detractors_to": 9, "promoters_from": 6}},
    })  # fmt: skip
    with pytest.raises(ConfigRefused, match="detractors_to is 9, not below promoters_from, 6"):
        read_section(company, "satisfaction", SatisfactionSettings)


def test_an_unanswered_question_is_missing():
    for name, instrument in (("csat_index", "csat"), ("satisfied", "csat"), ("nps", "nps")):
        assert np.isnan(values(name, answers(instrument, [np.nan]))).all()


def test_effort_follows_the_direction_of_the_question():
    assert values("effort", answers("ces", [100.0, 0.0])) == [100.0, 0.0]
    assert values("effort", answers("ces", [100.0, 0.0]), effort_low_is_easy=True) == [0.0, 100.0]


def test_the_service_gap_is_perception_minus_expectation():
    rows = answers("servqual", [75.0, 100.0], "service", expectation=100.0)
    assert values("gap", rows) == [-25.0, 0.0]


def test_the_service_gap_reads_the_pairs_of_every_instrument():
    """Speed is asked as a pair; the customer without an answer was asked; price has no expectation."""
    rows = pd.concat([
        answers("csat", [75.0, 50.0, np.nan], "speed", expectation=[100.0, np.nan, np.nan]),
        answers("csat", [10.0], "price"),
        answers("nps", [90.0], expectation=60.0),
    ], ignore_index=True)  # fmt: skip
    found = SATISFACTION_METRICS["gap"].compute(rows, SatisfactionSettings())
    assert found["dimension"].tolist() == ["speed"] * 3 + ["overall"]
    assert found["value"].tolist() == pytest.approx([-25.0, np.nan, np.nan, 30.0], nan_ok=True)
    assert values("dimension", rows)[:2] == [75.0, 50.0]  # satisfaction by dimension keeps its rows


def test_a_metric_applies_to_its_own_question():
    rows = pd.concat(
        [answers("csat", [50.0]), answers("csat", [25.0], "price"), answers("nps", [90.0])]
    )
    assert values("csat_index", rows) == [5.0]
    assert values("dimension", rows) == [25.0]  # overall satisfaction is the index


def test_customers_count_once_per_period():
    customers = pd.DataFrame({
        "customer_id": list("ABCD"), "stood": [True, True, True, False],
        "stays": [True, False, True, True], "active": True, "called": [True, False, False, True],
        "complaints": [0, 3, 0, 1], "order_days": [0, 1, 2, 5],
        "known": pd.array([True, True, True, None], "boolean"), "loyal": [True, False, True, True],
    })  # fmt: skip
    assert values("retention", customers) == [1.0, 0.0, 1.0]
    assert values("called_back", customers) == [1.0, 0.0, 0.0]
    assert values("complaint", customers) == [0.0, 1.0, 0.0]
    assert values("complaints_per_100", customers) == [0.0, 300.0, 0.0]
    assert values("repurchase", customers) == [0.0, 1.0, 1.0]
    assert values("loyalty", customers) == [0.0, 1.0]
