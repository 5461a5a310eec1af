"""Tables of all indicators, overall and by region, channel, owner and segment."""

from dataclasses import dataclass
from statistics import NormalDist

from insight.business_report.alerts_section import group_name
from insight.business_report.figure_markup import (
    FormattedFigure,
    data_attributes,
    describe_empty_period,
    format_figure,
    format_value,
    indicator_title,
    targets_first,
)
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.translations import Translator
from insight.business_report.verdict_text import (
    FormattedChange,
    FormattedTarget,
    format_change,
    format_target,
)
from insight.evaluation.indicator_schema import GroupValue, Indicator

#: Indicators in a table of groups: more do not fit a page.
MOST_COLUMNS = 6
#: Groups in a table; of more, only those are shown that differ from the company.
MOST_ROWS = 10
#: The probability that any cell of a table differs by chance.
FALSE_ALARM = 0.05


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

    @property
    def folded(self) -> bool:
        """Whether the row is one click away: a dimension without a target that is as usual."""
        return bool(self.indicator.dimension) and self.target is None and not self.change.arrow


@dataclass(frozen=True)
class GroupCell:
    """An indicator of a group: value, non-response-corrected value and forecast of the next period.

    `differs`: the value differs from that of the company beyond chance, among so many cells.
    """

    figure: FormattedFigure
    everybody: FormattedFigure | None
    forecast: FormattedFigure | None
    differs: bool = False


@dataclass(frozen=True)
class GroupRow:
    """A group with its indicators by column; None where it has too few answers."""

    name: str
    cells: list[GroupCell | None]
    customers: str


@dataclass(frozen=True)
class GroupTable:
    """The groups of one attribute.

    `note` says that of many groups only those are shown that differ, `hidden` which are too small.
    """

    by: str
    name: str
    columns: list[str]
    rows: list[GroupRow]
    note: str
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


def _cell(i: Indicator, cell: GroupValue, cells: int, translate: Translator) -> GroupCell:
    of = f"{cell.by}={cell.group}"
    everybody, forecast = None, None
    if cell.everybody:
        everybody = format_figure(i, cell.everybody, translate, f"{of} everybody")
    if cell.forecast and cell.forecast.points:
        forecast = format_figure(i, cell.forecast.points[0], translate, f"{of} forecast")
    return GroupCell(
        format_figure(i, cell, translate, of), everybody, forecast, _differs(i, cell, cells)
    )


def _differs(indicator: Indicator, cell: GroupValue, cells: int) -> bool:
    """Whether a group differs from the company beyond chance, as one of so many cells (Bonferroni)."""
    if cell.low is None or cell.high is None:
        return False
    usual, strict = (
        NormalDist().inv_cdf(1 - chance / 2) for chance in (0.05, FALSE_ALARM / max(cells, 1))
    )
    end = cell.low if cell.value > indicator.value else cell.high
    distance, half = abs(cell.value - indicator.value), abs(cell.value - end)
    return half > 0 and distance > half * strict / usual


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
    count = sum(len(cells) for cells in found.values())
    rows = [
        GroupRow(
            group_name(by, group, inputs),
            [
                _cell(i, cells[place], count, translate) if place in cells else None
                for place, i in enumerate(cut)
            ],
            numbers.count(max(c.customers for c in cells.values())),
        )
        for group, cells in _largest_first(found)
    ]
    shown, note = _shown(rows, inputs)
    hidden = [i.hidden[by] for i in cut if by in i.hidden and i.hidden[by].cells]
    too_small = ""
    if hidden:
        too_small = translate("hidden_groups", n=max(h.cells for h in hidden))
    columns = [_column(i, inputs) for i in cut]
    return GroupTable(by, translate.name("by", by), columns, shown, note, too_small)


def _shown(rows: list[GroupRow], inputs: ReportInputs) -> tuple[list[GroupRow], str]:
    """All groups if they are few, otherwise those that differ, and a sentence on the others."""
    if len(rows) <= MOST_ROWS:
        return rows, ""
    differing = [row for row in rows if any(cell and cell.differs for cell in row.cells)]
    shown = differing[:MOST_ROWS]
    translate = inputs.translate
    if not shown:
        return [], translate("no_group_differs", n=len(rows))
    return shown, translate("groups_that_differ", shown=len(shown), n=len(rows))
