"""The closed loop (PDCA) of each target: plan, actions, result and next step."""

import re
from dataclasses import dataclass
from datetime import date

from insight.business_report.figure_markup import format_figure, format_value, indicator_title
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.verdict_text import target_text
from insight.evaluation.evaluation_schema import PdcaCycle
from insight.evaluation.indicator_schema import Indicator

#: The text of the evaluation for an action that was taken.
_ACTION = re.compile(r"(?P<action>.+): (?P<treated>[\d,]+) customers, (?P<held>[\d,]+) left alone$")
#: The texts of the evaluation for an effect: not due yet, and analysed.
_DUE = re.compile(r"verdict due (?P<day>[\d-]+)$")
_ANALYSED = re.compile(r"(?P<verdict>.+) \(analysed (?P<day>[\d-]+)\)$")


@dataclass(frozen=True)
class CycleRow:
    """One target's cycle in the report's language."""

    indicator: str
    plan: str
    do: list[str]
    check: list[str]
    act: str
    verdict: str
    verdict_name: str


def cycle_rows(inputs: ReportInputs) -> list[CycleRow]:
    """One row for each target, missed targets first."""
    if inputs.evaluation is None:
        return []
    order = ("missed", "uncertain", "unmeasured", "reached")
    cycles = sorted(inputs.evaluation.cycle, key=lambda c: order.index(c.verdict))
    return [_row(cycle, inputs) for cycle in cycles]


def _row(cycle: PdcaCycle, inputs: ReportInputs) -> CycleRow:
    translate = inputs.translate
    found = _indicator(cycle.indicator, inputs)
    plan, check = cycle.plan, [translate.message(text) for text in cycle.check.split("; ")]
    name = translate.name("indicator", cycle.indicator)
    if found is not None and found.goal is not None:
        goal, name = found.goal, indicator_title(found, translate)
        plan = target_text(goal, format_value(found, goal.target, translate), translate)
        plan += translate("until", day=goal.until) if goal.until else ""
        plan += translate("owner", owner=goal.owner) if goal.owner else ""
        if cycle.verdict != "unmeasured":
            check = [
                _figure(found, inputs),
                *(_effect(text, inputs) for text in cycle.check.split("; ")[1:]),
            ]
    return CycleRow(
        indicator=name,
        plan=plan,
        do=[_describe_action(text, inputs) for text in cycle.do.split("; ")],
        check=check,
        act=translate.name("act", cycle.act),
        verdict=cycle.verdict,
        verdict_name=translate.name("verdict", cycle.verdict),
    )


def _figure(found: Indicator, inputs: ReportInputs) -> str:
    """The figure that the target is judged by: value, interval, and cases or correction."""
    translate = inputs.translate
    figure = format_figure(found, found.everybody or found, translate)
    text = figure.value
    if figure.interval:
        text = translate("with_interval", value=figure.value, interval=figure.interval)
    how = translate("corrected_year") if found.everybody else figure.cases
    return translate("comma").join([text, how])


def _indicator(name: str, inputs: ReportInputs) -> Indicator | None:
    """Find an overall indicator by name, or one of a dimension by `name dimension`."""
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    for i in indicators:
        dimension = i.dimension or ""
        if name in (i.name if not dimension else f"{i.name}:{dimension}", f"{i.name} {dimension}",
                    f"{i.name}.{dimension}"):  # fmt: skip
            return i
    return None


def _describe_action(text: str, inputs: ReportInputs) -> str:
    translate = inputs.translate
    found = _ACTION.match(text)
    if found is None:
        return translate.name("done", text)
    action = translate.name("action", found["action"])
    return translate("done", action=action, treated=found["treated"], held=found["held"])


def _effect(text: str, inputs: ReportInputs) -> str:
    """Translate the effect of an action, such as `call: no effect seen (analysed 2026-05-01)`."""
    action, _, verdict = text.rpartition(": ")
    if not action:
        return text
    translate = inputs.translate
    if found := _DUE.match(verdict):
        told = translate("effect_due", day=_day(found["day"], inputs))
    elif found := _ANALYSED.match(verdict):
        told = translate(
            "effect_analysed", verdict=translate.name("effect", found["verdict"]),
            day=_day(found["day"], inputs),
        )  # fmt: skip
    else:
        told = translate.name("effect", verdict)
    return translate("effect_of", action=translate.name("action", action), verdict=told)


def _day(text: str, inputs: ReportInputs) -> str:
    return inputs.numbers.day(date.fromisoformat(text))
