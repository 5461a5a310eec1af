"""Charts of each indicator over time: interval, usual level, forecast, target and alerts."""

from dataclasses import dataclass
from datetime import date
from itertools import zip_longest

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from insight.business_report.figure_markup import (
    FormattedFigure,
    describe_empty_period,
    format_figure,
    format_value,
    indicator_title,
    targets_first,
)
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.svg import InteractiveChart
from insight.business_report.verdict_text import format_change
from insight.evaluation.indicator_schema import Indicator, PeriodValue
from models.plots.style import MODEL, QUIET, RULE

#: Indicators with a chart; the others are in the table only.
MOST_CHARTS = 8


@dataclass(frozen=True)
class TrendChart:
    """The chart of one indicator or of revenue, with its unit and horizon.

    `verdict` is that on the last period, `note` the quality of the forecast.
    """

    title: str
    unit: str
    chart: Markup
    verdict: str
    note: str


def trend_charts(inputs: ReportInputs) -> list[TrendChart]:
    """The charts of the overall indicators that have more than one period."""
    if inputs.evaluation is None:
        return []
    chosen = [i for i in targets_first(inputs.evaluation.indicators) if len(i.over_time) > 1]
    chosen = [i for i in chosen if i.dimension is None or i.goal]
    return [_trend(i, inputs) for i in chosen[:MOST_CHARTS]]


def missing_forecasts(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Indicators without a forecast, grouped by the reason."""
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    return group_by_reason([(i, i.no_forecast) for i in indicators], inputs)


def missing_corrections(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Indicators without a non-response correction, grouped by the reason."""
    indicators = inputs.evaluation.indicators if inputs.evaluation else []
    return group_by_reason([(i, i.why_not) for i in indicators if i.everybody is None], inputs)


def group_by_reason(
    reasons: list[tuple[Indicator, str]], inputs: ReportInputs
) -> list[tuple[str, str]]:
    """The names of the indicators for each reason."""
    found: dict[str, list[str]] = {}
    for indicator, why in reasons:
        if why:
            found.setdefault(why, []).append(indicator_title(indicator, inputs.translate))
    comma = inputs.translate("comma")
    return [(comma.join(names), inputs.translate.message(why)) for why, names in found.items()]


def _trend(i: Indicator, inputs: ReportInputs) -> TrendChart:
    note = describe_empty_period(i, inputs.period, inputs.translate)
    if i.forecast:
        note = inputs.translate(
            "forecast_skill",
            method=inputs.translate.name("method", i.forecast.method),
            skill=inputs.numbers.percent(i.forecast.skill, 0),
            trials=i.forecast.trials,
        )
    verdict = format_change(i, inputs.period, inputs.translate).text
    title = indicator_title(i, inputs.translate)
    return TrendChart(title, _unit(i, inputs), _chart(i, inputs), verdict, note)


def _unit(i: Indicator, inputs: ReportInputs) -> str:
    """The unit of the axis, the length of a period, and how far the forecast reaches."""
    translate = inputs.translate
    parts = [translate.name("unit", i.unit), translate(f"by_{inputs.period}")]
    if i.forecast:
        parts.append(translate(f"ahead_{inputs.period}", n=len(i.forecast.points)))
    return translate("comma").join(parts)


def _chart(i: Indicator, inputs: ReportInputs) -> Markup:
    name = indicator_title(i, inputs.translate)
    chart = InteractiveChart(f"trend-{i.name}-{i.dimension}", name)
    past, ahead = i.over_time, i.forecast.points if i.forecast else []
    starts = [p.period for p in past] + [p.period for p in ahead]
    split = len(past)
    _line(chart, range(split), past, MODEL, "-")
    if ahead:
        joined = [past[-1], *ahead]
        _line(chart, range(split - 1, split + len(ahead)), joined, QUIET, "--")
    if i.goal:
        chart.axis.axhline(i.goal.target, color=RULE, linewidth=1.1, linestyle=(0, (1, 1.6)))
    _draw_verdict(chart, i, [p.period for p in past])
    for x, point in enumerate([*past, *ahead]):
        what = f"{point.period}{' forecast' if x >= split else ''}"
        exact = format_figure(i, point, inputs.translate, what).exact
        chart.tip(x, point.value, _tip(i, point, inputs, x >= split), exact)
    _axes(chart, i, inputs, starts)
    return chart.svg()


def _line(
    chart: InteractiveChart, xs: range, points: list[PeriodValue], colour: str, style: str
) -> None:
    values = [p.value for p in points]
    lows = [p.value if p.low is None else p.low for p in points]
    highs = [p.value if p.high is None else p.high for p in points]
    chart.axis.fill_between(list(xs), lows, highs, color=colour, alpha=0.16, linewidth=0)
    chart.axis.plot(list(xs), values, style, color=colour, linewidth=1.6, marker="o", ms=2.6)


def _draw_verdict(chart: InteractiveChart, i: Indicator, starts: list[date]) -> None:
    """Draw the level of each stretch between lasting changes, and a ring around an alert."""
    levels = i.verdict.levels
    for level, following in zip_longest(levels, levels[1:]):
        end = following.since if following else date.max
        inside = [x for x, start in enumerate(starts) if level.since <= start < end]
        if inside:
            chart.axis.plot(
                [inside[0] - 0.5, inside[-1] + 0.5], [level.value] * 2, color=QUIET, linewidth=1.1
            )
    if i.verdict.is_alert:
        chart.axis.plot([len(starts) - 1], [i.value], "o", ms=9, mfc="none", color=RULE)


def _tip(i: Indicator, point: PeriodValue, inputs: ReportInputs, ahead: bool) -> str:
    figure: FormattedFigure = format_figure(i, point, inputs.translate)
    when = inputs.numbers.period(point.period, inputs.period)
    translate, value = inputs.translate, figure.value
    if figure.interval:
        value = translate("with_interval", value=value, interval=figure.interval)
    tail = translate("forecast") if ahead else figure.cases
    return f"{when}{translate('colon')}{value}{translate('comma')}{tail}"


def _axes(chart: InteractiveChart, i: Indicator, inputs: ReportInputs, starts: list[date]) -> None:
    axis = chart.axis
    step = max(1, -(-len(starts) // 5))
    shown_at = list(range(0, len(starts), step))
    axis.set_xticks(shown_at)
    axis.set_xticklabels([inputs.numbers.short_period(starts[x], inputs.period) for x in shown_at])
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: format_value(i, value, inputs.translate))
    )
    axis.grid(axis="x", visible=False)
    axis.margins(x=0.04, y=0.12)
    axis.tick_params(labelsize=8.5)
