"""The closed loop: each target's plan, what was done, what came of it, and what follows."""

import re
from dataclasses import dataclass

from insight.business_report.figure_markup import shown, title, written
from insight.business_report.overview_section import goal_text
from insight.business_report.report_inputs import Material
from insight.evaluation.evaluation_schema import Indicator, PdcaCycle

_DONE = re.compile(r"(?P<action>.+): (?P<treated>[\d,]+) customers, (?P<held>[\d,]+) left alone$")


@dataclass(frozen=True)
class TurnRow:
    """A turn of the cycle in the report's language."""

    indicator: str
    plan: str
    do: list[str]
    check: list[str]
    act: str
    verdict: str
    word: str


def turns(material: Material) -> list[TurnRow]:
    """The cycle, a row a target, those that need doing first."""
    if material.evaluation is None:
        return []
    order = ("missed", "uncertain", "unmeasured", "reached")
    told = sorted(material.evaluation.cycle, key=lambda t: order.index(t.verdict))
    return [_row(turn, material) for turn in told]


def _row(turn: PdcaCycle, material: Material) -> TurnRow:
    words, numerals = material.words, material.numerals
    found = _indicator(turn.indicator, material)
    plan, check = turn.plan, turn.check.split("; ")
    name = words.named("indicator", turn.indicator)
    if found is not None and found.goal is not None:
        goal, name = found.goal, title(found, numerals)
        plan = goal_text(goal, written(found, goal.target, numerals), numerals)
        plan += words("until", day=goal.until) if goal.until else ""
        plan += words("owner", owner=goal.owner) if goal.owner else ""
        if turn.verdict != "unmeasured":
            check = [_figure(found, material), *(_effect(text, material) for text in check[1:])]
    return TurnRow(
        indicator=name,
        plan=plan,
        do=[_done(text, material) for text in turn.do.split("; ")],
        check=check,
        act=words.named("act", turn.act),
        verdict=turn.verdict,
        word=words.named("verdict", turn.verdict),
    )


def _figure(found: Indicator, material: Material) -> str:
    """Value, interval and cases of an indicator in a line."""
    words, figure = material.words, shown(found, found, material.numerals)
    said = figure.value
    if figure.interval:
        said = words("with_interval", value=figure.value, interval=figure.interval)
    return words("comma").join([said, figure.cases])


def _indicator(name: str, material: Material) -> Indicator | None:
    """The overall indicator of that name, or that of one dimension written `name dimension`."""
    told = material.evaluation.indicators if material.evaluation else []
    for i in told:
        dimension = i.dimension or ""
        if name in (i.name if not dimension else f"{i.name}:{dimension}", f"{i.name} {dimension}",
                    f"{i.name}.{dimension}"):  # fmt: skip
            return i
    return None


def _done(text: str, material: Material) -> str:
    words = material.words
    found = _DONE.match(text)
    if found is None:
        return words.named("done", text)
    action = words.named("action", found["action"])
    return words("done", action=action, treated=found["treated"], held=found["held"])


def _effect(text: str, material: Material) -> str:
    """The verdict on an action in words: `call: no effect seen`."""
    action, _, verdict = text.rpartition(": ")
    if not action:
        return text
    words = material.words
    return words(
        "effect_of", action=words.named("action", action), verdict=words.named("effect", verdict)
    )
