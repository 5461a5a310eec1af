"""The chart of revenue by month: bars, with the same month of the year before as a line."""

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from insight.business_report.figure_markup import data_attributes
from insight.business_report.report_inputs import ReportInputs
from insight.business_report.svg import InteractiveChart
from insight.business_report.tiles_section import compared, money
from insight.business_report.trends_section import TrendChart
from insight.evaluation.business_schema import RevenueChange
from models.plots.style import MODEL, RULE

MONTHS_OF_A_YEAR = 12


def revenue_trend(inputs: ReportInputs) -> list[TrendChart]:
    """The chart of revenue; none without revenue."""
    found = inputs.evaluation.revenue if inputs.evaluation else None
    if found is None:
        return []
    translate = inputs.translate
    currency = inputs.numbers.currency(inputs.facts.company.info.currency)
    unit = translate("comma").join([currency, translate("by_month")])
    changes = [
        translate(key, change=compared(on, inputs), months=found.months)
        for key, on in (("tile_year_ago", found.on_year_ago), ("tile_before", found.on_before))
        if on is not None
    ]
    verdict = translate("semicolon").join(changes)
    title = translate("revenue")
    return [
        TrendChart(title, unit, _chart(found, title, inputs), verdict, translate("last_year_line"))
    ]


def _chart(found: RevenueChange, title: str, inputs: ReportInputs) -> Markup:
    chart = InteractiveChart("trend-revenue", title)
    axis, points, numbers = chart.axis, found.over_time, inputs.numbers
    values = [point.value for point in points]
    axis.bar(range(len(points)), values, color=MODEL, width=0.72, alpha=0.55)
    earlier = values[:-MONTHS_OF_A_YEAR]
    if earlier:
        axis.plot(range(MONTHS_OF_A_YEAR, len(points)), earlier, color=RULE, linewidth=1.4)
    for x, point in enumerate(points):
        month, value = numbers.period(point.month, "month"), money(point.value, inputs)
        exact = data_attributes(revenue=point.month.isoformat(), value=point.value)
        chart.tip(x, point.value, f"{month}{inputs.translate('colon')}{value}", exact)
    step = max(1, -(-len(points) // 5))
    shown = list(range(0, len(points), step))
    axis.set_xticks(shown)
    axis.set_xticklabels([numbers.short_period(points[x].month, "month") for x in shown])
    axis.set_ylim(bottom=min(0.0, *values))
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda value, _: numbers.amount(value)))
    axis.grid(axis="x", visible=False)
    axis.tick_params(labelsize=8.5)
    return chart.svg()
