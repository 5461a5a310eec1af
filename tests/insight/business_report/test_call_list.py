"""The call list: order by revenue at risk, and reasons in both languages."""

import re
from dataclasses import replace
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
    first, second, _ = found.entries
    assert (first.tier, first.stage) == ("A", "active")
    assert (first.amount, first.made_of) == ("100", "1,000 × 10% churn")
    assert (second.amount, second.made_of) == ("80", "100 × 80% dissatisfied")
    assert (found.amount, found.tiers) == ("At risk in 90 days (EUR)", ["A", "B"])
    assert found.order.startswith(
        "Sorted by revenue at risk: the value expected in the next 90 days"
    )


def test_the_next_step_follows_the_service_policy(english, chinese):
    first, second, _ = call_list(english).entries
    assert first.next_step == "Account manager calls within 2\u00a0h"
    assert second.next_step == "Shared account manager calls within 8\u00a0h"
    assert call_list(chinese).entries[0].next_step == "专属客户经理在 2\u00a0小时内联系"


def test_owner_and_region_are_those_at_the_end_of_the_data(evaluated):
    """The record of C1 has changed; C2 has none."""
    company, workspace = evaluated
    rows = [("C1", 1, "S1", "North China"), ("C1", 6, "S2", "East China"), ("C3", 1, "S3", "Mars")]
    times = [datetime(2025, month, 1, tzinfo=UTC) for _, month, _, _ in rows]
    table = pa.table({
        "customer_id": [r[0] for r in rows], "valid_from": pa.array(times, pa.timestamp("us", "UTC")),
        "account_owner": [r[2] for r in rows], "region": [r[3] for r in rows],
    })  # fmt: skip
    pq.write_table(table, workspace.history("tiny") / "customers.parquet")
    inputs = load_report_inputs(company, workspace, "zh")
    tables = inputs.facts.manifest.schema.tables | {"customers": tuple(table.column_names)}
    schema = replace(inputs.facts.manifest.schema, tables=tables)
    facts = replace(inputs.facts, manifest=replace(inputs.facts.manifest, schema=schema))
    entries = {c.customer: c for c in call_list(replace(inputs, facts=facts)).entries}
    assert {c: (e.owner, e.region) for c, e in entries.items()} == {
        "C1": ("S2", "华东"), "C2": ("", ""), "C3": ("S3", "Mars"),
    }  # fmt: skip


def test_each_customer_links_to_the_console(english, monkeypatch):
    assert call_list(english).entries[0].link == "http://127.0.0.1:3000/#customer/C2"
    monkeypatch.setenv("GOODWILL_CONSOLE_URL", "https://goodwill.example/")
    assert call_list(english).entries[0].link == "https://goodwill.example/#customer/C2"


def test_an_unusual_id_is_escaped_in_the_link(world, scores_of):
    scores = scores_of("churn")
    scores["customer_id"][0] = "a/b?c"
    found = call_list(load_report_inputs(*world(scores), "en"))
    assert found.entries[0].link.endswith("/#customer/a%2Fb%3Fc")


def test_lift_in_plain_words(trained_company):
    found = call_list(load_report_inputs(*trained_company, "en"))
    assert re.fullmatch(
        r"Call the riskiest tenth of all customers and you reach \d+% of those who leave\.",
        found.reach,
    )


@pytest.mark.parametrize(
    ("targets", "first", "order"),
    [
        (("churn", "value"), "C2", "× the probability of churn (within 90 days)"),
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
    assert found.amount == {
        ("churn", "value"): "At risk in 90 days (EUR)", ("value",): "Expected in 90 days (EUR)",
    }.get(targets, "Probability")  # fmt: skip
    assert found.reach == ""


def test_before_the_first_scoring_there_is_no_list(world):
    assert call_list(load_report_inputs(*world(), "en")) is None


def test_two_reasons_that_worsen_the_predictions(reasons):
    english = call_list(load_report_inputs(*reasons, "en")).entries
    assert english[0].reasons == [
        "no orders: +4 points",
        "late on 5% of orders: -9 points",
    ]
    assert english[1].reasons == ["No factor raises the risk; listed for the value"]
    chinese = call_list(load_report_inputs(*reasons, "zh")).entries
    assert chinese[0].reasons == ["无订单", "延迟，满意度"]


def test_with_value_alone_the_reasons_are_those_for_a_high_value(evaluated):
    lines = [
        ("C2", "value", 1, "tenure", 90.0, "old friend: +90", "老客户"),
        ("C2", "value", 2, "month", -20.0, "December: -20", "十二月"),
    ]
    write(lines, evaluated[1])
    assert call_reasons(load_report_inputs(*evaluated, "en").facts, {"C2": ["churn"]}, "en") == {
        "C2": ["old friend: +90"]
    }


def test_the_reason_of_the_risk_that_a_customer_is_listed_for_comes_first(reasons):
    facts = load_report_inputs(*reasons, "en").facts
    churn, dissatisfied = (
        call_reasons(facts, {"C2": targets}, "en")["C2"] for targets in (("churn",), ("satisfaction",))
    )  # fmt: skip
    assert churn[:2] == ["no orders: +4 points", "late on 5% of orders: -9 points"]
    assert dissatisfied[:2] == ["late on 5% of orders: -9 points", "no orders: +4 points"]


def test_a_factor_appears_once(reasons):
    found = call_reasons(load_report_inputs(*reasons, "en").facts, {"C2": ["churn"]}, "en")
    assert sum("late" in text for text in found["C2"]) == 1


def test_reasons_are_computed_where_none_are_stored(trained_company):
    found = call_list(load_report_inputs(*trained_company, "zh"))
    assert all(1 <= len(c.reasons) <= 2 for c in found.entries)
    assert any("流失" in text or "满意度" in text for c in found.entries for text in c.reasons)
