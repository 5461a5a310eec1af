"""What the head of customer service sees first: the figures against targets, and the alerts."""

from dataclasses import dataclass

from insight.business_report.figure_markup import (
    FormattedFigure,
    data_attributes,
    better_direction,
    targets_first,
    change_amount,
    format_figure,
    indicator_title,
    format_value,
)
from insight.business_report.translations import Translator
from insight.business_report.report_inputs import ReportInputs
from insight.evaluation.evaluation_schema import Indicator, IndicatorAlert, IndicatorGoal

MOST_TILES = 8
ARROWS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class FormattedChange:
    """How a figure stands to the period before; `mood` is good or bad where it moved beyond chance."""

    text: str
    arrow: str
    mood: str


@dataclass(frozen=True)
class FormattedTarget:
    """A target as it is shown, and whether it is reached."""

    text: str
    verdict: str
    word: str


@dataclass(frozen=True)
class OverviewTile:
    """An indicator of the overview."""

    indicator_title: str
    figure: FormattedFigure
    format_change: FormattedChange
    format_target: FormattedTarget | None


@dataclass(frozen=True)
class AlertSentence:
    """An alert in one sentence; `mood` says whether the figure went the bad way."""

    text: str
    mood: str
    exact: dict[str, str]


def overview_tiles(inputs: ReportInputs) -> list[OverviewTile]:
    """The figures that count, those with targets first; only overall ones."""
    if inputs.evaluation is None:
        return []
    chosen = targets_first(inputs.evaluation.indicators)
    chosen = [i for i in chosen if i.goal or not i.dimension][:MOST_TILES]
    numbers = inputs.numbers
    return [
        OverviewTile(indicator_title(i, translate), format_figure(i, i, translate), format_change(i, translate), format_target(i, translate))
        for i in chosen
    ]


def format_change(indicator: Indicator, translate: Translator) -> FormattedChange:
    """The change since the last period: an arrow only where it is beyond chance."""
    if indicator.before is None:
        return FormattedChange(translate("change_unknown"), "", "")
    before = format_value(indicator, indicator.before, translate)
    if indicator.moved not in ARROWS:
        return FormattedChange(translate("change_none", before=before), "", "")
    rose = indicator.moved == "up"
    mood = "good" if rose == (better_direction(indicator) == "higher") else "bad"
    text = translate("change_moved", by=change_amount(indicator, translate), before=before)
    return FormattedChange(text, ARROWS[indicator.moved], mood)


def format_target(indicator: Indicator, translate: Translator) -> FormattedTarget | None:
    """The target of an indicator in words; None without one."""
    goal = indicator.goal
    if goal is None:
        return None
    return FormattedTarget(
        target_text(goal, format_value(indicator, goal.target, translate), translate),
        goal.verdict,
        translate.name("verdict", goal.verdict),
    )


def target_text(goal: IndicatorGoal, target: str, translate: Translator) -> str:
    """The target with its sense: at least 45."""
    return translate("at_least" if goal.better == "higher" else "at_most", target=target)


def alert_sentences(inputs: ReportInputs) -> list[AlertSentence]:
    """The groups that moved beyond chance, the farthest first."""
    if inputs.evaluation is None:
        return []
    known = {(i.name, i.dimension): i for i in inputs.evaluation.indicators}
    found = sorted(inputs.evaluation.alerts, key=lambda a: -abs(a.errors_off))
    return [_warned(a, known.get((a.indicator, a.dimension)), inputs) for a in found]


def _warned(alert: IndicatorAlert, indicator: Indicator | None, inputs: ReportInputs) -> AlertSentence:
    translate, numbers = inputs.translate, inputs.numbers
    if indicator is None:
        name = translate.name("indicator", alert.indicator)
        value, expected = numbers.decimal(alert.value, 2), numbers.decimal(alert.expected, 2)
        mood = ""
    else:
        name = indicator_title(indicator, translate)
        value, expected = (format_value(indicator, v, translate) for v in (alert.value, alert.expected))
        rose = alert.value > alert.expected
        mood = "good" if rose == (better_direction(indicator) == "higher") else "bad"
    text = translate(
        f"alert_{alert.kind}",
        name=name,
        where=describe_group(alert.by, alert.group, inputs),
        value=value,
        expected=expected,
        off=numbers.decimal(abs(alert.errors_off)),
        period=numbers.period(alert.period, inputs.period),
    )
    exact = data_attributes(
        alert=alert.indicator, dimension=alert.dimension, of=f"{alert.by}={alert.group}",
        value=alert.value, expected=alert.expected, off=alert.errors_off,
    )  # fmt: skip
    return AlertSentence(text, mood, exact)


def describe_group(by: str, group: str, inputs: ReportInputs) -> str:
    """A group as it is named in a sentence: region North; everybody where there is no cut."""
    translate = inputs.translate
    if not by or by in ("all", "overall"):
        return translate("everybody")
    return translate("group_of", by=translate.name("by", by), group=group_name(by, group, inputs))


def group_name(by: str, group: str, inputs: ReportInputs) -> str:
    """What a group of a cut is called."""
    kind = {"tier": "tier", "stage": "stage", "quadrant": "quadrant", "value": "value"}.get(by, by)
    name = by.removeprefix("crm_")
    return inputs.translate.name(kind, group) if inputs.translate.has_name(kind, group) else (
        inputs.translate.name(name, group) if inputs.translate.has_name(name, group) else group
    )  # fmt: skip
