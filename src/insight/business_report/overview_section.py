"""The overview: main indicators with their targets, and alerts."""

from dataclasses import dataclass

from insight.business_report.figure_markup import (
    FormattedFigure,
    better_direction,
    change_amount,
    data_attributes,
    describe_empty_period,
    format_figure,
    format_value,
    indicator_title,
    targets_first,
)
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator
from insight.evaluation.evaluation_schema import Indicator, IndicatorAlert, IndicatorGoal
from insight.evaluation.forecasts_and_alerts import HEADLINE
from insight.satisfaction.control_charts import MIN_PERIODS

MOST_TILES = 8
ARROWS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class FormattedChange:
    """The change from the period before; `mood` is good or bad if the change is significant."""

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
    """Whether any indicator has a value in the last period and enough before it to be watched."""
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    return any(
        i.name in HEADLINE and i.empty_period is None and len(i.over_time) > MIN_PERIODS
        for i in indicators
    )


def format_change(indicator: Indicator, length: str, translate: Translator) -> FormattedChange:
    """Format the change from the period before; only a significant change has an arrow."""
    if indicator.before is None:
        return FormattedChange(translate("change_unknown"), "", "")
    before = format_value(indicator, indicator.before, translate)
    period = translate.numbers.period_before(indicator.period, length)
    if indicator.moved not in ARROWS:
        return FormattedChange(translate("change_none", period=period, before=before), "", "")
    rose = indicator.moved == "up"
    mood = "good" if rose == (better_direction(indicator) == "higher") else "bad"
    amount = change_amount(indicator, translate)
    text = translate("change_clear", by=amount, period=period, before=before)
    return FormattedChange(text, ARROWS[indicator.moved], mood)


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
    """All alerts, the strongest first."""
    if inputs.evaluation is None:
        return []
    known = {(i.name, i.dimension): i for i in inputs.evaluation.indicators}
    found = sorted(inputs.evaluation.alerts, key=lambda a: -abs(a.errors_off))
    return [_sentence(a, known.get((a.indicator, a.dimension)), inputs) for a in found]


def _sentence(
    alert: IndicatorAlert, indicator: Indicator | None, inputs: ReportInputs
) -> AlertSentence:
    translate, numbers = inputs.translate, inputs.numbers
    if indicator is None:
        name = translate.name("indicator", alert.indicator)
        value, expected = numbers.decimal(alert.value, 2), numbers.decimal(alert.expected, 2)
        mood = ""
    else:
        name = indicator_title(indicator, translate)
        value, expected = (
            format_value(indicator, v, translate) for v in (alert.value, alert.expected)
        )
        rose = alert.value > alert.expected
        mood = "good" if rose == (better_direction(indicator) == "higher") else "bad"
    text = translate(
        f"alert_{alert.kind}",
        where=describe_group(alert.by, alert.group, inputs),
        only=translate("alert_only") if alert.value < alert.expected else "",
        what=_alert_value(alert, name, value, translate),
        expected=expected,
        period=numbers.period(alert.period, inputs.period),
    )
    exact = data_attributes(
        alert=alert.indicator, dimension=alert.dimension, of=f"{alert.by}={alert.group}",
        value=alert.value, expected=alert.expected, off=alert.errors_off,
    )  # fmt: skip
    return AlertSentence(text, mood, exact)


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
