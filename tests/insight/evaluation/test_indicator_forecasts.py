"""Time series by group and their forecasts, on four years of monthly data."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from insight.evaluation.indicator_builder import build_indicator
from insight.evaluation.indicator_forecasts import (
    EVERYTHING,
    HEADLINE,
    add_forecasts,
    collect_series,
)
from insight.satisfaction.crosstabs import cross_tabulate
from insight.satisfaction.indicators import SatisfactionIndicator
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs
from insight.satisfaction.satisfaction_metrics import SATISFACTION_METRICS
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

MONTHS = [datetime(2022 + m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in range(48)]
WHOLE = (EVERYTHING, EVERYTHING)


def questions(months=MONTHS, answers=60, drop=0.0, seed=0):
    """Monthly answers of two regions; the south falls by `drop` in the last month."""
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
    return rows.assign(
        customer_id=names,
        instrument="csat",
        dimension="overall",
        weight=1.0,
        answered_at=rows["period"] + pd.Timedelta(days=3),
    )


def csat_index(rows, months=MONTHS):
    """The CSAT index of these answers and its inputs."""
    settings = SatisfactionSettings(period="month", by=["region"])
    inputs = SatisfactionInputs(settings, "f", months, {"asked": rows}, {}, 0, ("region",))
    measure = SATISFACTION_METRICS["csat_index"]
    newest = rows[rows["period"] == months[-1]]
    by = {"region": cross_tabulate(measure, newest, settings, ("region",))}
    over_time = cross_tabulate(measure, rows, settings, ("period",))
    return SatisfactionIndicator("csat_index", None, measure, rows, over_time, by), inputs


def test_series_of_the_company_and_of_every_shown_group():
    tables, inputs = csat_index(questions(MONTHS[:12]), MONTHS[:12])
    series = collect_series(tables, inputs)
    assert set(series) == {WHOLE, ("region", "north"), ("region", "south")}
    assert [len(line) for line in series.values()] == [12, 12, 12]


def test_groups_of_other_indicators_are_not_watched():
    tables, inputs = csat_index(questions(MONTHS[:9]), MONTHS[:9])
    other = SatisfactionIndicator(
        "satisfied", None, tables.metric, tables.rows, tables.over_time, tables.by
    )
    assert collect_series(other, inputs) == {}
    plain = build_indicator(other, inputs)
    assert add_forecasts(plain, {}, inputs) == plain


@pytest.mark.slow
def test_satisfaction_is_forecast_for_the_company_and_every_group():
    rows = questions()
    tables, inputs = csat_index(rows)
    indicator = add_forecasts(
        build_indicator(tables, inputs), collect_series(tables, inputs), inputs
    )
    assert indicator.forecast is not None
    assert indicator.no_forecast == ""
    assert [p.period for p in indicator.forecast.points] == [date(2026, m, 1) for m in (1, 2, 3)]
    expected = [7 + 0.6 * np.sin(2 * np.pi * m / 12) for m in (1, 2, 3)]
    for ahead, truth in zip(indicator.forecast.points, expected, strict=True):
        assert ahead.low < truth < ahead.high
    assert indicator.forecast.trials >= 6
    assert {cell.group for cell in indicator.cells if cell.forecast} == {"north", "south"}


def test_gaps_and_a_short_history_give_a_reason_for_no_forecast():
    rows = questions()
    gap = rows[rows["period"] != MONTHS[20]]
    tables, inputs = csat_index(gap)
    indicator = add_forecasts(
        build_indicator(tables, inputs), collect_series(tables, inputs), inputs
    )
    assert indicator.forecast is None
    assert indicator.no_forecast.startswith("1 of 48 periods have no value")
    tables, inputs = csat_index(questions(MONTHS[:20]), MONTHS[:20])
    indicator = add_forecasts(
        build_indicator(tables, inputs), collect_series(tables, inputs), inputs
    )
    assert "20 periods; a forecast of 3 with 12 a year needs 30" in indicator.no_forecast
    assert all(cell.no_forecast for cell in indicator.cells)


@pytest.mark.parametrize("name", HEADLINE)
def test_headline_indicators_are_satisfaction_metrics(name):
    assert name in SATISFACTION_METRICS


def test_groups_of_an_attribute_with_few_groups_have_values_over_time():
    tables, inputs = csat_index(questions(MONTHS[-14:]), MONTHS[-14:])
    series = collect_series(tables, inputs)
    found = add_forecasts(build_indicator(tables, inputs), series, inputs)
    north = next(c for c in found.cells if c.group == "north")
    assert [p.period for p in north.over_time] == [m.date() for m in MONTHS[-14:]]
    assert north.over_time[-1].value == pytest.approx(north.value)
    assert north.over_time[-1].answered == 60


def test_groups_of_an_attribute_with_many_groups_have_none():
    rows = questions(MONTHS[-3:], answers=300)
    rows["region"] = [f"R{n % 9}" for n in range(len(rows))]
    tables, inputs = csat_index(rows, MONTHS[-3:])
    series = collect_series(tables, inputs)
    found = add_forecasts(build_indicator(tables, inputs), series, inputs)
    assert len(found.cells) == 9
    assert all(c.over_time == [] for c in found.cells)
