"""Three sentences for page one: what changed, what needs attention, what to do."""

from dataclasses import dataclass

from insight.business_report.alerts_section import alert_sentences
from insight.business_report.call_list import CallList
from insight.business_report.figure_markup import format_value, indicator_title
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.tiles_section import (
    direction_of,
    money,
    revenue_span,
    short_figure,
    signed_percent,
    worst_first,
)
from insight.business_report.verdict_text import fell_since_last_year, target_text
from insight.evaluation.business_schema import RevenueChange
from insight.evaluation.indicator_schema import Indicator, IntervalEstimate
from insight.satisfaction.indicators import indicator_key


@dataclass(frozen=True)
class SummarySentence:
    """A sentence with its lead: changed, attention or do."""

    lead: str
    text: str


def summary_sentences(inputs: ReportInputs, calls: CallList | None) -> list[SummarySentence]:
    """At most three sentences; a part that the results say nothing about is left out."""
    parts = {
        "changed": _changed(inputs),
        "attention": _attention(inputs),
        "to_do": _to_do(inputs, calls),
    }
    return [SummarySentence(inputs.translate(lead), text) for lead, text in parts.items() if text]


def _changed(inputs: ReportInputs) -> str:
    """Revenue against the months before and the same months a year ago."""
    found = inputs.evaluation.revenue if inputs.evaluation else None
    if found is None:
        return ""
    translate, value = inputs.translate, money(found.value, inputs)
    spans = (("months_before", found.on_before), ("months_year_ago", found.on_year_ago))
    comparisons = [
        _more_or_less(on, translate(key, months=found.months), inputs)
        for key, on in spans if on is not None
    ]  # fmt: skip
    return translate(
        "revenue_sentence" if comparisons else "revenue_alone",
        span=revenue_span(found, inputs), value=value,
        compared=translate("but" if _disagree(found) else "and").join(comparisons),
    )  # fmt: skip


def _disagree(found: RevenueChange) -> bool:
    """Whether the two comparisons say different things, as a season makes them."""
    if found.on_before is None or found.on_year_ago is None:
        return False
    return direction_of(found.on_before) != direction_of(found.on_year_ago)


def _more_or_less(change: IntervalEstimate, than: str, inputs: ReportInputs) -> str:
    """17.0% less than in the 6 months before; about as much as ... (+2.1%, no clear change)."""
    direction = direction_of(change)
    if direction is None:
        return inputs.translate("as_much", than=than, change=signed_percent(change.value, inputs))
    key = "more" if direction == "up" else "less"
    return inputs.translate(key, than=than, change=inputs.numbers.percent(abs(change.value)))


def _attention(inputs: ReportInputs) -> str:
    """Missed targets and bad alerts; where there are none, what is not clear."""
    if inputs.evaluation is None or not inputs.evaluation.indicators:
        return ""
    translate = inputs.translate
    ordered = worst_first(inputs.evaluation.indicators, inputs)
    missed = _with_verdict(ordered, "missed", inputs)
    bad = [alert.text for alert in alert_sentences(inputs) if alert.mood == "bad"]
    parts = []
    if missed:
        parts.append(translate("missed_targets", what=translate("semicolon").join(missed)))
    if bad:
        parts.append(translate("worse_than_usual", n=len(bad)))
    if fallen := _worse_than_last_year(ordered, inputs):
        parts.append(translate("worse_than_last_year", what=translate("semicolon").join(fallen)))
    if parts:
        return translate("sentence_gap").join(parts)
    unmeasured = [
        indicator_title(i, translate) for i in ordered if i.goal and i.goal.verdict == "unmeasured"
    ]
    if unmeasured:
        return translate("targets_unmeasured", what=translate("semicolon").join(unmeasured))
    unclear = _with_verdict(ordered, "uncertain", inputs)
    if unclear:
        return translate("nothing_bad_but", what=translate("semicolon").join(unclear))
    watched = any(i.verdict.kind != "unwatched" for i in inputs.evaluation.indicators)
    return translate("nothing_bad" if watched else "nothing_watched")


def _worse_than_last_year(indicators: list[Indicator], inputs: ReportInputs) -> list[str]:
    """Indicators that nothing is known to be usual of, and that are worse than a year ago."""
    translate = inputs.translate
    return [
        translate(
            "against_last_year", name=indicator_title(i, translate),
            value=format_value(i, i.value, translate),
            former=format_value(i, former.value, translate),
        )
        for i in indicators
        if i.verdict.kind == "unwatched" and (former := fell_since_last_year(i)) is not None
    ]  # fmt: skip


def _with_verdict(indicators: list[Indicator], verdict: str, inputs: ReportInputs) -> list[str]:
    return [
        inputs.translate(
            "against_target", name=indicator_title(i, inputs.translate), value=short_figure(i, inputs),
            target=target_text(
                i.goal, format_value(i, i.goal.target, inputs.translate), inputs.translate
            ),
        )
        for i in indicators if i.goal and i.goal.verdict == verdict
    ]  # fmt: skip


def _to_do(inputs: ReportInputs, calls: CallList | None) -> str:
    """The next step of missed targets, and the customers to call."""
    translate = inputs.translate
    parts = []
    steps = [_next_step(i, inputs) for i in _missed(inputs)]
    if steps:
        parts.append(translate("sentence_gap").join(steps))
    if calls and calls.entries:
        parts.append(calls.summary)
    return translate("sentence_gap").join(parts)


def _missed(inputs: ReportInputs) -> list[Indicator]:
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    return [i for i in indicators if i.goal and i.goal.verdict == "missed"]


def _next_step(indicator: Indicator, inputs: ReportInputs) -> str:
    """What the closed loop says is next for a missed target, and who owns it."""
    translate = inputs.translate
    cycles = inputs.evaluation.cycle if inputs.evaluation else []
    key = indicator_key(indicator.name, indicator.dimension)
    act = next((c.act for c in cycles if c.indicator == key), "plan an action")
    owner = indicator.goal.owner if indicator.goal else ""
    return translate(
        "next_step_of", what=indicator_title(indicator, translate), act=translate.name("act", act),
        owner=translate("owner", owner=owner) if owner else "",
    )  # fmt: skip
