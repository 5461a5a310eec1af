"""Sentences in both languages: every feature, numbers, signs, singulars, missing values."""

import re

import pytest

from features.definitions.company_schema import CompanySchema
from features.definitions.feature_registry import FeatureColumn, feature_columns
from features.feature_table import FAMILIES
from features.formatting import short_number, short_percent, short_signed
from models.explain import sentences_en, sentences_zh
from support.small_models import SCHEMA

#: A company with all tables and columns.
EVERYTHING = CompanySchema(
    tables={
        "customers": ("customer_id", "valid_from", "region", "credit_limit", "customer_since"),
        "events": ("customer_id", "occurred_at", "known_at", "kind", "amount", "quantity", "channel",
                   "category", "due_at"),
        "surveys": ("customer_id", "sent_at", "answered_at", "instrument", "dimension", "score",
                    "scale_low", "scale_high", "expectation", "comment"),
        "tickets": ("customer_id", "opened_at", "first_reply_at", "closed_at", "kind", "category",
                    "severity", "reopened", "comment"),
    },
    attributes={"region": "text", "credit_limit": "number", "customer_since": "number"},
    dimensions=("price", "staff"),
    horizons=(60,),
    tops={"tickets.category": ("delivery", "price")},
)  # fmt: skip
COLUMNS = {c.name: c for c in feature_columns(EVERYTHING)}
EVERY = [c for c in COLUMNS.values() if c.declared_in in {f.__name__ for f in FAMILIES}]


def say(name: str, value: float | str | None, before: float | None = None) -> tuple[str, str]:
    column = COLUMNS[name]
    return (
        sentences_en.cause(column, value, before, "EUR"),
        sentences_zh.cause(column, value, before, "EUR"),
    )


@pytest.mark.parametrize(
    ("name", "value", "before", "en", "zh"),
    [
        ("orders_90d", 2.0, 6.0, "orders fell from 6 to 2 in 90 days", "近90天的订单数从6降到2"),
        ("orders_90d", 1.0, None, "1 order in the last 90 days", "近90天的订单数为1"),
        ("orders_90d", 0.0, None, "no orders in the last 90 days", "近90天的订单数为0"),
        ("orders_90d", 3.0, 3.0, "3 orders in the last 90 days", "近90天的订单数为3"),
        ("orders_all", 1204.0, None, "1,204 orders so far", "累计订单数为1,204"),
        ("visits_90d", 1.0, None, "1 sales visit in the last 90 days", "近90天的销售拜访次数为1"),
        ("categories_365d", 1.0, None,
         "1 different product category ordered in the last 365 days", "近365天的订购品类数为1"),
        ("revenue_90d", 300.4, 1200.0,
         "net revenue fell from 1,200 to 300 EUR in 90 days", "近90天的净收入从1,200 EUR降到300 EUR"),
        ("days_since_order", 74.2, None, "74 days since the last order", "距上次下单已74天"),
        ("days_since_order", 1.0, None, "1 day since the last order", "距上次下单已1天"),
        ("days_since_order", None, None, "no order so far", "至今没有订单"),
        ("days_since_answer", None, None, "never answered a survey", "从未回答过调查"),
        ("days_since_question", None, None, "never asked in a survey", "从未收到过调查"),
        ("csat_365d", None, None, "no survey answers in the last 365 days", "近365天没有调查回答"),
        ("csat_slope_365d", None, None,
         "too few survey answers in the last 365 days to tell", "近365天调查回答太少，无法判断"),
        ("order_trend", None, None, "no orders in the last 365 days", "近365天没有订单"),
        ("comment_sentiment_last", None, None, "no comment so far", "至今没有评论"),
        ("crm_region", None, None, "region in the CRM is unknown", "客户档案中的地区未知"),
        ("crm_region", "north", None, "region in the CRM is north", "客户档案中的地区为north"),
        ("crm_credit_limit", 54100.0, None,
         "credit limit in the CRM is 54,100", "客户档案中的信用额度为54,100"),
        ("crm_customer_since", 2022.0, None,
         "customer since in the CRM is 2022", "客户档案中的成为客户的年份为2022"),
        ("late_deliveries_90d", 0.42, 0.1, "share of deliveries that came late rose from 10 to 42 % "
         "in 90 days", "近90天的配送迟到率从10%升到42%"),
        ("return_share_365d", -0.33, -0.1, "share of ordered money that was returned rose from 10 to "
         "33 % in 365 days", "近365天的退货金额占比从10%升到33%"),
        ("delivery_lateness_90d", -1.0, None, "deliveries in the last 90 days came 1 day early on "
         "average", "近90天的配送平均提前1天"),
        ("delivery_lateness_90d", 3.4, -1.0, "deliveries in the last 90 days came 3.4 days late on "
         "average, 1 day early in the 90 days before", "近90天的配送平均迟到3.4天，此前90天为提前1天"),
        ("last_delivery_lateness", 0.0, None, "the last delivery came on time", "最近一次配送准时"),
        ("payment_overdue_90d", 2.0, None, "payments in the last 90 days came 2 days late on average",
         "近90天的付款平均逾期2天"),
        ("undelivered_90d", -2.0, None, "no orders not yet delivered in the last 90 days",
         "近90天的未送达订单数为0"),
        ("delivery_days", -4.0, None, "the last order is still on its way", "最近一单还在途中"),
        ("delivery_days", 4.0, None, "4 days from the last order to the last delivery",
         "最近一单到最近一次配送相隔4天"),
        ("order_overdue", 2.5, None, "2.5 times the customer's usual gap since the last order",
         "距上次下单已是平常间隔的2.5倍"),
        ("expectation_gap_365d", -25.0, None, "service in the last 365 days was 25 points below "
         "expectation", "近365天的服务低于预期25分"),
        ("csat_last", 75.0, None, "satisfaction last answered is 75 of 100", "最近一次满意度评分为75分"),
        ("reply_hours_90d", 180.0, 32.0, "mean wait for a first reply rose from 32 hours to 7.5 days in "
         "90 days", "近90天的平均首次回复用时从32小时升到7.5天"),
        ("ticket_sentiment_365d", -0.4, None, "mean sentiment of ticket texts in the last 365 days is "
         "negative (-0.4)", "近365天的工单文本情绪为负面（-0.4）"),
        ("season", 7.0, None, "time of the year is July", "当前月份为7月"),
        ("satisfaction_with_price_365d", 50.0, None, "mean satisfaction with price answered in the last "
         "365 days is 50 of 100", "近365天对价格的平均满意度评分为50分"),
        ("last_ticket_category", "staff", None, "category of the last ticket is staff",
         "最近一个工单的类别为staff"),
    ],
)  # fmt: skip
def test_sentences(
    name: str, value: float | str | None, before: float | None, en: str, zh: str
) -> None:
    assert say(name, value, before) == (en, zh)


