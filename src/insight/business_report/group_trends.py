"""Lines of the regions over time: one chart for each indicator that is measured by region."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from insight.business_report.alerts_section import group_name
from insight.business_report.figure_markup import format_value, indicator_title
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.svg import InteractiveChart
from insight.evaluation.indicator_schema import GroupValue, Indicator, PeriodValue
from models.plots.style import ACTUAL, CASE, INK, MODEL, QUIET, RULE

COLOURS = (MODEL, RULE, ACTUAL, CASE, INK, QUIET, MODEL, RULE)
#: Ways to draw a line, so that eight lines can be told apart in print.
STYLES = ("-", "-", "-", "-", "-", "-", "--", "--")
#: Attributes that are no region: their lines say less, or change with the customers.
OTHERS = ("channel", "tier", "stage", "category")
#: The least distance between the labels of two lines, as a share of the height.
APART = 0.105
#: Values over time by the name of the group.
Lines = dict[str, list[PeriodValue]]


@dataclass(frozen=True)
class GroupTrend:
    """The lines of all groups of an attribute for one indicator."""

    title: str
    note: str
    chart: Markup


def group_trends(inputs: ReportInputs) -> list[GroupTrend]:
    """A chart for each indicator whose regions (or other customer attribute) have values over time."""
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    by, lines = _lines(indicators, inputs)
    names = sorted({name for of_indicator in lines for name in of_indicator})
    return [
        _trend(indicator, by, of_indicator, names, inputs)
        for indicator, of_indicator in zip(indicators, lines, strict=True)
        if len(of_indicator) > 1
    ]


def _lines(indicators: list[Indicator], inputs: ReportInputs) -> tuple[str, list[Lines]]:
    """The attribute, and for each indicator the lines of its groups by their names."""
    cells = [
        [c for c in i.cells if len(c.over_time) > 1 and c.by not in OTHERS] for i in indicators
    ]
    by = next((c.by for of_indicator in cells for c in of_indicator), "")
    found = [
        {group_name(by, c.group, inputs): by_quarter(c, inputs.period) for c in some if c.by == by}
        for some in cells
    ]
    return by, [{name: line for name, line in some.items() if len(line) > 1} for some in found]


def _trend(
    indicator: Indicator, by: str, lines: Lines, names: list[str], inputs: ReportInputs
) -> GroupTrend:
    title = inputs.translate(
        "by_attribute", name=indicator_title(indicator, inputs.translate),
        by=inputs.translate.name("by", by).lower(),
    )  # fmt: skip
    unit = inputs.translate.name("unit", indicator.unit)
    note = inputs.translate("comma").join([unit, inputs.translate(f"by_{_length(inputs.period)}")])
    chart = InteractiveChart(f"groups-{indicator.name}-{indicator.dimension}", title, (5.4, 2.5))
    starts = sorted({p.period for line in lines.values() for p in line})
    looks = {name: (COLOURS[n % 8], STYLES[n % 8]) for n, name in enumerate(names)}
    for name, line in lines.items():
        _draw(chart, name, line, looks[name], (indicator, starts), inputs)
    _label_lines(chart, lines, looks, len(starts))
    _axes(chart, indicator, starts, inputs)
    return GroupTrend(title, note, chart.svg())


def _length(period: str) -> str:
    """Months are too noisy for a region: quarters are drawn."""
    return "quarter" if period == "month" else period


def by_quarter(cell: GroupValue, period: str) -> list[PeriodValue]:
    """The values of a group; those of months as means of a quarter, weighted by their answers."""
    if period != "month":
        return cell.over_time
    parts: dict[date, list[PeriodValue]] = defaultdict(list)
    for point in cell.over_time:
        month = point.period.month
        parts[point.period.replace(month=month - (month - 1) % 3)].append(point)
    return [_mean(start, points) for start, points in sorted(parts.items()) if len(points) == 3]


def _mean(start: date, points: list[PeriodValue]) -> PeriodValue:
    answered = sum(p.answered for p in points)
    value = sum(p.value * p.answered for p in points) / answered
    asked = sum(p.asked for p in points)
    return PeriodValue(
        period=start, value=value, low=None, high=None, asked=asked, answered=answered
    )


def _draw(
    chart: InteractiveChart, name: str, line: list[PeriodValue], look: tuple[str, str],
    of: tuple[Indicator, list[date]], inputs: ReportInputs,
) -> None:  # fmt: skip
    """Draw one line, with the numbers of each point."""
    (indicator, starts), translate, numbers = of, inputs.translate, inputs.numbers
    xs = [starts.index(p.period) for p in line]
    colour, style = look
    chart.axis.plot(xs, [p.value for p in line], style, color=colour, linewidth=1.6)
    for x, point in zip(xs, line, strict=True):
        text = translate(
            "line_tip", name=name, when=numbers.period(point.period, _length(inputs.period)),
            value=format_value(indicator, point.value, translate),
            cases=translate("n", n=numbers.count(point.answered)),
        )  # fmt: skip
        chart.tip(x, point.value, text)


def _label_lines(
    chart: InteractiveChart, lines: Lines, looks: dict[str, tuple[str, str]], end: int
) -> None:
    """Write each name at the end of its line, apart from the others."""
    values = [p.value for line in lines.values() for p in line]
    gap = APART * ((max(values) - min(values)) or 1.0)
    names = sorted(lines, key=lambda name: lines[name][-1].value)
    heights = spread([lines[name][-1].value for name in names], gap)
    for name, height in zip(names, heights, strict=True):
        chart.axis.text(
            end - 0.75, height, name.replace("$", r"\$"), color=looks[name][0], fontsize=9,
            va="center",
        )  # fmt: skip


def spread(values: list[float], gap: float) -> list[float]:
    """Heights in the order of the values, at least a gap apart and around the same middle."""
    heights: list[float] = []
    for value in values:
        heights.append(max(value, heights[-1] + gap) if heights else value)
    shift = (sum(values) - sum(heights)) / max(len(values), 1)
    return [height + shift for height in heights]


def _axes(
    chart: InteractiveChart, indicator: Indicator, starts: list[date], inputs: ReportInputs
) -> None:
    axis, length = chart.axis, _length(inputs.period)
    step = max(1, -(-len(starts) // 5))
    shown = list(range(0, len(starts), step))
    axis.set_xlim(-0.3, len(starts) * 1.28 + 0.4)
    axis.set_xticks(shown)
    axis.set_xticklabels([inputs.numbers.short_period(starts[x], length) for x in shown])
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: format_value(indicator, value, inputs.translate))
    )
    axis.grid(axis="x", visible=False)
    axis.margins(y=0.12)
    axis.tick_params(labelsize=8.5)
