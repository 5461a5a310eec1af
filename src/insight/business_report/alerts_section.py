"""Alerts: what changed beyond chance, bad news first."""

from dataclasses import dataclass

from insight.business_report.figure_markup import data_attributes, format_value, indicator_title
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator
from insight.business_report.verdict_text import describe_change, mood_of
from insight.evaluation.indicator_schema import Indicator, IndicatorAlert


@dataclass(frozen=True)
class AlertSentence:
    """An alert in one sentence; `mood` is good or bad."""

    text: str
    mood: str
    exact: dict[str, str]


def alert_sentences(inputs: ReportInputs) -> list[AlertSentence]:
    """All alerts, bad ones first; among them the whole company first, then the clearest."""
    if inputs.evaluation is None:
        return []
    known = {(i.name, i.dimension): i for i in inputs.evaluation.indicators}
    found = [
        _sentence(alert, known[alert.indicator, alert.dimension], inputs)
        for alert in inputs.evaluation.alerts if (alert.indicator, alert.dimension) in known
    ]  # fmt: skip
    return sorted(found, key=lambda alert: alert.mood != "bad")


def is_watched(inputs: ReportInputs) -> bool:
    """Whether the control chart of any indicator says something about the last period."""
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    return any(indicator.verdict.kind != "unwatched" for indicator in indicators)


def _sentence(alert: IndicatorAlert, indicator: Indicator, inputs: ReportInputs) -> AlertSentence:
    translate = inputs.translate
    value = format_value(indicator, alert.value, translate)
    rose = alert.errors_off > 0
    points = next(
        (c.over_time for c in indicator.cells if (c.by, c.group) == (alert.by, alert.group)),
        indicator.over_time if alert.by in ("all", "overall") else [],
    )
    text = translate(
        "alert_sentence",
        where=describe_group(alert.by, alert.group, inputs),
        only="" if rose else translate("alert_only"),
        what=_alert_value(alert, indicator_title(indicator, translate), value, translate),
        period=translate.numbers.period(alert.period, inputs.period),
        verdict=describe_change(alert, indicator, points, inputs.period, translate),
    )
    exact = data_attributes(
        alert=alert.indicator, dimension=alert.dimension, of=f"{alert.by}={alert.group}",
        value=alert.value, expected=alert.expected, off=alert.errors_off,
        since=alert.since and alert.since.isoformat(),
    )  # fmt: skip
    return AlertSentence(text, mood_of(indicator, rose), exact)


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
