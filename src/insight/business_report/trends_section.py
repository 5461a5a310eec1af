"""Each indicator over time: its interval, the forecast, the target, and where it left the usual."""

from dataclasses import dataclass
from datetime import date

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from insight.business_report.figure_markup import Shown, first_targets, shown, title, written
from insight.business_report.report_inputs import Material
from insight.business_report.svg import Canvas
from insight.evaluation.evaluation_schema import Indicator, PeriodValue
from models.plots.style import MODEL, QUIET, RULE

#: Charts that fit a page; further indicators are in the table.
MOST = 9


@dataclass(frozen=True)
class Trend:
    """The picture of one indicator and what its forecast is worth."""

    title: str
    chart: Markup
    note: str


def trends(material: Material) -> list[Trend]:
    """The pictures of the overall indicators that have more than one period."""
    if material.evaluation is None:
        return []
    told = [i for i in first_targets(material.evaluation.indicators) if len(i.over_time) > 1]
    told = [i for i in told if i.dimension is None or i.goal]
    return [_trend(i, material) for i in told[:MOST]]


def not_forecast(material: Material) -> list[tuple[str, str]]:
    """Indicators that are not forecast by the reason, each reason once."""
    told = material.evaluation.indicators if material.evaluation else []
    return by_reason([(i, i.no_forecast) for i in told], material)


def not_corrected(material: Material) -> list[tuple[str, str]]:
    """Indicators that are not corrected for who answers by the reason, each reason once."""
    told = material.evaluation.indicators if material.evaluation else []
    return by_reason([(i, i.why_not) for i in told if i.everybody is None], material)


def by_reason(reasons: list[tuple[Indicator, str]], material: Material) -> list[tuple[str, str]]:
    """The names of the indicators each reason is given for."""
    found: dict[str, list[str]] = {}
    for indicator, why in reasons:
        if why:
            found.setdefault(why, []).append(title(indicator, material.numerals))
    comma = material.words("comma")
    return [(comma.join(names), why) for why, names in found.items()]


def _trend(i: Indicator, material: Material) -> Trend:
    note = ""
    if i.forecast:
        note = material.words(
            "forecast_skill",
            method=material.words.named("method", i.forecast.method),
            skill=material.numerals.share(i.forecast.skill, 0),
            trials=i.forecast.trials,
        )
    return Trend(title(i, material.numerals), _chart(i, material), note)


def _chart(i: Indicator, material: Material) -> Markup:
    name = title(i, material.numerals)
    canvas = Canvas(f"trend-{i.name}-{i.dimension}", name)
    past, ahead = i.over_time, i.forecast.points if i.forecast else []
    starts = [p.period for p in past] + [p.period for p in ahead]
    split = len(past)
    _line(canvas, range(split), past, MODEL, "-")
    if ahead:
        joined = [past[-1], *ahead]
        _line(canvas, range(split - 1, split + len(ahead)), joined, QUIET, "--")
    if i.goal:
        canvas.axis.axhline(i.goal.target, color=RULE, linewidth=1.1, linestyle=(0, (1, 1.6)))
    _alerted(canvas, i, material, {start: x for x, start in enumerate(starts[:split])})
    for x, point in enumerate([*past, *ahead]):
        what = f"{point.period}{' forecast' if x >= split else ''}"
        exact = shown(i, point, material.numerals, what).exact
        canvas.tip(x, point.value, _said(i, point, material, x >= split), exact)
    _axes(canvas, i, material, starts)
    return canvas.svg()


def _line(canvas: Canvas, xs: range, points: list[PeriodValue], colour: str, style: str) -> None:
    values = [p.value for p in points]
    lows = [p.value if p.low is None else p.low for p in points]
    highs = [p.value if p.high is None else p.high for p in points]
    canvas.axis.fill_between(list(xs), lows, highs, color=colour, alpha=0.16, linewidth=0)
    canvas.axis.plot(list(xs), values, style, color=colour, linewidth=1.6, marker="o", ms=2.6)


def _alerted(canvas: Canvas, i: Indicator, material: Material, places: dict[date, int]) -> None:
    """A ring round the points of which an alert tells about everybody."""
    for alert in material.evaluation.alerts if material.evaluation else []:
        same = (alert.indicator, alert.dimension) == (i.name, i.dimension)
        if same and alert.by in ("", "all", "overall") and alert.period in places:
            canvas.axis.plot(
                [places[alert.period]], [alert.value], "o", ms=9, mfc="none", color=RULE
            )


def _said(i: Indicator, point: PeriodValue, material: Material, ahead: bool) -> str:
    figure: Shown = shown(i, point, material.numerals)
    when = material.numerals.period(point.period, material.period)
    words, said = material.words, figure.value
    if figure.interval:
        said = words("with_interval", value=said, interval=figure.interval)
    tail = words("forecast") if ahead else figure.cases
    return f"{when}{words('colon')}{said}{words('comma')}{tail}"


def _axes(canvas: Canvas, i: Indicator, material: Material, starts: list[date]) -> None:
    axis = canvas.axis
    step = max(1, -(-len(starts) // 5))
    shown_at = list(range(0, len(starts), step))
    axis.set_xticks(shown_at)
    axis.set_xticklabels(
        [material.numerals.short_period(starts[x], material.period) for x in shown_at]
    )
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: written(i, value, material.numerals))
    )
    axis.grid(axis="x", visible=False)
    axis.margins(x=0.04, y=0.12)
    axis.tick_params(labelsize=8.5)
