"""Whom to call: valuable and likely to leave or unhappy, with reasons in words."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from insight.business_report.reasons_section import call_reasons

from insight.business_report.call_list import call_list
from insight.business_report.report_inputs import load_report_inputs
from models.explain.reasons_table import SCHEMA


@pytest.fixture
def reasons(evaluated):
    """Reasons of two customers as `make score` writes them; two of C2 make nothing worse."""
    company, workspace = evaluated
    lines = [
        ("C2", "churn", 1, "orders_90d", 4.0, "no orders: +4 points", "无订单"),
        ("C2", "churn", 2, "days", -3.0, "a good sign", "好兆头"),
        ("C2", "churn", 3, "late", 1.0, "late: +1 point", "延迟"),
        ("C2", "satisfaction", 1, "late", -9.0, "late: -9 points", "延迟，满意度"),
        ("C2", "satisfaction", 2, "price", 2.0, "happy with the price", "价格满意"),
        ("C2", "nps", 1, "reply", -5.0, "slow reply: -5", "响应慢"),
        ("C2", "value", 1, "tenure", -100.0, "new: -100", "新客户"),
        ("C4", "churn", 1, "orders_90d", 1.0, "gone anyway", "已走"),
    ]
    write(lines, workspace)
    return company, workspace


def write(lines, workspace):
    table = pa.table([pa.array(c) for c in zip(*lines, strict=True)], names=SCHEMA.names)
    pq.write_table(table.cast(SCHEMA), workspace.scores("tiny").with_name("reasons.parquet"))


def test_by_value_times_the_greater_danger(english):
    """C2 1000 x 0.1, C1 100 x 0.8, C3 200 x 0.25; C4 is gone."""
    found = call_list(english)
    assert [c.customer for c in found.calls] == ["C2", "C1", "C3"]
    first = found.calls[0]
    assert (first.tier, first.stars, first.stage) == ("A", 4, "active")
    assert (first.value, first.leaves, first.unhappy) == ("1,000", "10 %", "10 %")
    assert first.served == "priority service, reply in 2 h"
    assert found.tiers == ["A", "B"]
    assert found.order.startswith("Current customers by expected value × the greater probability")


@pytest.mark.parametrize(
    ("targets", "first", "order"),
    [
        (("churn", "value"), "C2", "by expected value × probability of leaving"),
        (("churn",), "C1", "by probability of leaving"),
        (("satisfaction",), "C1", "by probability of being dissatisfied"),
        (("nps",), "C1", "by probability of being dissatisfied"),
        (("value",), "C2", "by expected value;"),
    ],
)
def test_without_a_target_by_what_is_left(world, scores_of, targets, first, order):
    found = call_list(load_report_inputs(*world(scores_of(*targets)), "en"))
    assert found.calls[0].customer == first
    assert order in found.order
    assert not found.has["tier"]
    assert found.has["value"] == ("value" in targets)


def test_nobody_scored_is_nobody_to_call(world):
    assert call_list(load_report_inputs(*world(), "en")) is None


def test_three_reasons_that_make_it_worse(reasons):
    english = call_list(load_report_inputs(*reasons, "en")).calls
    assert english[0].reasons == ["no orders: +4 points", "late: -9 points", "slow reply: -5"]
    assert english[1].reasons == []
    chinese = call_list(load_report_inputs(*reasons, "zh")).calls
    assert chinese[0].reasons == ["无订单", "延迟，满意度", "响应慢"]


def test_where_only_value_is_predicted_why_he_is_valuable(evaluated):
    lines = [
        ("C2", "value", 1, "tenure", 90.0, "old friend: +90", "老客户"),
        ("C2", "value", 2, "month", -20.0, "December: -20", "十二月"),
    ]
    write(lines, evaluated[1])
    assert call_reasons(load_report_inputs(*evaluated, "en").facts, ["C2"], "en") == {
        "C2": ["old friend: +90"]
    }


def test_a_factor_is_said_once(reasons):
    told = call_reasons(load_report_inputs(*reasons, "en").facts, ["C2"], "en")
    assert sum("late" in text for text in told["C2"]) == 1


def test_reasons_are_worked_out_where_none_are_written(trained_company):
    found = call_list(load_report_inputs(*trained_company, "zh"))
    assert all(1 <= len(c.reasons) <= 3 for c in found.calls)
    assert any("流失" in text or "满意度" in text for c in found.calls for text in c.reasons)
