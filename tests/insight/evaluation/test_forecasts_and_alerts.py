"""Alerts of the last period and forecasts of lines, on four years of months."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from insight.evaluation.indicator_builder import build_indicator
from insight.evaluation.forecasts_and_alerts import EVERYTHING, HEADLINE, collect_series, find_alerts, add_forecasts
from insight.satisfaction.crosstabs import cross_tabulate
from insight.satisfaction.indicators import SatisfactionIndicator
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

MONTHS = [datetime(2022 + m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in range(48)]
WHOLE = (EVERYTHING, EVERYTHING)


def questions(months=MONTHS, answers=60, drop=0.0, seed=0):
    """Answers of two regions every month; the south falls by `drop` in the last one."""
    rng = np.random.default_rng(seed)
    season = 6 * np.sin(2 * np.pi * np.array([m.month for m in months]) / 12)
    parts = []
    for region in ("north", "south"):
        level = 70 + season[:, None] + rng.normal(0, 12, (len(months), answers))
        level[-1] -= drop * (region == "south")
        parts.append(pd.DataFrame({
            "period": np.repeat(pd.DatetimeIndex(months), answers), "region": region,
            "score": np.clip(level, 0, 100).ravel(),
        }))  # fmt: skip
    rows = pd.concat(parts, ignore_index=True)
    names = [f"C{i}" for i in range(len(rows))]
    return rows.assign(customer_id=names, instrument="csat", dimension="overall", weight=1.0)


def figure_of(rows, months=MONTHS):
    """The index of these answers, as the library tells it, and what it is made of."""
    choices = SatisfactionSettings(period="month", by=["region"])
    found = SatisfactionInputs(choices, "f", months, {"asked": rows}, {}, 0, ("region",))
    measure = SATISFACTION_METRICS["csat_index"]
    newest = rows[rows["period"] == months[-1]]
    by = {"region": cross_tabulate(measure, newest, choices, ("region",))}
    over_time = cross_tabulate(measure, rows, choices, ("period",))
    return SatisfactionIndicator("csat_index", None, measure, rows, over_time, by), found


def test_lines_are_of_the_whole_and_of_every_group_shown():
    figure, found = figure_of(questions(MONTHS[:12]), MONTHS[:12])
    lines = collect_series(figure, found)
    assert set(lines) == {WHOLE, ("region", "north"), ("region", "south")}
    assert [len(line) for line in lines.values()] == [12, 12, 12]


def test_a_group_that_falls_is_an_alert_of_the_last_month():
    figure, found = figure_of(questions(drop=25))
    heard, young = find_alerts("csat_index", collect_series(figure, found), found)
    assert young == 0
    (south,) = [alert for alert in heard if alert.group == "south"]
    assert (south.by, south.kind, south.period) == ("region", "jump", date(2025, 12, 1))
    assert south.errors_off < -3
    assert south.value < south.expected
    assert "north" not in {alert.group for alert in heard}


def test_former_alerts_are_not_repeated():
    rows = questions(drop=25)
    later = [*MONTHS, datetime(2026, 1, 1, tzinfo=UTC)]
    calm = questions(later).query("period == @later[-1]")
    after, found = figure_of(pd.concat([rows, calm]), later)
    heard, _ = find_alerts("csat_index", collect_series(after, found), found)
    assert "south" not in {alert.group for alert in heard if alert.kind == "jump"}


def test_young_lines_are_counted():
    figure, found = figure_of(questions(MONTHS[:8]), MONTHS[:8])
    assert find_alerts("csat_index", collect_series(figure, found), found) == ([], 3)


def test_other_figures_are_not_watched():
    figure, found = figure_of(questions(MONTHS[:9]), MONTHS[:9])
    other = SatisfactionIndicator("satisfied", None, figure.metric, figure.rows, figure.over_time, figure.by)
    assert collect_series(other, found) == {}
    assert find_alerts("satisfied", {}, found) == ([], 0)
    plain = build_indicator(other, found)
    assert add_forecasts(plain, {}, found) == plain


def test_a_segment_watched_by_all_indicators_has_at_most_one_false_alarm_a_year():
    """All headlines of 20 segments in which nothing happens, each month of two years the last one."""
    rng = np.random.default_rng(1)
    count = rng.poisson(60, (20 * len(HEADLINE), 36)).clip(20)
    error = 20 / np.sqrt(count)
    value = 75 + error * rng.normal(size=error.shape)
    alarms = 0
    for end in range(12, 36):
        months = MONTHS[: end + 1]
        found = SatisfactionInputs(SatisfactionSettings(period="month"), "f", months, {}, {}, 0, ())
        lines = {
            ("segment", str(i)): pd.DataFrame({
                "period": pd.DatetimeIndex(months), "value": v[: end + 1],
                "low": (v - 1.96 * e)[: end + 1], "high": (v + 1.96 * e)[: end + 1],
            })
            for i, (v, e) in enumerate(zip(value, error, strict=True))
        }  # fmt: skip
        alarms += len(find_alerts("nps", lines, found)[0])
    assert alarms / (20 * 2) <= 1.0


def test_the_whole_and_every_groups_satisfaction_are_forecast():
    rows = questions()
    figure, found = figure_of(rows)
    told = add_forecasts(build_indicator(figure, found), collect_series(figure, found), found)
    assert told.forecast is not None
    assert told.no_forecast == ""
    assert [p.period for p in told.forecast.points] == [date(2026, m, 1) for m in (1, 2, 3)]
    expected = [7 + 0.6 * np.sin(2 * np.pi * m / 12) for m in (1, 2, 3)]
    for ahead, truth in zip(told.forecast.points, expected, strict=True):
        assert ahead.low < truth < ahead.high
    assert told.forecast.trials >= 6
    assert {cell.group for cell in told.cells if cell.forecast} == {"north", "south"}


def test_a_gap_and_a_short_history_say_why_there_is_no_forecast():
    rows = questions()
    gap = rows[rows["period"] != MONTHS[20]]
    figure, found = figure_of(gap)
    told = add_forecasts(build_indicator(figure, found), collect_series(figure, found), found)
    assert told.forecast is None
    assert told.no_forecast.startswith("1 of 48 periods have no figure")
    figure, found = figure_of(questions(MONTHS[:20]), MONTHS[:20])
    told = add_forecasts(build_indicator(figure, found), collect_series(figure, found), found)
    assert "20 periods; a forecast of 3 with 12 a year needs 30" in told.no_forecast
    assert all(cell.no_forecast for cell in told.cells)


def test_where_all_say_the_same_nothing_is_judged():
    rows = questions(MONTHS[:10]).assign(score=80.0)
    figure, found = figure_of(rows, MONTHS[:10])
    assert find_alerts("csat_index", collect_series(figure, found), found)[0] == []


@pytest.mark.parametrize("name", HEADLINE)
def test_headlines_are_figures_of_the_library(name):
    assert name in SATISFACTION_METRICS
