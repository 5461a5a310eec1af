"""The common style of all plots: palette, axes, titles that state the finding."""

from typing import TYPE_CHECKING

import numpy as np

from models.evaluation.calibration_error import weight_bins

# The palette of Okabe and Ito, distinguishable for colour-blind readers and in grayscale.
MODEL = "#0072B2"
RULE = "#D55E00"
CASE = "#CC79A7"
ACTUAL = "#009E73"
INK = "#1F2933"
QUIET = "#7B8794"
FAINT = "#E4E7EB"

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray


def canvas(
    title: str, subtitle: str, ratios: tuple[float, ...], size: tuple[float, float] = (9.6, 4.9)
) -> "tuple[Figure, list[Axes]]":
    """An empty figure with a title and panels side by side with these relative widths."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=120, facecolor="white")
    height = size[1]
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 1 - 0.82 / height), w_pad=0.12)
    for down, text, points, weight, colour in (
        (0.16, title, 14, "bold", INK),
        (0.49, subtitle, 10, "normal", QUIET),
    ):
        line = figure.text(
            0.16 / size[0], 1 - down / height, text, fontsize=points, weight=weight, color=colour,
            ha="left", va="top",
        )  # fmt: skip
        room = 0.97 * (1 - 0.32 / size[0])  # at small sizes, letters are rounded up to whole pixels
        taken = line.get_window_extent().width / figure.bbox.width
        line.set_fontsize(points * min(1.0, room / max(taken, 1e-9)))
    grid = figure.add_gridspec(1, len(ratios), width_ratios=ratios)
    axes = [figure.add_subplot(grid[0, place]) for place in range(len(ratios))]
    for axis in axes:
        apply_style(axis)
    return figure, axes


def apply_style(axis: "Axes") -> None:
    """Apply the style to a panel: no box, light grid behind, gray ticks."""
    axis.set_axisbelow(True)
    axis.grid(color=FAINT, linewidth=0.8)
    for side, spine in axis.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(QUIET)
    axis.tick_params(colors=QUIET, labelcolor=INK, labelsize=9, length=3)
    axis.xaxis.label.set(color=INK, size=10)
    axis.yaxis.label.set(color=INK, size=10)


def heading(axis: "Axes", text: str) -> None:
    """The title of a panel, left-aligned."""
    axis.set_title(text, loc="left", fontsize=10.5, color=INK, weight="bold", pad=8)


def legend(axis: "Axes", place: str = "best") -> None:
    """The legend, without a frame."""
    axis.legend(frameon=False, fontsize=9, labelcolor=INK, loc=place)


def percent(axis: "Axes", which: str) -> None:
    """Format shares in percent along "x", "y" or "xy"."""
    from matplotlib.ticker import FuncFormatter

    for name in which:
        getattr(axis, f"{name}axis").set_major_formatter(
            FuncFormatter(lambda v, _: f"{100 * v:.3g}%")
        )


def money(axis: "Axes", which: str) -> None:
    """Format large values in short form (1.2k, 3M) along "x", "y" or "xy"."""
    from matplotlib.ticker import FuncFormatter

    for name in which:
        getattr(axis, f"{name}axis").set_major_formatter(FuncFormatter(lambda v, _: short(v)))


def short(value: float) -> str:
    """A value with at most three digits: 0.12, 4.5, 980, 1.2k, 3M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def cut_middle(name: str, most: int) -> str:
    """A long name of a feature without its middle; its end, the window, tells columns apart."""
    if len(name) <= most:
        return name
    tail = name[-24:].lstrip()
    return name[: most - len(tail) - 1].rstrip() + "…" + tail


def rows_text(y: Array) -> str:
    """The number of test rows as text."""
    return f"{len(y):,} test rows"


def weights(y: Array, weight: Array | None) -> Array:
    """The weights, 1 for each row without weights."""
    return np.ones(len(y)) if weight is None else np.asarray(weight, dtype=float)


def decile_bins(score: Array, w: Array) -> Array:
    """The decile of each row by weight, 0 for the lowest scores; tied scores share one."""
    return weight_bins(score, w, 10)
