"""The call list: order by revenue at risk, and reasons in both languages."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from insight.business_report.call_list import call_list, call_reasons
from insight.business_report.report_inputs import load_report_inputs
from models.explain.reasons_table import SCHEMA


@pytest.fixture
def reasons(evaluated):
    """Stored reasons of two customers; two reasons of C2 improve the prediction."""
    company, workspace = evaluated
    lines = [
        ("C2", "churn", 1, "orders_90d", 4.0, "no orders: +4 points", "无订单"),
        ("C2", "churn", 2, "days", -3.0, "a good sign", "好兆头"),
        ("C2", "churn", 3, "late", 1.0, "late: +1 point", "延迟"),
        ("C2", "satisfaction", 1, "late", -9.0, "late on 5 % of orders: -9 points", "延迟，满意度"),
        ("C2", "satisfaction", 2, "price", 2.0, "happy with the price", "价格满意"),
        ("C2", "nps", 1, "reply", -5.0, "slow reply: -5", "响应慢"),
        ("C2", "value", 1, "tenure", -100.0, "new: -100", "新客户"),
        ("C4", "churn", 1, "orders_90d", 1.0, "gone anyway", "已走"),
    ]
    write(lines, workspace)
    return company, workspace


def write(lines, workspace):
    lines = [(*line, datetime(2026, 1, 1, tzinfo=UTC), "1") for line in lines]
    table = pa.table([pa.array(c) for c in zip(*lines, strict=True)], names=SCHEMA.names)
    pq.write_table(table.cast(SCHEMA), workspace.scores("tiny").with_name("reasons.parquet"))


def test_customers_are_sorted_by_value_times_the_higher_risk(english):
    """C2 1000 x 0.1, C1 100 x 0.8, C3 200 x 0.25; C4 is gone."""
    found = call_list(english)
    assert [c.customer for c in found.entries] == ["C2", "C1", "C3"]
    first = found.entries[0]
    assert (first.tier, first.stars, first.stage) == ("A", 4, "active")
    assert (first.value, first.churn, first.dissatisfied) == ("1,000", "10%", "10%")
    assert first.service == "priority service, reply within 2 h"
    assert found.tiers == ["A", "B"]
    assert found.order.startswith("Sorted by revenue at risk in the next 90 days")


@pytest.mark.parametrize(
    ("targets", "first", "order"),
    [
        (("churn", "value"), "C2", "expected value × churn probability"),
        (("churn",), "C1", "by churn probability"),
        (("satisfaction",), "C1", "by probability of dissatisfaction"),
        (("nps",), "C1", "by probability of dissatisfaction"),
        (("value",), "C2", "by expected value;"),
    ],
)
def test_without_a_prediction_the_others_decide_the_order(world, scores_of, targets, first, order):
    found = call_list(load_report_inputs(*world(scores_of(*targets)), "en"))
    assert found.entries[0].customer == first
    assert order in found.order
    assert not found.has["tier"]
    assert found.has["value"] == ("value" in targets)


def test_before_the_first_scoring_there_is_no_list(world):
    assert call_list(load_report_inputs(*world(), "en")) is None


def test_three_reasons_that_worsen_the_predictions(reasons):
    english = call_list(load_report_inputs(*reasons, "en")).entries
    assert english[0].reasons == [
        "no orders: +4 points",
        "late on 5% of orders: -9 points",
        "slow reply: -5",
    ]
    assert english[1].reasons == []
    chinese = call_list(load_report_inputs(*reasons, "zh")).entries
    assert chinese[0].reasons == ["无订单", "延迟，满意度", "响应慢"]


def test_with_value_alone_the_reasons_are_those_for_a_high_value(evaluated):
    lines = [
        ("C2", "value", 1, "tenure", 90.0, "old friend: +90", "老客户"),
        ("C2", "value", 2, "month", -20.0, "December: -20", "十二月"),
    ]
    write(lines, evaluated[1])
    assert call_reasons(load_report_inputs(*evaluated, "en").facts, ["C2"], "en") == {
        "C2": ["old friend: +90"]
    }


def test_a_factor_appears_once(reasons):
    found = call_reasons(load_report_inputs(*reasons, "en").facts, ["C2"], "en")
    assert sum("late" in text for text in found["C2"]) == 1


def test_reasons_are_computed_where_none_are_stored(trained_company):
    found = call_list(load_report_inputs(*trained_company, "zh"))
    assert all(1 <= len(c.reasons) <= 3 for c in found.entries)
    assert any("流失" in text or "满意度" in text for c in found.entries for text in c.reasons)
