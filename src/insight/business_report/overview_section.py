"""The overview: main indicators with their targets, and alerts."""

from dataclasses import dataclass

from insight.business_report.figure_markup import (
    FormattedFigure,
    better_direction,
    data_attributes,
    describe_empty_period,
    format_figure,
    format_value,
    indicator_title,
    targets_first,
)
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator
from insight.business_report.verdict_text import describe_verdict
from insight.evaluation.indicator_schema import Indicator, IndicatorAlert, IndicatorGoal

MOST_TILES = 8
ARROWS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class FormattedChange:
    """The verdict on the last period, and the period before; `mood` is good or bad for an alert."""

    text: str
    arrow: str
    mood: str


@dataclass(frozen=True)
class FormattedTarget:
    """A formatted target, and whether it is reached."""

    text: str
    verdict: str
    verdict_name: str


@dataclass(frozen=True)
class OverviewTile:
    """An indicator of the overview."""

    title: str
    figure: FormattedFigure
    change: FormattedChange
    target: FormattedTarget | None
    empty_period: str = ""


@dataclass(frozen=True)
class AlertSentence:
    """An alert in one sentence; `mood` is good or bad."""

    text: str
    mood: str
    exact: dict[str, str]


def overview_tiles(inputs: ReportInputs) -> list[OverviewTile]:
    """The main overall indicators, those with targets first."""
    if inputs.evaluation is None:
        return []
    chosen = targets_first(inputs.evaluation.indicators)
    chosen = [i for i in chosen if i.goal or not i.dimension][:MOST_TILES]
    translate = inputs.translate
    return [
        OverviewTile(
            indicator_title(i, translate),
            format_figure(i, i, translate),
            format_change(i, inputs.period, translate),
            format_target(i, translate),
            describe_empty_period(i, inputs.period, translate),
        )
        for i in chosen
    ]


def is_watched(inputs: ReportInputs) -> bool:
    """Whether the control chart of any indicator says something about the last period."""
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    return any(indicator.verdict.kind != "unwatched" for indicator in indicators)


def format_change(indicator: Indicator, length: str, translate: Translator) -> FormattedChange:
    """Format the verdict of the control chart; only an alert has an arrow."""
    verdict = indicator.verdict
    text = describe_verdict(verdict, indicator, length, translate)
    if indicator.before is not None:
        before = format_value(indicator, indicator.before, translate)
        period = translate.numbers.period_before(indicator.period, length)
        text = translate("change_before", verdict=text, period=period, before=before)
    if not verdict.is_alert:
        return FormattedChange(text, "", "")
    return FormattedChange(
        text, ARROWS[verdict.direction], _mood(indicator, verdict.direction == "up")
    )


def _mood(indicator: Indicator, rose: bool) -> str:
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


def alert_sentences(inputs: ReportInputs) -> list[AlertSentence]:
    """All alerts in the order of the evaluation: the whole company first, then the clearest."""
    if inputs.evaluation is None:
        return []
    known = {(i.name, i.dimension): i for i in inputs.evaluation.indicators}
    return [
        _sentence(alert, known[alert.indicator, alert.dimension], inputs)
        for alert in inputs.evaluation.alerts if (alert.indicator, alert.dimension) in known
    ]  # fmt: skip


def _sentence(alert: IndicatorAlert, indicator: Indicator, inputs: ReportInputs) -> AlertSentence:
    translate = inputs.translate
    value = format_value(indicator, alert.value, translate)
    rose = alert.errors_off > 0
    text = translate(
        "alert_sentence",
        where=describe_group(alert.by, alert.group, inputs),
        only="" if rose else translate("alert_only"),
        what=_alert_value(alert, indicator_title(indicator, translate), value, translate),
        period=translate.numbers.period(alert.period, inputs.period),
        verdict=describe_verdict(alert, indicator, inputs.period, translate),
    )
    exact = data_attributes(
        alert=alert.indicator, dimension=alert.dimension, of=f"{alert.by}={alert.group}",
        value=alert.value, expected=alert.expected, off=alert.errors_off,
        since=alert.since and alert.since.isoformat(),
    )  # fmt: skip
    return AlertSentence(text, _mood(indicator, rose), exact)


def _alert_value(alert: IndicatorAlert, name: str, value: str, translate: Translator) -> str:
    """The value of an indicator within a sentence: 1.6% complained."""
    if alert.dimension or not translate.has_name("alert", alert.indicator):
        return translate("alert_value", name=name, value=value)
    return translate.name("alert", alert.indicator).format(value=value)


def describe_group(by: str, group: str, inputs: ReportInputs) -> str:
    """The name of a group in a sentence: South China, Tier A, All customers."""
    translate = inputs.translate
    if not by or by in ("all", "overall"):
        return translate("everybody")
    name = group_name(by, group, inputs)
    if by.removeprefix("crm_") == "region":
        return name
    return translate("group_of", by=translate.name("by", by), group=name)


def group_name(by: str, group: str, inputs: ReportInputs) -> str:
    """The display name of a group; the group itself where it has none."""
    for kind in (by, by.removeprefix("crm_")):
        if inputs.translate.has_name(kind, group):
            return inputs.translate.name(kind, group)
    return group
