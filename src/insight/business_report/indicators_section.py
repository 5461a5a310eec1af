"""All indicators in a table, and the same cut by region, channel, owner and segment."""

from dataclasses import dataclass

from insight.business_report.figure_markup import (
    Shown,
    attributes,
    first_targets,
    shown,
    title,
    written,
)
from insight.business_report.numerals import Numerals
from insight.business_report.overview_section import Aim, Change, aim, change, group_name
from insight.business_report.report_inputs import Material
from insight.evaluation.evaluation_schema import GroupValue, Indicator

#: Columns of the groups table: more do not fit a page.
MOST_COLUMNS = 6


@dataclass(frozen=True)
class Strip:
    """An interval as a bar: its left end and width, the places of value and target, in per cent."""

    left: float
    width: float
    dot: float
    mark: float | None


@dataclass(frozen=True)
class Row:
    """One indicator with all that is known of it."""

    title: str
    period: str
    figure: Shown
    strip: Strip | None
    asked: str
    asked_order: int
    coverage: str
    year: str
    everybody: Shown | None
    why_not: str
    change: Change
    aim: Aim | None
    order: float
    exact: dict[str, str]


@dataclass(frozen=True)
class GroupCell:
    """An indicator of a group, beside what everybody asked would have said and the next period."""

    figure: Shown
    everybody: Shown | None
    ahead: Shown | None


@dataclass(frozen=True)
class GroupRow:
    """A group with its figures by column, None where it has none or too few answers."""

    name: str
    cells: list[GroupCell | None]
    customers: str


@dataclass(frozen=True)
class GroupTable:
    """The groups of one cut; `hidden` says how many were too small to be shown."""

    by: str
    name: str
    columns: list[str]
    rows: list[GroupRow]
    hidden: str


def rows(material: Material) -> list[Row]:
    """The table of all indicators, those with targets first."""
    if material.evaluation is None:
        return []
    return [_row(i, material) for i in first_targets(material.evaluation.indicators)]


def _row(i: Indicator, material: Material) -> Row:
    numerals = material.numerals
    everybody = shown(i, i.everybody, numerals, "everybody") if i.everybody else None
    year = ""
    if i.year is not None:
        year = written(i, i.year, numerals)
    return Row(
        title=title(i, numerals),
        period=numerals.short_period(i.period, material.period),
        figure=shown(i, i, numerals),
        strip=strip(i),
        asked=numerals.count(i.asked),
        asked_order=i.asked,
        coverage=numerals.share(i.coverage, 0),
        year=year,
        everybody=everybody,
        why_not=i.why_not,
        change=change(i, numerals),
        aim=aim(i, numerals),
        order=i.value,
        exact=attributes(
            row=i.name, dimension=i.dimension, asked=i.asked, answered=i.answered,
            coverage=i.coverage, customers=i.customers, before=i.before, year=i.year,
            target=i.goal and i.goal.target, gap=i.goal and i.goal.gap,
        ),
    )  # fmt: skip


def strip(i: Indicator) -> Strip | None:
    """The interval on the span of all the indicator has been, its target marked; None without one."""
    if i.low is None or i.high is None:
        return None
    ends = [i.low, i.high, i.value]
    ends += [p.value for p in i.over_time] + ([i.goal.target] if i.goal else [])
    low, high = min(ends), max(ends)
    if high <= low:
        return None

    def place(value: float) -> float:
        return round(100 * (value - low) / (high - low), 1)

    mark = place(i.goal.target) if i.goal else None
    return Strip(place(i.low), max(place(i.high) - place(i.low), 1.0), place(i.value), mark)


def not_measured(material: Material) -> list[tuple[str, str]]:
    """Indicators without data and why."""
    if material.evaluation is None:
        return []
    found = material.evaluation.not_measured.items()
    return [(material.words.named("indicator", name), why) for name, why in found]


def group_tables(material: Material) -> list[GroupTable]:
    """A table for each way customers are cut: by their attributes, then by channel and standing."""
    if material.evaluation is None:
        return []
    told = [i for i in first_targets(material.evaluation.indicators) if i.cells or i.hidden]
    names = list(dict.fromkeys(
        by for i in told for by in (*(c.by for c in i.cells), *i.hidden)
    ))  # fmt: skip
    names.sort(key=lambda by: by in ("channel", "tier", "stage"))
    return [_table(by, told, material) for by in names]


def _cell(i: Indicator, cell: GroupValue, numerals: Numerals) -> GroupCell:
    of = f"{cell.by}={cell.group}"
    everybody = shown(i, cell.everybody, numerals, f"{of} everybody") if cell.everybody else None
    ahead = cell.forecast.points[:1] if cell.forecast else []
    coming = [shown(i, point, numerals, f"{of} forecast") for point in ahead]
    return GroupCell(shown(i, cell, numerals, of), everybody, coming[0] if coming else None)


def _largest_first(found: dict[str, dict[int, GroupValue]]) -> list[tuple[str, dict[int, GroupValue]]]:
    return sorted(found.items(), key=lambda item: -max(c.customers for c in item[1].values()))


def _table(by: str, told: list[Indicator], material: Material) -> GroupTable:
    numerals, words = material.numerals, material.words
    cut = [i for i in told if any(c.by == by for c in i.cells)]
    cut = sorted(cut, key=lambda i: i.dimension is not None)[:MOST_COLUMNS]
    found: dict[str, dict[int, GroupValue]] = {}
    for place, indicator in enumerate(cut):
        for cell in indicator.cells:
            if cell.by == by:
                found.setdefault(cell.group, {})[place] = cell
    lines = [
        GroupRow(
            group_name(by, group, material),
            [
                _cell(i, cells[place], numerals) if place in cells else None
                for place, i in enumerate(cut)
            ],
            numerals.count(max(c.customers for c in cells.values())),
        )
        for group, cells in _largest_first(found)
    ]
    hidden = [i.hidden[by] for i in cut if by in i.hidden and i.hidden[by].cells]
    small = ""
    if hidden:
        small = words("hidden_groups", n=max(h.cells for h in hidden))
    return GroupTable(by, words.named("by", by), [title(i, numerals) for i in cut], lines, small)
