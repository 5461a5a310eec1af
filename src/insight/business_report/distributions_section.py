"""Histograms of the scores of current customers."""

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from insight.business_report.report_inputs import ReportInputs
from insight.business_report.svg import InteractiveChart
from models.plots.style import ACTUAL, CASE, MODEL, QUIET

Floats = NDArray[np.float64]

#: Score, colour, and factor from the file to the axis.
SCORES = (
    ("satisfaction_score", MODEL, 1.0),
    ("churn_probability", CASE, 100.0),
    ("value_score", ACTUAL, 1.0),
)
BINS = 20


@dataclass(frozen=True)
class DistributionChart:
    """The histogram of one score, with a note on its quartiles."""

    title: str
    note: str
    chart: Markup


def distribution_charts(inputs: ReportInputs) -> list[DistributionChart]:
    """A histogram of each score the company has: satisfaction, churn, value."""
    charts = []
    for name, colour, unit in SCORES:
        values = _values(name, inputs)
        if values is not None and len(values) > 1:
            charts.append(_histogram(name, colour, unit * values, inputs))
    return charts


def _values(name: str, inputs: ReportInputs) -> Floats | None:
    """The known scores of current customers; None without the score."""
    scores = inputs.facts.scores
    values: Floats | None = None
    if name == "value_score" and inputs.status is not None and name in inputs.status:
        values = inputs.status[name].to_numpy(np.float64)
    elif scores is not None and name in scores:
        values = scores.numbers(name)[scores.current]
    return None if values is None else values[np.isfinite(values)]


def _histogram(name: str, colour: str, values: Floats, inputs: ReportInputs) -> DistributionChart:
    translate, numbers = inputs.translate, inputs.numbers
    high = 100.0 if name != "value_score" or values.max() > 1 else 1.0
    counts, edges = np.histogram(np.clip(values, 0, high), BINS, (0.0, high))
    undated = name == "churn_probability" and inputs.facts.company.snapshot
    heading = "distribution_churn_undated" if undated else f"distribution_{name}"
    title = translate(heading, days=_horizon(name, inputs))
    chart = InteractiveChart(f"distribution-{name}", title, (4.1, 2.1))
    axis, middle = chart.axis, (edges[:-1] + edges[1:]) / 2
    axis.bar(middle, counts, width=0.88 * (edges[1] - edges[0]), color=colour)
    axis.axvline(float(np.median(values)), color=QUIET, linewidth=1.2, linestyle="--")
    for x, count, low, upper in zip(middle, counts, edges[:-1], edges[1:], strict=True):
        if count:
            tip = translate(
                "distribution_tip", low=f"{low:g}", high=f"{upper:g}", n=numbers.count(count)
            )
            chart.tip(float(x), float(count), tip)
    axis.grid(axis="x", visible=False)
    axis.yaxis.set_major_locator(MaxNLocator(3, integer=True))
    axis.yaxis.set_major_formatter(FuncFormatter(lambda v, _: numbers.count(v)))
    axis.set_ylabel(translate("customers_axis"), fontsize=8.5)
    axis.set_xlabel(translate(f"axis_{name}"), fontsize=8.5)
    axis.tick_params(labelsize=8.5)
    low, median, upper = (numbers.decimal(float(q)) for q in np.quantile(values, (0.25, 0.5, 0.75)))
    note = translate(
        "distribution_note", median=median, low=low, high=upper, n=numbers.count(len(values))
    )
    return DistributionChart(title, note, chart.svg())


def _horizon(name: str, inputs: ReportInputs) -> int:
    """The days a score looks ahead; the value score, which has no horizon, does not name them."""
    target = {"satisfaction_score": "satisfaction", "churn_probability": "churn"}.get(name, "value")
    return inputs.facts.company.target(target).horizon_days
