"""Numbers, shares, money and dates in both languages, compared with Babel where the rules agree."""

from datetime import date

import pytest
from babel.numbers import format_decimal

from features.formatting import (
    ENGLISH,
    NumberFormat,
    close_up_percent,
    is_label,
    label_number,
    listed,
    short_number,
    short_percent,
    short_signed,
)

CHINESE = NumberFormat("zh")


@pytest.mark.parametrize("value", [0.0, 7.25, -12.0, 999.5, 1234.5, 9_876_543.25])
@pytest.mark.parametrize("locale", ["en_GB", "zh_Hans_CN"])
def test_digits_are_grouped_as_babel_groups_them(value, locale):
    expected = format_decimal(value, "#,##0.00", locale=locale).replace("-", "−")
    assert ENGLISH.decimal(value, 2) == CHINESE.decimal(value, 2) == expected


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (7_900_000, "EUR 7.9 million", "790万欧元"),
        (250_000_000, "EUR 250 million", "2.5亿欧元"),
        (12_345, "EUR 12,345", "1.2万欧元"),
        (-40.2, "EUR −40", "−40欧元"),
        (None, "–", "–"),
        (float("nan"), "–", "–"),
    ],
)
def test_money(value, english, chinese):
    assert (ENGLISH.money(value, "EUR"), CHINESE.money(value, "EUR")) == (english, chinese)


def test_a_currency_has_its_code_in_english_and_its_name_in_chinese():
    assert (ENGLISH.currency("BRL"), CHINESE.currency("BRL")) == ("BRL", "巴西雷亚尔")
    assert CHINESE.currency("XYZ") == "XYZ"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.377, "37.7%"), (0.0001, "< 0.1%"), (1.0, "100%"), (-0.01, "−1.0%"), (0.0, "0%"),
     (None, "–"), (float("nan"), "–")],
)  # fmt: skip
def test_a_percent_sign_follows_its_number_directly(value, text):
    assert ENGLISH.percent(value) == CHINESE.percent(value) == text


def test_a_share_close_to_0_or_1_is_not_written_as_one_of_them():
    assert [ENGLISH.percent(s) for s in (0.00049, 0.0005, 0.9994, 0.9996)] == [
        "< 0.1%", "0.1%", "99.9%", "> 99.9%",
    ]  # fmt: skip
    assert (ENGLISH.percent(0.0004, 2), ENGLISH.percent(0.99996, 2)) == ("0.04%", "> 99.99%")


def test_percent_with_other_decimals():
    assert (ENGLISH.percent(0.377, 0), ENGLISH.percent(0.377, 2)) == ("38%", "37.70%")


@pytest.mark.parametrize(
    ("written", "expected"),
    [(ENGLISH.count(12345.6), "12,346"), (ENGLISH.signed(-12), "−12.0"),
     (ENGLISH.signed(5.49), "+5.5"), (ENGLISH.signed(0.25, 2), "+0.25"), (ENGLISH.count(None), "–")],
)  # fmt: skip
def test_counts_and_signs(written, expected):
    assert written == expected


@pytest.mark.parametrize(
    ("length", "english", "chinese", "short"),
    [("month", "April 2026", "2026年4月", "2026-04"),
     ("quarter", "Q2 2026", "2026年第2季度", "2026 Q2"),
     ("year", "2026", "2026年", "2026")],
)  # fmt: skip
def test_periods(length, english, chinese, short):
    start = date(2026, 4, 1)
    assert (ENGLISH.period(start, length), CHINESE.period(start, length)) == (english, chinese)
    assert ENGLISH.short_period(start, length) == short


def test_days():
    assert ENGLISH.day(date(2026, 4, 2)) == "2 April 2026"
    assert CHINESE.day(date(2026, 4, 2)) == "2026年4月2日"


def test_an_interval_writes_a_shared_unit_once():
    assert ENGLISH.interval("3.0%", "5.0%") == "3.0 to 5.0%"
    assert CHINESE.interval("9.9 小时", "19.1 小时") == "9.9 至 19.1 小时"
    assert ENGLISH.interval("−3.0", "+5.0") == "−3.0 to +5.0"
    assert ENGLISH.interval("< 0.1%", "0%") == "< 0.1 to 0%"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.4, "1,234"), (56.2, "56"), (9.96, "10"), (3.44, "3.4"), (3.0, "3"), (0.25, "0.25"),
     (-0.001, "0"), (2.675, "2.7"), (0.125, "0.12")],
)  # fmt: skip
def test_numbers_of_reason_sentences(value, text):
    assert short_number(value) == text


def test_signs_and_percent_of_reason_sentences():
    """These texts are stored in reasons.parquet: they must stay as they are."""
    assert [short_signed(v) for v in (4.0, -9.24, 0.001)] == ["+4", "-9.2", "±0"]
    assert [short_percent(s) for s in (0.0, 0.001, 0.42)] == ["0 %", "< 1 %", "42 %"]


def test_pages_close_up_the_percent_sign_of_a_sentence():
    assert close_up_percent("returns rose from 5 % to < 12 % of orders") == (
        "returns rose from 5% to < 12% of orders"
    )
    assert close_up_percent("a % of nothing") == "a % of nothing"


def test_words_in_a_row():
    assert [listed(w) for w in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("customer_since", True), ("crm_customer_since", True), ("birth_year", True),
        ("year_of_birth", True), ("founded", True), ("zip_code_prefix", True), ("plz", True),
        ("成立年份", True), ("days_since", False), ("days_since_order", False), ("credit_limit", False),
        ("years", False), ("age", False), ("number_of_employees", False),
    ],
)  # fmt: skip
def test_years_and_codes_are_labels(name, label):
    assert is_label(name) is label


def test_a_label_has_no_thousands_separator():
    assert [label_number(v) for v in (2022.0, 2021.5, 80331.0)] == ["2022", "2021.5", "80331"]