@pytest.mark.parametrize("column", EVERY, ids=lambda c: c.name)
def test_every_feature_has_sentences_in_both_languages(column: FeatureColumn) -> None:
    for value in (None, -2.5, 0.0, 0.4, 1.0, 3.0, 1234.5):
        shown = abs(value or 1) % 12 + 1 if column.unit == "month" and value is not None else value
        before = 7.0 if column.window else None
        stated = "north" if column.is_text and value is not None else shown
        en, zh = say(column.name, stated, before)
        assert en == en.strip(), (en, zh)
        assert zh == zh.strip(), (en, zh)
        assert not re.search(r"[{}]|nan|None|  |\b1 \w+s since|--", en + zh), (en, zh)
        assert re.search(r"[\u4e00-\u9fff]", zh), f"{column.name} has no Chinese phrase"
        assert not re.search(r"[\u4e00-\u9fff]", en)
        if column.window and stated is not None:
            assert f"{column.window}" in en, (column.name, en)
            assert f"{column.window}" in zh, (column.name, zh)


def test_sentences_of_different_columns_differ() -> None:
    stated = [
        sentences_en.cause(c, 3.0, None, "EUR")
        for c in EVERY
        if not c.is_text and c.unit != "month"
    ]
    assert len(set(stated)) == len(stated)
    zh = [
        sentences_zh.cause(c, 3.0, None, "EUR")
        for c in EVERY
        if not c.is_text and c.unit != "month"
    ]
    assert len(set(zh)) == len(zh)


@pytest.mark.parametrize(
    ("target", "points", "en", "zh"),
    [
        ("churn", 11.2, "+11 points churn risk", "流失风险+11个百分点"),
        ("churn", -1.0, "-1 point churn risk", "流失风险-1个百分点"),
        ("satisfaction", -3.46, "-3.5 points satisfaction", "满意度-3.5分"),
        ("nps", 0.002, "±0 points NPS", "净推荐值±0分"),
        ("value", 1234.5, "+1,234 EUR expected revenue", "预期收入+1,234 EUR"),
    ],
)
def test_effects(target: str, points: float, en: str, zh: str) -> None:
    assert (
        sentences_en.effect(target, points, "EUR"),
        sentences_zh.effect(target, points, "EUR"),
    ) == (
        en,
        zh,
    )


def test_money_without_a_currency_is_a_bare_number() -> None:
    assert sentences_en.effect("value", 12.0, "") == "+12 expected revenue"
    assert sentences_zh.effect("value", 12.0, "") == "预期收入+12"
    assert sentences_en.written(12.0, "money", "") == "12"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,234"), (56.4, "56"), (9.96, "10"), (3.44, "3.4"), (3.0, "3"), (0.25, "0.25"),
     (0.001, "0"), (-0.001, "0"), (-12.3, "-12")],
)  # fmt: skip
def test_numbers(value: float, text: str) -> None:
    assert short_number(value) == text


def test_small_shares_are_not_zero_percent() -> None:
    assert [short_percent(s) for s in (0.0, 0.001, 0.42)] == ["0 %", "< 1 %", "42 %"]
    assert [short_signed(v) for v in (2.0, -2.0, 0.0001)] == ["+2", "-2", "±0"]


def test_a_company_with_fewer_tables_has_sentences() -> None:
    for column in feature_columns(SCHEMA):
        assert sentences_en.cause(column, None, None, "EUR")
        assert sentences_zh.cause(column, None, None, "EUR")
