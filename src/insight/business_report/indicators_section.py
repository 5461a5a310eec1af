"""Tables of all indicators, overall and by region, channel, owner and segment."""

from dataclasses import dataclass

from insight.business_report.figure_markup import (
    FormattedFigure,
    data_attributes,
    describe_empty_period,
    format_figure,
    format_value,
    indicator_title,
    targets_first,
)
from insight.business_report.overview_section import (
    FormattedChange,
    FormattedTarget,
    format_change,
    format_target,
    group_name,
)
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator
from insight.evaluation.indicator_schema import GroupValue, Indicator

#: Indicators in a table of groups: more do not fit a page.
MOST_COLUMNS = 6


@dataclass(frozen=True)
class IntervalBar:
    """An interval as a bar: positions of its left end, width, value and target in percent."""

    left: float
    width: float
    dot: float
    mark: float | None


@dataclass(frozen=True)
class IndicatorRow:
    """An indicator of the evaluation with its formatted values."""

    indicator: Indicator
    title: str
    period: str
    figure: FormattedFigure
    bar: IntervalBar | None
    asked: str
    response_rate: str
    year: str
    everybody: FormattedFigure | None
    change: FormattedChange
    target: FormattedTarget | None
    exact: dict[str, str]
    empty_period: str = ""


@dataclass(frozen=True)
class GroupCell:
    """An indicator of a group: value, non-response-corrected value and forecast of the next period."""

    figure: FormattedFigure
    everybody: FormattedFigure | None
    forecast: FormattedFigure | None


@dataclass(frozen=True)
class GroupRow:
    """A group with its indicators by column; None where it has too few answers."""

    name: str
    cells: list[GroupCell | None]
    customers: str


@dataclass(frozen=True)
class GroupTable:
    """The groups of one attribute; `hidden` is a sentence on groups that are not shown."""

    by: str
    name: str
    columns: list[str]
    rows: list[GroupRow]
    hidden: str


def indicator_rows(inputs: ReportInputs) -> list[IndicatorRow]:
    """All indicators, those with targets first."""
    if inputs.evaluation is None:
        return []
    return [_row(i, inputs) for i in targets_first(inputs.evaluation.indicators)]


def _row(i: Indicator, inputs: ReportInputs) -> IndicatorRow:
    translate, numbers = inputs.translate, inputs.numbers
    everybody = format_figure(i, i.everybody, translate, "everybody") if i.everybody else None
    year = ""
    if i.year is not None:
        year = format_value(i, i.year, translate)
    return IndicatorRow(
        indicator=i,
        title=indicator_title(i, translate),
        period=numbers.short_period(i.period, inputs.period),
        figure=format_figure(i, i, translate),
        bar=interval_bar(i),
        asked=numbers.count(i.asked),
        response_rate=numbers.percent(i.coverage, 0),
        year=year,
        everybody=everybody,
        change=format_change(i, inputs.period, translate),
        target=format_target(i, translate),
        exact=data_attributes(
            row=i.name, dimension=i.dimension, asked=i.asked, answered=i.answered,
            coverage=i.coverage, customers=i.customers, before=i.before, year=i.year,
            target=i.goal and i.goal.target, gap=i.goal and i.goal.gap,
        ),
        empty_period=describe_empty_period(i, inputs.period, translate),
    )  # fmt: skip


def interval_bar(i: Indicator) -> IntervalBar | None:
    """The interval within the range of the indicator's history; None without an interval."""
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
    """Indicators without data, with the reason."""
    if inputs.evaluation is None:
        return []
    found = inputs.evaluation.not_measured.items()
    translate = inputs.translate
    return [(translate.name("indicator", name), translate.message(why)) for name, why in found]


def group_tables(inputs: ReportInputs) -> list[GroupTable]:
    """A table for each attribute: customer attributes, then channel, tier and lifecycle stage."""
    if inputs.evaluation is None:
        return []
    cut = [i for i in targets_first(inputs.evaluation.indicators) if i.cells or i.hidden]
    names = list(dict.fromkeys(
        by for i in cut for by in (*(c.by for c in i.cells), *i.hidden)
    ))  # fmt: skip
    names.sort(key=lambda by: by in ("channel", "tier", "stage"))
    return [_table(by, cut, inputs) for by in names]


def _cell(i: Indicator, cell: GroupValue, translate: Translator) -> GroupCell:
    of = f"{cell.by}={cell.group}"
    everybody, forecast = None, None
    if cell.everybody:
        everybody = format_figure(i, cell.everybody, translate, f"{of} everybody")
    if cell.forecast and cell.forecast.points:
        forecast = format_figure(i, cell.forecast.points[0], translate, f"{of} forecast")
    return GroupCell(format_figure(i, cell, translate, of), everybody, forecast)


def _column(i: Indicator, inputs: ReportInputs) -> str:
    """The title of an indicator, with its period if that is not the last one."""
    title = indicator_title(i, inputs.translate)
    if i.empty_period is None:
        return title
    period = inputs.numbers.short_period(i.period, inputs.period)
    return inputs.translate("with_interval", value=title, interval=period)


def _largest_first(
    found: dict[str, dict[int, GroupValue]],
) -> list[tuple[str, dict[int, GroupValue]]]:
    return sorted(found.items(), key=lambda item: -max(c.customers for c in item[1].values()))


def _table(by: str, indicators: list[Indicator], inputs: ReportInputs) -> GroupTable:
    translate, numbers = inputs.translate, inputs.numbers
    cut = [i for i in indicators if any(c.by == by for c in i.cells)]
    cut = sorted(cut, key=lambda i: i.dimension is not None)[:MOST_COLUMNS]
    found: dict[str, dict[int, GroupValue]] = {}
    for place, indicator in enumerate(cut):
        for cell in indicator.cells:
            if cell.by == by:
                found.setdefault(cell.group, {})[place] = cell
    rows = [
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
    note = ""
    if hidden:
        note = translate("hidden_groups", n=max(h.cells for h in hidden))
    columns = [_column(i, inputs) for i in cut]
    return GroupTable(by, translate.name("by", by), columns, rows, note)
