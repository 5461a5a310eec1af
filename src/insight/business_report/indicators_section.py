"""All indicators in a table, and the same cut by region, channel, owner and segment."""

from dataclasses import dataclass

from insight.business_report.figure_markup import (
    FormattedFigure,
    data_attributes,
    targets_first,
    format_figure,
    indicator_title,
    format_value,
)
from insight.business_report.translations import Translator
from insight.business_report.overview_section import FormattedTarget, FormattedChange, format_target, format_change, group_name
from insight.business_report.report_inputs import ReportInputs
from insight.evaluation.evaluation_schema import GroupValue, Indicator

#: Columns of the groups table: more do not fit a page.
MOST_COLUMNS = 6


@dataclass(frozen=True)
class IntervalBar:
    """An interval as a bar: its left end and width, the places of value and target, in per cent."""

    left: float
    width: float
    dot: float
    mark: float | None


@dataclass(frozen=True)
class IndicatorRow:
    """One indicator with all that is known of it."""

    indicator_title: str
    period: str
    figure: FormattedFigure
    interval_bar: IntervalBar | None
    asked: str
    asked_order: int
    coverage: str
    year: str
    everybody: FormattedFigure | None
    why_not: str
    format_change: FormattedChange
    format_target: FormattedTarget | None
    order: float
    exact: dict[str, str]


@dataclass(frozen=True)
class GroupCell:
    """An indicator of a group, beside what everybody asked would have said and the next period."""

    figure: FormattedFigure
    everybody: FormattedFigure | None
    ahead: FormattedFigure | None


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
    indicator_rows: list[GroupRow]
    hidden: str


def indicator_rows(inputs: ReportInputs) -> list[IndicatorRow]:
    """The table of all indicators, those with targets first."""
    if inputs.evaluation is None:
        return []
    return [_row(i, inputs) for i in targets_first(inputs.evaluation.indicators)]


def _row(i: Indicator, inputs: ReportInputs) -> IndicatorRow:
    numbers = inputs.numbers
    everybody = format_figure(i, i.everybody, translate, "everybody") if i.everybody else None
    year = ""
    if i.year is not None:
        year = format_value(i, i.year, translate)
    return IndicatorRow(
        title=indicator_title(i, translate),
        period=numbers.short_period(i.period, inputs.period),
        figure=format_figure(i, i, translate),
        strip=interval_bar(i),
        asked=numbers.count(i.asked),
        asked_order=i.asked,
        coverage=numbers.percent(i.coverage, 0),
        year=year,
        everybody=everybody,
        why_not=i.why_not,
        change=format_change(i, translate),
        aim=format_target(i, translate),
        order=i.value,
        exact=data_attributes(
            row=i.name, dimension=i.dimension, asked=i.asked, answered=i.answered,
            coverage=i.coverage, customers=i.customers, before=i.before, year=i.year,
            target=i.goal and i.goal.target, gap=i.goal and i.goal.gap,
        ),
    )  # fmt: skip


def interval_bar(i: Indicator) -> IntervalBar | None:
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
    return IntervalBar(place(i.low), max(place(i.high) - place(i.low), 1.0), place(i.value), mark)


def not_measured(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Indicators without data and why."""
    if inputs.evaluation is None:
        return []
    found = inputs.evaluation.not_measured.items()
    return [(inputs.translate.name("indicator", name), why) for name, why in found]


def group_tables(inputs: ReportInputs) -> list[GroupTable]:
    """A table for each way customers are cut: by their attributes, then by channel and standing."""
    if inputs.evaluation is None:
        return []
    told = [i for i in targets_first(inputs.evaluation.indicators) if i.cells or i.hidden]
    names = list(dict.fromkeys(
        by for i in told for by in (*(c.by for c in i.cells), *i.hidden)
    ))  # fmt: skip
    names.sort(key=lambda by: by in ("channel", "tier", "stage"))
    return [_table(by, told, inputs) for by in names]


def _cell(i: Indicator, cell: GroupValue, translate: Translator) -> GroupCell:
    of = f"{cell.by}={cell.group}"
    everybody = format_figure(i, cell.everybody, translate, f"{of} everybody") if cell.everybody else None
    ahead = cell.forecast.points[:1] if cell.forecast else []
    coming = [format_figure(i, point, translate, f"{of} forecast") for point in ahead]
    return GroupCell(format_figure(i, cell, translate, of), everybody, coming[0] if coming else None)


def _largest_first(found: dict[str, dict[int, GroupValue]]) -> list[tuple[str, dict[int, GroupValue]]]:
    return sorted(found.items(), key=lambda item: -max(c.customers for c in item[1].values()))


def _table(by: str, told: list[Indicator], inputs: ReportInputs) -> GroupTable:
    translate, numbers = inputs.translate, inputs.numbers
    cut = [i for i in told if any(c.by == by for c in i.cells)]
    cut = sorted(cut, key=lambda i: i.dimension is not None)[:MOST_COLUMNS]
    found: dict[str, dict[int, GroupValue]] = {}
    for place, indicator in enumerate(cut):
        for cell in indicator.cells:
            if cell.by == by:
                found.setdefault(cell.group, {})[place] = cell
    lines = [
        GroupRow(
            group_name(by, group, inputs),
            [
                _cell(i, cells[place], translate) if place in cells else None
                for place, i in enumerate(cut)
            ],
            numbers.count(max(c.customers for c in cells.values())),
        )
        for group, cells in _largest_first(found)
    ]
    hidden = [i.hidden[by] for i in cut if by in i.hidden and i.hidden[by].cells]
    small = ""
    if hidden:
        small = translate("hidden_groups", n=max(h.cells for h in hidden))
    return GroupTable(by, translate.name("by", by), [indicator_title(i, translate) for i in cut], lines, small)
