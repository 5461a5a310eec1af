"""Plots shared by the notebooks: panels, bars, values with intervals, reasons."""

from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from models.plots.style import INK, MODEL, QUIET, apply_style, canvas
from models.plots.style import heading as heading


def tiles(
    title: str, subtitle: str, count: int, columns: int = 3, height: float = 1.75
) -> tuple[Figure, list[Axes]]:
    """Make a figure of `count` small panels, with a title and a subtitle."""
    rows = -(-count // columns)
    figure, (whole,) = canvas(title, subtitle, (1,), (9.6, 1.0 + height * rows))
    whole.remove()
    grid = figure.add_gridspec(rows, columns)
    axes = [figure.add_subplot(grid[i // columns, i % columns]) for i in range(count)]
    for axis in axes:
        apply_style(axis)
    return figure, axes


def along_time(axis: Axes, most: int = 6) -> None:
    """Format the x axis as dates, with at most `most` ticks."""
    locator = mdates.AutoDateLocator(minticks=3, maxticks=most)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))


def bars(
    axis: Axes, names: Sequence[str], values: Sequence[float], unit: str, form: str = "{:,.0f}"
) -> None:
    """Plot horizontal bars with their values, the first on top; `unit` labels the axis of the values."""
    place = np.arange(len(names))
    axis.barh(place, values, 0.68, color=MODEL)
    for i, value in zip(place, values, strict=True):
        axis.annotate(form.format(value), (value, i), (4, 0), textcoords="offset points",
                      va="center", fontsize=9, color=INK)  # fmt: skip
    axis.set_yticks(place, names)
    axis.set_ylim(len(names) - 0.4, -0.6)
    axis.set_xlim(0, max([*values, 1e-9]) * 1.18)
    axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]))
    axis.set_xlabel(unit)
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)


def dots(
    axis: Axes,
    names: Sequence[str],
    triples: Sequence[tuple[float, float, float]],
    unit: str,
    colour: str = MODEL,
    shift: float = 0.0,
    label: str | None = None,
) -> None:
    """Plot values with intervals (value, low, high) as dots, the first on top.

    `unit` labels the axis of the values.
    """
    for i, (value, low, high) in enumerate(triples):
        axis.plot([low, high], [i + shift] * 2, color=colour, lw=2, alpha=0.6)
        axis.plot(value, i + shift, "o", color=colour, ms=7, mec="white", mew=1.2,
                  label=label if i == 0 else None)  # fmt: skip
    axis.set_yticks(range(len(names)), names)
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlabel(unit)
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)


def reason_bars(
    axis: Axes,
    reasons: Sequence[tuple[str, float]],
    left: tuple[str, str],
    right: tuple[str, str],
    unit: str,
) -> None:
    """Plot the effects of the reasons for one prediction, in `unit`.

    `left` and `right` are the word and the colour for negative and positive effects.
    """
    effects = [effect for _, effect in reasons]
    colours = [right[1] if effect > 0 else left[1] for effect in effects]
    axis.barh(range(len(effects)), effects, 0.66, color=colours)
    axis.set_yticks(range(len(effects)), [name for name, _ in reasons])
    axis.set_ylim(len(effects) - 0.4, -0.6)
    axis.axvline(0, color=QUIET, lw=1)
    edge = 1.12 * max([abs(e) for e in effects], default=1.0)
    axis.set_xlim(-edge, edge)
    axis.set_xlabel(f"← {left[0]}      {unit}      {right[0]} →")
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
