"""What the head of customer service sees first: the figures against targets, and the alerts."""

from dataclasses import dataclass

from insight.business_report.figure_markup import (
    Shown,
    attributes,
    better,
    first_targets,
    moved_by,
    shown,
    title,
    written,
)
from insight.business_report.numerals import Numerals
from insight.business_report.report_inputs import Material
from insight.evaluation.evaluation_schema import IndicatorAlert, IndicatorGoal, Indicator

MOST_TILES = 8
ARROWS = {"up": "▲", "down": "▼"}


@dataclass(frozen=True)
class Change:
    """How a figure stands to the period before; `mood` is good or bad where it moved beyond chance."""

    text: str
    arrow: str
    mood: str


@dataclass(frozen=True)
class Aim:
    """A target as it is shown, and whether it is reached."""

    text: str
    verdict: str
    word: str


@dataclass(frozen=True)
class Tile:
    """An indicator of the overview."""

    title: str
    figure: Shown
    change: Change
    aim: Aim | None


@dataclass(frozen=True)
class Warned:
    """An alert in one sentence; `mood` says whether the figure went the bad way."""

    text: str
    mood: str
    exact: dict[str, str]


def tiles(material: Material) -> list[Tile]:
    """The figures that count, those with targets first; only overall ones."""
    if material.evaluation is None:
        return []
    chosen = first_targets(material.evaluation.indicators)
    chosen = [i for i in chosen if i.goal or not i.dimension][:MOST_TILES]
    numerals = material.numerals
    return [
        Tile(title(i, numerals), shown(i, i, numerals), change(i, numerals), aim(i, numerals))
        for i in chosen
    ]


def change(indicator: Indicator, numerals: Numerals) -> Change:
    """The change since the last period: an arrow only where it is beyond chance."""
    words = numerals.words
    if indicator.before is None:
        return Change(words("change_unknown"), "", "")
    before = written(indicator, indicator.before, numerals)
    if indicator.moved not in ARROWS:
        return Change(words("change_none", before=before), "", "")
    rose = indicator.moved == "up"
    mood = "good" if rose == (better(indicator) == "higher") else "bad"
    text = words("change_moved", by=moved_by(indicator, numerals), before=before)
    return Change(text, ARROWS[indicator.moved], mood)


def aim(indicator: Indicator, numerals: Numerals) -> Aim | None:
    """The target of an indicator in words; None without one."""
    goal = indicator.goal
    if goal is None:
        return None
    words = numerals.words
    return Aim(
        goal_text(goal, written(indicator, goal.target, numerals), numerals),
        goal.verdict,
        words.named("verdict", goal.verdict),
    )


def goal_text(goal: IndicatorGoal, target: str, numerals: Numerals) -> str:
    """The target with its sense: at least 45."""
    return numerals.words("at_least" if goal.better == "higher" else "at_most", target=target)


def alerts(material: Material) -> list[Warned]:
    """The groups that moved beyond chance, the farthest first."""
    if material.evaluation is None:
        return []
    known = {(i.name, i.dimension): i for i in material.evaluation.indicators}
    found = sorted(material.evaluation.alerts, key=lambda a: -abs(a.errors_off))
    return [_warned(a, known.get((a.indicator, a.dimension)), material) for a in found]


def _warned(alert: IndicatorAlert, indicator: Indicator | None, material: Material) -> Warned:
    numerals, words = material.numerals, material.words
    if indicator is None:
        name = words.named("indicator", alert.indicator)
        value, expected = numerals.decimal(alert.value, 2), numerals.decimal(alert.expected, 2)
        mood = ""
    else:
        name = title(indicator, numerals)
        value, expected = (written(indicator, v, numerals) for v in (alert.value, alert.expected))
        rose = alert.value > alert.expected
        mood = "good" if rose == (better(indicator) == "higher") else "bad"
    text = words(
        f"alert_{alert.kind}",
        name=name,
        where=where(alert.by, alert.group, material),
        value=value,
        expected=expected,
        off=numerals.decimal(abs(alert.errors_off)),
        period=numerals.period(alert.period, material.period),
    )
    exact = attributes(
        alert=alert.indicator, dimension=alert.dimension, of=f"{alert.by}={alert.group}",
        value=alert.value, expected=alert.expected, off=alert.errors_off,
    )  # fmt: skip
    return Warned(text, mood, exact)


def where(by: str, group: str, material: Material) -> str:
    """A group as it is named in a sentence: region North; everybody where there is no cut."""
    words = material.words
    if not by or by in ("all", "overall"):
        return words("everybody")
    return words("group_of", by=words.named("by", by), group=group_name(by, group, material))


def group_name(by: str, group: str, material: Material) -> str:
    """What a group of a cut is called."""
    kind = {"tier": "tier", "stage": "stage", "quadrant": "quadrant", "value": "value"}.get(by, by)
    name = by.removeprefix("crm_")
    return material.words.named(kind, group) if material.words.knows(kind, group) else (
        material.words.named(name, group) if material.words.knows(name, group) else group
    )  # fmt: skip
