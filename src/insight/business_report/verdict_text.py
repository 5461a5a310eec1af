"""Verdicts on changes and targets, in the words that tile, alert, trend and table share."""

from collections.abc import Sequence
from dataclasses import dataclass

from insight.business_report.figure_markup import better_direction, format_value
from insight.business_report.translations import Translator
from insight.evaluation.indicator_schema import (
    ChangeVerdict,
    Indicator,
    IndicatorAlert,
    IndicatorGoal,
    PeriodValue,
)

ARROWS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class FormattedChange:
    """The verdict on the last period, and the same season a year earlier.

    `mood` is good or bad for an alert.
    """

    text: str
    arrow: str = ""
    mood: str = ""


@dataclass(frozen=True)
class FormattedTarget:
    """A formatted target, and whether it is reached."""

    text: str
    verdict: str
    verdict_name: str


def describe_verdict(
    of: ChangeVerdict | IndicatorAlert, indicator: Indicator, length: str, translate: Translator
) -> str:
    """Describe the verdict on the last period; `length` is that of a period."""
    if of.kind == "unwatched" or of.since is None:
        return translate("verdict_unwatched")
    since = translate.numbers.period(of.since, length)
    expected = format_value(indicator, of.expected, translate)
    if of.kind == "shift":
        level = format_value(indicator, of.level, translate)
        return translate("verdict_shift", since=since, level=level, former=expected)
    if of.kind == "jump":
        key = "verdict_jump" if of.since == indicator.period else "verdict_jump_since"
        return translate(key, since=since, expected=expected)
    levels = of.levels if isinstance(of, ChangeVerdict) else []
    if len(levels) < 2:
        return translate("verdict_usual", expected=expected)
    former = format_value(indicator, levels[-2].value, translate)
    return translate("verdict_usual_since", since=since, expected=expected, former=former)


def describe_change(
    of: ChangeVerdict | IndicatorAlert,
    indicator: Indicator,
    points: Sequence[PeriodValue],
    length: str,
    translate: Translator,
) -> str:
    """The verdict, with the value of the same season a year earlier where it is among the points."""
    text = describe_verdict(of, indicator, length, translate)
    earlier = year_earlier(indicator, points)
    if earlier is None:
        return text
    period = translate.numbers.period(earlier.period, length)
    value = format_value(indicator, earlier.value, translate)
    return translate("change_year_ago", verdict=text, period=period, value=value)


def year_earlier(indicator: Indicator, points: Sequence[PeriodValue]) -> PeriodValue | None:
    """The value of the same period of the year before."""
    day = indicator.period.replace(year=indicator.period.year - 1)
    return next((point for point in points if point.period == day), None)


def fell_since_last_year(indicator: Indicator) -> PeriodValue | None:
    """The value a year earlier, where today's is worse and the two intervals do not overlap."""
    earlier = year_earlier(indicator, indicator.over_time)
    ends = (indicator.low, indicator.high)
    if earlier is None or None in (*ends, earlier.low, earlier.high):
        return None
    higher = better_direction(indicator) == "higher"
    worse = ends[1] < earlier.low if higher else ends[0] > earlier.high  # type: ignore[operator]
    return earlier if worse else None


def format_change(indicator: Indicator, length: str, translate: Translator) -> FormattedChange:
    """Format the verdict on the whole company; only an alert has an arrow."""
    verdict = indicator.verdict
    text = describe_change(verdict, indicator, indicator.over_time, length, translate)
    if not verdict.is_alert:
        return FormattedChange(text)
    mood = mood_of(indicator, verdict.direction == "up")
    return FormattedChange(text, ARROWS[verdict.direction], mood)


def mood_of(indicator: Indicator, rose: bool) -> str:
    """Whether a rise or fall of the indicator is good or bad."""
    return "good" if rose == (better_direction(indicator) == "higher") else "bad"


def format_target(indicator: Indicator, translate: Translator) -> FormattedTarget | None:
    """Format the target of an indicator; None without one."""
    goal = indicator.goal
    if goal is None:
        return None
    return FormattedTarget(
        target_text(goal, format_value(indicator, goal.target, translate), translate),
        goal.verdict,
        translate.name("verdict", goal.verdict),
    )


def target_text(goal: IndicatorGoal, target: str, translate: Translator) -> str:
    """A target with its direction: at least 45."""
    return translate("at_least" if goal.better == "higher" else "at_most", target=target)
