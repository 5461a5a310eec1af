"""Numbers and dates by language."""

from datetime import date

import pytest
from insight.business_report.numerals import Numerals

from insight.business_report.translations import Translator

ENGLISH, CHINESE = Numerals(Translator("en"), "EUR"), Numerals(Translator("zh"), "CNY")


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [
        (7_900_000, "EUR 7.9 million", "790.0 万元"),
        (250_000_000, "EUR 250.0 million", "2.5 亿元"),
        (12_345, "EUR 12,345", "1.2 万元"),
        (-40.2, "EUR −40", "−40元"),
        (None, "–", "–"),
        (float("nan"), "–", "–"),
    ],
)
def test_money(value, english, chinese):
    assert (ENGLISH.money(value), CHINESE.money(value)) == (english, chinese)


@pytest.mark.parametrize(
    ("value", "english", "chinese"),
    [(0.377, "37.7 %", "37.7%"), (0.0001, "< 0.1 %", "< 0.1%"), (1.0, "100 %", "100%"),
     (-0.01, "−1.0 %", "−1.0%"), (0.0, "0 %", "0%")],
)  # fmt: skip
def test_shares(value, english, chinese):
    assert (ENGLISH.share(value), CHINESE.share(value)) == (english, chinese)


@pytest.mark.parametrize(
    ("length", "english", "chinese", "short"),
    [("month", "April 2026", "2026年4月", "2026-04"),
     ("quarter", "quarter 2 of 2026", "2026年第2季度", "2026 Q2"),
     ("year", "2026", "2026年", "2026")],
)  # fmt: skip
def test_periods(length, english, chinese, short):
    start = date(2026, 4, 1)
    assert (ENGLISH.period(start, length), CHINESE.period(start, length)) == (english, chinese)
    assert ENGLISH.short_period(start, length) == short


def test_days():
    assert ENGLISH.day(date(2026, 4, 2)) == "2 April 2026"
    assert CHINESE.day(date(2026, 4, 2)) == "2026年4月2日"


def test_a_unit_both_ends_have_is_said_once():
    assert ENGLISH.between("3.0 %", "5.0 %") == "3.0 to 5.0 %"
    assert CHINESE.between("9.9 小时", "19.1 小时") == "9.9 至 19.1 小时"
    assert ENGLISH.between("−3.0", "+5.0") == "−3.0 to +5.0"
    assert ENGLISH.between("< 0.1 %", "0 %") == "< 0.1 to 0 %"
