"""Each indicator over time: its interval, the forecast, the target, and where it left the usual."""

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from insight.business_report.figure_markup import FormattedFigure, targets_first, format_figure, indicator_title, format_value
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.svg import InteractiveChart
from insight.evaluation.evaluation_schema import Indicator, PeriodValue
from models.plots.style import MODEL, QUIET, RULE

#: Charts that fit a page; further indicators are in the table.
MOST = 9


@dataclass(frozen=True)
class TrendChart:
    """The picture of one indicator and what its forecast is worth."""

    indicator_title: str
    chart: Markup
    note: str


def trend_charts(inputs: ReportInputs) -> list[TrendChart]:
    """The pictures of the overall indicators that have more than one period."""
    if inputs.evaluation is None:
        return []
    told = [i for i in targets_first(inputs.evaluation.indicators) if len(i.over_time) > 1]
    told = [i for i in told if i.dimension is None or i.goal]
    return [_trend(i, inputs) for i in told[:MOST]]


def missing_forecasts(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Indicators that are not forecast by the reason, each reason once."""
    told = inputs.evaluation.indicators if inputs.evaluation else []
    return group_by_reason([(i, i.no_forecast) for i in told], inputs)


def missing_corrections(inputs: ReportInputs) -> list[tuple[str, str]]:
    """Indicators that are not corrected for who answers by the reason, each reason once."""
    told = inputs.evaluation.indicators if inputs.evaluation else []
    return group_by_reason([(i, i.why_not) for i in told if i.everybody is None], inputs)


def group_by_reason(reasons: list[tuple[Indicator, str]], inputs: ReportInputs) -> list[tuple[str, str]]:
    """The names of the indicators each reason is given for."""
    found: dict[str, list[str]] = {}
    for indicator, why in reasons:
        if why:
            found.setdefault(why, []).append(indicator_title(indicator, inputs.translate))
    comma = inputs.translate("comma")
    return [(comma.join(names), why) for why, names in found.items()]


def _trend(i: Indicator, inputs: ReportInputs) -> TrendChart:
    note = ""
    if i.forecast:
        note = inputs.translate(
            "forecast_skill",
            method=inputs.translate.name("method", i.forecast.method),
            skill=inputs.numbers.percent(i.forecast.skill, 0),
            trials=i.forecast.trials,
        )
    return TrendChart(indicator_title(i, inputs.translate), _chart(i, inputs), note)


def _chart(i: Indicator, inputs: ReportInputs) -> Markup:
    name = indicator_title(i, inputs.translate)
    canvas = InteractiveChart(f"trend-{i.name}-{i.dimension}", name)
    past, ahead = i.over_time, i.forecast.points if i.forecast else []
    starts = [p.period for p in past] + [p.period for p in ahead]
    split = len(past)
    _line(canvas, range(split), past, MODEL, "-")
    if ahead:
        joined = [past[-1], *ahead]
        _line(canvas, range(split - 1, split + len(ahead)), joined, QUIET, "--")
    if i.goal:
        canvas.axis.axhline(i.goal.target, color=RULE, linewidth=1.1, linestyle=(0, (1, 1.6)))
    _alerted(canvas, i, inputs, {start: x for x, start in enumerate(starts[:split])})
    for x, point in enumerate([*past, *ahead]):
        what = f"{point.period}{' forecast' if x >= split else ''}"
        exact = format_figure(i, point, inputs.translate, what).exact
        canvas.tip(x, point.value, _said(i, point, inputs, x >= split), exact)
    _axes(canvas, i, inputs, starts)
    return canvas.svg()


def _line(canvas: InteractiveChart, xs: range, points: list[PeriodValue], colour: str, style: str) -> None:
    values = [p.value for p in points]
    lows = [p.value if p.low is None else p.low for p in points]
    highs = [p.value if p.high is None else p.high for p in points]
    canvas.axis.fill_between(list(xs), lows, highs, color=colour, alpha=0.16, linewidth=0)
    canvas.axis.plot(list(xs), values, style, color=colour, linewidth=1.6, marker="o", ms=2.6)


def _alerted(canvas: InteractiveChart, i: Indicator, inputs: ReportInputs, places: dict[date, int]) -> None:
    """A ring round the points of which an alert tells about everybody."""
    for alert in inputs.evaluation.alerts if inputs.evaluation else []:
        same = (alert.indicator, alert.dimension) == (i.name, i.dimension)
        if same and alert.by in ("", "all", "overall") and alert.period in places:
            canvas.axis.plot(
                [places[alert.period]], [alert.value], "o", ms=9, mfc="none", color=RULE
            )


def _said(i: Indicator, point: PeriodValue, inputs: ReportInputs, ahead: bool) -> str:
    figure: FormattedFigure = format_figure(i, point, inputs.translate)
    when = inputs.numbers.period(point.period, inputs.period)
    translate, said = inputs.translate, figure.value
    if figure.interval:
        said = translate("with_interval", value=said, interval=figure.interval)
    tail = translate("forecast") if ahead else figure.cases
    return f"{when}{translate('colon')}{said}{translate('comma')}{tail}"


def _axes(canvas: InteractiveChart, i: Indicator, inputs: ReportInputs, starts: list[date]) -> None:
    axis = canvas.axis
    step = max(1, -(-len(starts) // 5))
    shown_at = list(range(0, len(starts), step))
    axis.set_xticks(shown_at)
    axis.set_xticklabels(
        [inputs.numbers.short_period(starts[x], inputs.period) for x in shown_at]
    )
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: format_value(i, value, inputs.translate))
    )
    axis.grid(axis="x", visible=False)
    axis.margins(x=0.04, y=0.12)
    axis.tick_params(labelsize=8.5)
