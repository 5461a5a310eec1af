"""Drivers of satisfaction: importance and performance as a matrix and a table."""

from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from insight.business_report.report_inputs import ReportInputs
from insight.business_report.svg import InteractiveChart
from insight.business_report.translations import Translator
from insight.evaluation.evaluation_schema import SatisfactionDriver, SatisfactionDrivers
from insight.evaluation.indicator_schema import IntervalEstimate
from models.plots.style import ACTUAL, INK, MODEL, QUIET, RULE

COLOURS = {
    "concentrate here": RULE, "keep up the good work": ACTUAL, "low priority": QUIET,
    "possible overkill": MODEL,
}  # fmt: skip
#: Label positions in turn, so that neighbouring labels do not overlap.
LABELS = (((5, 5), "left"), ((5, -12), "left"), ((-5, 5), "right"), ((-5, -12), "right"))


@dataclass(frozen=True)
class DriverRow:
    """One formatted driver; `exact` holds its importance unrounded."""

    name: str
    importance: str
    importance_interval: str
    bar: float
    effect: str
    effect_interval: str
    performance: str
    quadrant: str
    clear: bool
    exact: dict[str, str]


@dataclass(frozen=True)
class DriversSection:
    """The verdict in a sentence, a note on the data, the matrix and the table.

    `clear`: at least one driver lies clearly in a quadrant.
    """

    verdict: str
    clear: bool
    note: str
    chart: Markup
    rows: list[DriverRow]


def drivers_section(inputs: ReportInputs) -> DriversSection | None:
    """The drivers of satisfaction; None where they are not known."""
    found = inputs.evaluation.drivers if inputs.evaluation else None
    if found is None or not found.drivers:
        return None
    translate, numbers = inputs.translate, inputs.numbers
    note = translate(
        "drivers_note",
        outcome=translate.name("dimension", found.outcome),
        rows=numbers.count(found.rows),
        incomplete=numbers.count(found.incomplete),
        explained=numbers.percent(found.explained, 0),
    )
    most = max(d.importance.value for d in found.drivers)
    rows = [_row(d, most, translate) for d in found.drivers]
    clear = any(d.clear for d in found.drivers)
    return DriversSection(_verdict(found, translate), clear, note, _matrix(found, inputs), rows)


def _verdict(found: SatisfactionDrivers, translate: Translator) -> str:
    """Name the drivers to improve first; say so where none stands out."""
    comma = translate("comma")
    clear = [d for d in found.drivers if d.clear]
    first = [d for d in clear if d.quadrant == "concentrate here"]
    if not clear:
        return translate("no_driver_stands_out")
    if not first:
        return translate("no_driver_to_improve")
    return translate(
        "improve_first", names=comma.join(translate.name("dimension", d.name) for d in first)
    )


def _row(driver: SatisfactionDriver, most: float, translate: Translator) -> DriverRow:
    numbers = translate.numbers
    return DriverRow(
        name=translate.name("dimension", driver.name),
        importance=numbers.percent(driver.importance.value, 0),
        importance_interval=_interval(driver.importance, translate, share=True),
        bar=round(100 * max(driver.importance.value, 0) / most, 1) if most > 0 else 0.0,
        effect=numbers.signed(driver.effect.value, 2),
        effect_interval=_interval(driver.effect, translate),
        performance=numbers.decimal(driver.performance.value),
        quadrant=translate.name("advice", driver.quadrant),
        clear=driver.clear,
        exact={"driver": driver.name, "value": repr(driver.importance.value)},
    )


def _interval(figure: IntervalEstimate, translate: Translator, share: bool = False) -> str:
    numbers = translate.numbers
    if figure.low is None or figure.high is None:
        return ""
    if share:
        return numbers.interval(numbers.percent(figure.low, 0), numbers.percent(figure.high, 0))
    return numbers.interval(numbers.signed(figure.low, 2), numbers.signed(figure.high, 2))


def _matrix(found: SatisfactionDrivers, inputs: ReportInputs) -> Markup:
    """Plot importance over performance with intervals; lines at the means form the quadrants."""
    translate = inputs.translate
    chart = InteractiveChart("drivers", translate("drivers_title"), (5.4, 3.5))
    axis = chart.axis
    for place, d in enumerate(sorted(found.drivers, key=lambda d: d.performance.value)):
        colour = COLOURS.get(d.quadrant, MODEL)
        x, y = d.performance.value, 100 * d.importance.value
        _cross(chart, d, colour)
        name = translate.name("dimension", d.name).replace("$", r"\$")
        (right, up), side = LABELS[place % len(LABELS)]
        axis.annotate(
            name, (x, y), xytext=(right, up), textcoords="offset points", ha=side, fontsize=9.5,
            color=INK,
        )  # fmt: skip
        chart.tip(x, y, _tip(d, translate))
    count = len(found.drivers)
    axis.axhline(100 * sum(d.importance.value for d in found.drivers) / count, color=QUIET, lw=0.9)
    axis.axvline(sum(d.performance.value for d in found.drivers) / count, color=QUIET, lw=0.9)
    axis.set_xlabel(translate("performance_axis"))
    axis.set_ylabel(translate("importance_axis"))
    axis.xaxis.set_major_locator(MaxNLocator(5))
    axis.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:.0f}%"))
    axis.margins(0.16)
    return chart.svg()


def _tip(driver: SatisfactionDriver, translate: Translator) -> str:
    importance = translate(
        "with_interval",
        value=translate.numbers.percent(driver.importance.value, 0),
        interval=_interval(driver.importance, translate, share=True),
    )
    parts = [
        importance,
        translate.numbers.decimal(driver.performance.value),
        translate.name("advice", driver.quadrant),
    ]
    name = translate.name("dimension", driver.name)
    return f"{name}{translate('colon')}{translate('comma').join(parts)}"


def _cross(chart: InteractiveChart, driver: SatisfactionDriver, colour: str) -> None:
    """Draw a driver as a point with both intervals."""
    at = (driver.performance, driver.importance)
    (x_low, x_high), (y_low, y_high) = (
        (f.value if f.low is None else f.low, f.value if f.high is None else f.high) for f in at
    )
    x, y = driver.performance.value, 100 * driver.importance.value
    chart.axis.plot([x_low, x_high], [y, y], color=colour, linewidth=1.1, alpha=0.55)
    chart.axis.plot([x, x], [100 * y_low, 100 * y_high], color=colour, linewidth=1.1, alpha=0.55)
    chart.axis.plot([x], [y], "o", color=colour, ms=6)
