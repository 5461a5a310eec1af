"""Indicators overall and by group, trends and drivers show the numbers of the evaluation."""

import pytest

from insight.business_report.drivers_section import drivers_section
from insight.business_report.indicators_section import (
    group_tables,
    indicator_rows,
    interval_bar,
    not_measured,
)
from insight.business_report.trends_section import (
    missing_corrections,
    missing_forecasts,
    trend_charts,
)
from support import report_builders


def test_every_indicator_has_a_row(english):
    found = {r.title: r for r in indicator_rows(english)}
    assert len(found) == 4
    nps = found["Net promoter score (NPS)"]
    assert (nps.asked, nps.response_rate, nps.year) == ("200", "60%", "+34.0")
    assert (nps.everybody.value, nps.everybody.interval) == ("+29.5", "+24.0 to +35.0")
    assert found["Satisfaction by dimension: price"].bar is None  # no interval, no bar
    assert not_measured(english) == [
        ("Customer effort (100: none)", "no question of instrument ces was asked")
    ]


def test_a_bar_is_placed_within_the_range_of_all_values():
    """31.25 (27.5 to 35) on 27.5 to 45, the target at the end."""
    found = interval_bar(report_builders.nps())
    assert (found.left, found.width, found.mark) == (0.0, pytest.approx(42.9), 100.0)
    assert found.dot == pytest.approx(100 * 3.75 / 17.5, abs=0.05)


def test_groups_of_each_attribute_with_a_note_on_hidden_ones(english):
    found = {t.by: t for t in group_tables(english)}
    assert [t.name for t in found.values()] == ["Region", "Channel", "Tier"]
    region = found["crm_region"]
    assert region.columns == ["Net promoter score (NPS)", "Satisfaction index (0 to 10)"]
    assert [r.name for r in region.rows] == ["East China", "North America"]
    assert [cell.figure.value for cell in region.rows[0].cells] == ["+20.5", "7.20"]
    assert region.rows[0].cells[0].everybody.value == "+17.5"
    assert region.rows[0].cells[0].forecast.value == "+21.0"
    assert region.rows[1].cells[0].forecast is None
    assert region.rows[0].cells[0].figure.exact == {
        "indicator": "nps", "value": "20.5", "low": "14.5", "high": "26.5", "n": "45",
        "of": "crm_region=East China",
    }  # fmt: skip
    assert region.hidden.startswith("2 groups are hidden")
    assert found["tier"].rows[0].name == "A"


def test_groups_are_named_in_chinese(chinese):
    found = group_tables(chinese)
    assert [t.name for t in found] == ["区域", "渠道", "客户层级"]
    assert [r.name for r in found[0].rows] == ["华东", "北美"]


def test_every_point_of_a_trend_has_a_tooltip(english):
    nps, csat, complaint = trend_charts(english)
    assert nps.chart.count('class="tip"') == 10  # eight quarters and two ahead
    assert "Q4 2025: +31.2 (+26.2 to +36.2), n = 120" in nps.chart
    assert "Q2 2026: +28.5 (+20.5 to +36.5), forecast" in nps.chart
    assert nps.note.startswith("Forecast: exponential smoothing; error 21% lower")
    assert csat.note == complaint.note == ""
    assert csat.chart.count('class="tip"') == 8


def test_indicators_with_the_same_reason_are_grouped(english):
    assert missing_forecasts(english) == [
        ("Satisfaction index (0 to 10)", "8 periods; 12 are needed")
    ]
    assert missing_corrections(english) == [
        ("Satisfaction index (0 to 10)", "non-response has not been estimated yet")
    ]


def test_drivers_with_their_recommendation(english, chinese):
    part = drivers_section(english)
    assert "812 complete answers (40 incomplete answers excluded)" in part.note
    first = part.rows[0]
    assert (first.name, first.importance, first.importance_interval) == (
        "service",
        "41%",
        "33 to 49%",
    )
    assert (first.quadrant, first.bar, first.clear) == ("improve first", 100.0, True)
    assert not part.rows[3].clear
    assert part.chart.count('class="tip"') == 4
    assert [r.name for r in drivers_section(chinese).rows] == ["服务", "产品", "交付", "价格"]
    assert ">服务</text>" in drivers_section(chinese).chart
