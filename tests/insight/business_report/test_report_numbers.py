"""Indicators overall and by group, trends and drivers show the numbers of the evaluation."""

from datetime import date

import pytest

from insight.business_report.cohorts_section import cohorts_section
from insight.business_report.comments_section import comments_section
from insight.business_report.drivers_section import drivers_section
from insight.business_report.group_trends import by_quarter, group_trends, spread
from insight.business_report.indicators_section import (
    group_tables,
    indicator_rows,
    interval_bar,
    not_measured,
)
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.revenue_trend import revenue_trend
from insight.business_report.trends_section import (
    missing_corrections,
    missing_forecasts,
    trend_charts,
)
from support import report_builders

from .conftest import write_evaluation_files


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
    assert nps.unit == "points, −100 to 100, by quarter, forecast 2 quarters ahead"
    assert complaint.unit == "% of customers, by quarter"
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
    assert (part.verdict, part.clear) == ("Improve first: service.", True)
    assert part.chart.count('class="tip"') == 4
    assert [r.name for r in drivers_section(chinese).rows] == ["服务", "产品", "交付", "价格"]
    assert ">服务</text>" in drivers_section(chinese).chart


def test_where_no_driver_stands_out_the_report_says_so(evaluated):
    found = report_builders.drivers()
    unclear = [d.model_copy(update={"clear": False}) for d in found.drivers]
    whole = report_builders.evaluation(drivers=found.model_copy(update={"drivers": unclear}))
    write_evaluation_files(evaluated[1], whole)
    part = drivers_section(load_report_inputs(*evaluated, "en"))
    assert part.verdict.startswith("No driver stands out")
    assert not part.clear
    kept = [d.model_copy(update={"quadrant": "low priority"}) for d in found.drivers]
    write_evaluation_files(
        evaluated[1],
        report_builders.evaluation(drivers=found.model_copy(update={"drivers": kept})),
    )
    part = drivers_section(load_report_inputs(*evaluated, "en"))
    assert part.verdict.startswith("No driver is clearly both important and weak")


def with_owners(values, half):
    """NPS 31.25 of the company, and an owner with each of these values."""
    cells = [report_builders.cell("account_owner", f"S{n}", v, half) for n, v in enumerate(values)]
    return report_builders.evaluation(
        indicators=[report_builders.nps().model_copy(update={"cells": cells, "hidden": {}})]
    )


def test_of_many_groups_only_those_are_shown_that_differ(evaluated):
    """Twelve owners; 12 points from 31.25 are more than 3.0 / 1.96 times 6, for 12 cells."""
    write_evaluation_files(evaluated[1], with_owners([31.0] * 10 + [19.0, 44.0], 6.0))
    (table,) = group_tables(load_report_inputs(*evaluated, "en"))
    assert [r.name for r in table.rows] == ["S10", "S11"]
    assert all(cell.differs for row in table.rows for cell in row.cells)
    assert table.note.startswith("2 of 12 groups are shown")


def test_many_groups_of_which_none_differs(evaluated):
    write_evaluation_files(evaluated[1], with_owners([31.0] * 11 + [24.0], 6.0))
    (table,) = group_tables(load_report_inputs(*evaluated, "zh"))
    assert table.rows == []
    assert table.note == "12 个群体与公司整体的差异均未超出偶然波动。"


def test_lines_of_the_regions(english):
    (found,) = group_trends(english)
    assert (found.title, found.note) == (
        "Net promoter score (NPS) by region", "points, −100 to 100, by quarter",
    )  # fmt: skip
    assert found.chart.count('class="tip"') == 16
    assert "East China, Q4 2025: +20.5, n = 120" in found.chart
    assert ">North America</text>" in found.chart


def test_months_of_a_region_are_means_of_quarters():
    months = [date(2025, month, 1) for month in range(3, 8)]
    points = report_builders.line([9.0, 1.0, 2.0, 6.0, 4.0], 1.0, months)
    points[3] = points[3].model_copy(update={"answered": 360})
    cell = report_builders.cell("region", "North", 1.0, 1.0).model_copy(
        update={"over_time": points}
    )
    (second,) = by_quarter(cell, "month")  # the other quarters are not whole
    assert (second.period, second.value) == (date(2025, 4, 1), (1 + 2 + 3 * 6) / 5)
    assert by_quarter(cell, "quarter") == points


def test_labels_of_lines_are_apart():
    assert spread([1.0, 1.1, 5.0], 0.5) == pytest.approx([0.8667, 1.3667, 4.8667], abs=1e-3)


def test_revenue_by_month(english, chinese):
    (found,) = revenue_trend(english)
    assert found.unit == "EUR, by month"
    assert found.verdict == (
        "+5.0%, no clear change on the same 6 months of last year; −19.2% on the 6 months before"
    )
    assert found.chart.count('class="tip"') == 24
    assert "December 2025: EUR 210" in found.chart
    assert revenue_trend(chinese)[0].title == "收入"


def test_cohorts_are_shaded_by_the_share_that_stays(english):
    found = cohorts_section(english)
    assert found.quarters == [0, 1, 2]
    first, second = found.rows
    assert (first.name, first.customers) == ("2025 Q2", "900")
    assert first.note == "or before: the data begin here"
    assert second.note == ""
    assert [c.text for c in second.cells] == ["90%", "85%"]
    assert [c.depth for c in first.cells] == [1.0, 0.55, 0.1]
    assert first.cells[2].exact == {"cohort": "2025-04-01", "after": "2", "value": "0.65"}


def test_topics_of_comments_with_trend_and_examples(english, chinese):
    delivery, price = comments_section(english).rows
    assert (delivery.name, delivery.comments, delivery.share) == ("delivery", "80", "40%")
    assert (delivery.arrow, delivery.change) == ("▲", "+12.0 points")
    assert (delivery.negative, delivery.bar) == ("55%", 100.0)
    assert delivery.examples == ["The delivery was late again.", "Fast delivery."]
    assert (price.arrow, price.change, price.examples) == ("", "no comments a year ago", [])
    assert comments_section(chinese).rows[0].examples == ["交货总是迟到。"]
