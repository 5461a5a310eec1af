"""One verdict a line: of the whole company, of groups, and the alerts made of them."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from insight.evaluation.change_verdicts import IndicatorLine, judge_changes, list_alerts
from insight.evaluation.indicator_schema import UNWATCHED
from insight.satisfaction.satisfaction_inputs import SatisfactionInputs
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

MONTHS = [datetime(2022 + m // 12, m % 12 + 1, 1, tzinfo=UTC) for m in range(48)]


def inputs(months=MONTHS):
    settings = SatisfactionSettings(period="month", by=["region"])
    return SatisfactionInputs(settings, "f", months, {}, {}, 0, ("region",))


def line(by="all", group="all", fall=0.0, since=47, seed=0, months=MONTHS, name="nps"):
    """Means of 100 answers around 70 with a standard error of 2, lower by `fall` from a month on."""
    rng = np.random.default_rng(seed)
    value = 70 + 2 * rng.normal(size=len(months))
    value[since:] -= fall
    points = pd.DataFrame({
        "period": [m.date() for m in months], "value": value, "low": value - 3.92,
        "high": value + 3.92, "answered": 100,
    })  # fmt: skip
    return IndicatorLine(name, None, by, group, points)


def test_a_falling_group_is_an_alert_with_the_numbers_of_its_verdict():
    lines = [line(), line("region", "north", seed=1), line("region", "south", 20, seed=2)]
    company, north, south = judge_changes(lines, inputs())
    assert (company.kind, north.kind, south.kind) == ("usual", "usual", "jump")
    assert (south.direction, north.direction) == ("down", "no")
    (alert,) = list_alerts(lines, [company, north, south], inputs())
    assert (alert.by, alert.group, alert.period) == ("region", "south", date(2025, 12, 1))
    assert (alert.kind, alert.expected, alert.errors_off, alert.since) == (
        south.kind, south.expected, south.errors_off, south.since,
    )  # fmt: skip
    assert alert.value == pytest.approx(lines[2].points["value"].iloc[-1])


def test_the_whole_company_comes_first():
    lines = [line("region", "south", 25, seed=2), line(fall=12)]
    alerts = list_alerts(lines, judge_changes(lines, inputs()), inputs())
    assert [alert.by for alert in alerts] == ["all", "region"]
    assert abs(alerts[1].errors_off) > abs(alerts[0].errors_off)


def test_a_lasting_change_is_told_once_and_then_is_usual_since_its_date():
    told = line(fall=12, since=45)
    (shift,) = judge_changes([told], inputs())
    assert (shift.kind, shift.since) == ("shift", date(2025, 10, 1))
    assert [level.since for level in shift.levels] == [date(2022, 1, 1), date(2025, 10, 1)]
    assert shift.level == pytest.approx(58, abs=3)
    later = line(fall=12, since=40)
    (usual,) = judge_changes([later], inputs())
    assert (usual.kind, usual.since, usual.direction) == ("usual", date(2025, 5, 1), "no")
    assert usual.expected == pytest.approx(58, abs=2)
    assert list_alerts([later], [usual], inputs()) == []


def test_a_short_history_is_not_watched():
    assert judge_changes([line(months=MONTHS[:8])], inputs(MONTHS[:8])) == [UNWATCHED]


def test_equal_answers_have_no_standard_error_and_are_not_watched():
    told = line()
    equal = told.points.assign(low=told.points["value"], high=told.points["value"])
    lines = [IndicatorLine("nps", None, "all", "all", equal)]
    assert judge_changes(lines, inputs()) == [UNWATCHED]


def test_a_value_without_a_standard_error_gets_that_of_the_others():
    told = line(fall=20)
    points = told.points.copy()
    points.loc[[5, 47], ["low", "high"]] = np.nan
    (verdict,) = judge_changes([IndicatorLine("nps", None, "all", "all", points)], inputs())
    assert verdict.kind == "jump"


def test_without_a_value_in_the_last_period_there_is_no_verdict():
    told = line()
    gone = IndicatorLine("nps", None, "all", "all", told.points.iloc[:-1])
    assert judge_changes([gone], inputs()) == [UNWATCHED]
