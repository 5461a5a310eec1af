"""Plots of a predicted value: residuals and distribution."""

from typing import TYPE_CHECKING

import numpy as np

from models.evaluation.metrics import rmse
from models.plots.style import (
    ACTUAL,
    MODEL,
    QUIET,
    RULE,
    canvas,
    decile_bins,
    heading,
    legend,
    money,
    percent,
    rows_text,
    short,
    weights,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray
MAX_POINTS = 2000
#: Smaller values are rounding errors: without an order, a model predicts about 1e-17.
ROUNDING = 1e-9


def linear_part(*values: Array) -> float:
    """The linear threshold of a symlog axis: about a tenth of the median nonzero size."""
    sizes = np.abs(np.concatenate(values))
    sizes = sizes[sizes > ROUNDING]
    return float(10.0 ** np.floor(np.log10(np.median(sizes)) - 1)) if len(sizes) else 1.0


def residuals(y: Array, model: Array, rule: Array, weight: Array | None = None) -> "Figure":
    """Predicted against actual values by decile, and the distribution of the errors."""
    w = weights(y, weight)
    error = {"model": rmse(y, model, w), "rule": rmse(y, rule, w)}
    figure, (left, right) = canvas(
        f"Root mean squared error {short(error['model'])}, of the rule {short(error['rule'])}",
        f"Value axes are logarithmic except near 0; {rows_text(y)}",
        (1.1, 1),
    )
    linear = linear_part(y, model)
    sample = np.random.default_rng(0).permutation(len(y))[:MAX_POINTS]
    left.plot(model[sample], y[sample], ".", color=MODEL, alpha=0.13, ms=4, mew=0, zorder=1)
    for name, value, colour, mark in (("model", model, MODEL, "o"), ("rule", rule, RULE, "s")):
        predicted, actual = _decile_means(value, y, w)
        label = f"{name}, decile means"
        left.plot(predicted, actual, f"{mark}-", color=colour, ms=6, lw=1.5, label=label, mec="white",
                  zorder=3 if name == "model" else 2)  # fmt: skip
    ends = [min(y.min(), model.min()), max(y.max(), model.max())]
    left.plot(ends, ends, color=QUIET, lw=1, ls=(0, (4, 3)), label="predicted = actual")
    symlog(left, "x", linear, (model.min(), model.max()))
    symlog(left, "y", linear, (y.min(), y.max()))
    left.set(xlabel="predicted", ylabel="actual")
    _limit_to_predictions(left, linear, model)
    _error_histogram(right, (y - model, y - rule), w)
    heading(left, "Predicted and actual")
    heading(right, "Errors: actual minus predicted")
    legend(left, "upper left")
    legend(right, "upper right")
    return figure


def _decile_means(value: Array, y: Array, w: Array) -> tuple[Array, Array]:
    bins = decile_bins(value, w)
    total = np.bincount(bins, w, 10)
    predicted, actual = np.bincount(bins, w * value, 10), np.bincount(bins, w * y, 10)
    used = total > 0
    return predicted[used] / total[used], actual[used] / total[used]


def symlog(axis: "Axes", which: str, linear: float, ends: tuple[float, float]) -> None:
    """A symlog axis with few labels, so that they do not overlap."""
    from matplotlib.ticker import NullLocator

    getattr(axis, f"set_{which}scale")("symlog", linthresh=linear, linscale=0.6)
    largest = np.log10(max(abs(ends[0]), abs(ends[1]), linear))
    first = np.log10(linear) + 1
    powers = 10.0 ** np.arange(first, largest + 1e-9, max(1, np.ceil((largest - first + 1) / 4)))
    ticks = (
        [-p for p in powers[::-1] if -p >= ends[0]] + [0.0] + [p for p in powers if p <= ends[1]]
    )
    getattr(axis, f"set_{which}ticks")(ticks)
    getattr(axis, f"{which}axis").set_minor_locator(NullLocator())
    money(axis, which)


def _limit_to_predictions(axis: "Axes", linear: float, model: Array) -> None:
    """Limit the axis to the predictions and a margin; the diagonal would extend it."""
    from matplotlib.scale import SymmetricalLogTransform

    scale = SymmetricalLogTransform(10, linear, 0.6)
    low, high = scale.transform(np.array([min(model.min(), 0.0), model.max()]))
    margin = 0.06 * (high - low) if high - low > ROUNDING else 1.0
    axis.set_xlim(*scale.inverted().transform(np.array([low - margin, high + margin])))


def _error_histogram(axis: "Axes", errors: tuple[Array, Array], w: Array) -> None:
    linear = linear_part(*errors)
    steps = _bin_edges(linear, *errors)
    share = w / w.sum()
    axis.hist(errors[0], steps, weights=share, color=MODEL, alpha=0.75, label="model")
    axis.hist(errors[1], steps, weights=share, histtype="step", color=RULE, lw=1.8, label="rule")
    symlog(axis, "x", linear, (steps[0], steps[-1]))
    axis.axvline(0, color=QUIET, lw=1, ls=(0, (4, 3)))
    axis.set(xlabel="error", ylabel="share of rows")
    percent(axis, "y")


def _bin_edges(linear: float, *values: Array) -> list[float]:
    """Edges of 41 bars of equal width on a symlog axis."""
    from matplotlib.scale import SymmetricalLogTransform

    scale = SymmetricalLogTransform(10, linear, 0.6)
    ends = np.array([min(v.min() for v in values), max(v.max() for v in values)])
    low, high = scale.transform(ends)
    steps = scale.inverted().transform(np.linspace(low, high + 1e-9, 42))
    return [float(step) for step in steps]


def value_distribution(
    y: Array, model: Array, rule: Array, weight: Array | None = None
) -> "Figure":
    """Distributions of predicted and actual values: the share of rows with at least a value."""
    w = weights(y, weight)
    sums = {name: float(v @ w) for name, v in (("model", model), ("rule", rule), ("actual", y))}
    whole = sums["actual"] or float("nan")
    figure, (axis,) = canvas(
        f"Predicted values add up to {sums['model'] / whole:.0%} of the actual total, "
        f"the rule's to {sums['rule'] / whole:.0%}",
        f"Share of rows with at least the value; {rows_text(y)}",
        (1,),
    )
    lines = (("actual", y, ACTUAL, 2.8), ("rule", rule, RULE, 1.8), ("model", model, MODEL, 2.2))
    for name, value, colour, width in lines:
        order = np.argsort(value, kind="stable")
        above = 1 - (np.cumsum(w[order]) - w[order]) / w.sum()
        axis.step(value[order], above, color=colour, lw=width, label=name, where="pre")
    linear = linear_part(y, model)
    symlog(axis, "x", linear, (min(y.min(), model.min()), max(y.max(), model.max())))
    axis.set(xlabel="value", ylabel="share of rows", ylim=(-0.01, 1.03))
    percent(axis, "y")
    legend(axis, "upper right")
    return figure
