"""The closed loop: each target's plan, what was done, what came of it, and what follows."""

import re
from dataclasses import dataclass

from insight.business_report.figure_markup import format_figure, indicator_title, format_value
from insight.business_report.overview_section import target_text
from insight.business_report.report_inputs import ReportInputs
from insight.evaluation.evaluation_schema import Indicator, PdcaCycle

_DONE = re.compile(r"(?P<action>.+): (?P<treated>[\d,]+) customers, (?P<held>[\d,]+) left alone$")


@dataclass(frozen=True)
class CycleRow:
    """A turn of the cycle in the report's language."""

    indicator: str
    plan: str
    do: list[str]
    check: list[str]
    act: str
    verdict: str
    word: str


def cycle_rows(inputs: ReportInputs) -> list[CycleRow]:
    """The cycle, a row a target, those that need doing first."""
    if inputs.evaluation is None:
        return []
    order = ("missed", "uncertain", "unmeasured", "reached")
    told = sorted(inputs.evaluation.cycle, key=lambda t: order.index(t.verdict))
    return [_row(turn, inputs) for turn in told]


def _row(turn: PdcaCycle, inputs: ReportInputs) -> CycleRow:
    translate, numbers = inputs.translate, inputs.numbers
    found = _indicator(turn.indicator, inputs)
    plan, check = turn.plan, turn.check.split("; ")
    name = translate.name("indicator", turn.indicator)
    if found is not None and found.goal is not None:
        goal, name = found.goal, indicator_title(found, translate)
        plan = target_text(goal, format_value(found, goal.target, translate), translate)
        plan += translate("until", day=goal.until) if goal.until else ""
        plan += translate("owner", owner=goal.owner) if goal.owner else ""
        if turn.verdict != "unmeasured":
            check = [_figure(found, inputs), *(_effect(text, inputs) for text in check[1:])]
    return CycleRow(
        indicator=name,
        plan=plan,
        do=[_done(text, inputs) for text in turn.do.split("; ")],
        check=check,
        act=translate.name("act", turn.act),
        verdict=turn.verdict,
        word=translate.name("verdict", turn.verdict),
    )


def _figure(found: Indicator, inputs: ReportInputs) -> str:
    """Value, interval and cases of an indicator in a line."""
    translate, figure = inputs.translate, format_figure(found, found, inputs.translate)
    said = figure.value
    if figure.interval:
        said = translate("with_interval", value=figure.value, interval=figure.interval)
    return translate("comma").join([said, figure.cases])


def _indicator(name: str, inputs: ReportInputs) -> Indicator | None:
    """The overall indicator of that name, or that of one dimension written `name dimension`."""
    told = inputs.evaluation.indicators if inputs.evaluation else []
    for i in told:
        dimension = i.dimension or ""
        if name in (i.name if not dimension else f"{i.name}:{dimension}", f"{i.name} {dimension}",
                    f"{i.name}.{dimension}"):  # fmt: skip
            return i
    return None


def _done(text: str, inputs: ReportInputs) -> str:
    translate = inputs.translate
    found = _DONE.match(text)
    if found is None:
        return translate.name("done", text)
    action = translate.name("action", found["action"])
    return translate("done", action=action, treated=found["treated"], held=found["held"])


def _effect(text: str, inputs: ReportInputs) -> str:
    """The verdict on an action in words: `call: no effect seen`."""
    action, _, verdict = text.rpartition(": ")
    if not action:
        return text
    translate = inputs.translate
    return translate(
        "effect_of", action=translate.name("action", action), verdict=translate.name("effect", verdict)
    )
