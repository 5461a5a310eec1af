"""Plots with a time axis: a customer's records, delays, windows and the time split."""

from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.plots.style import ACTUAL, FAINT, INK, MODEL, QUIET, RULE, canvas

DAY = pd.Timedelta(days=1)
#: The parts of a time split and their colours.
PARTS = {"fit": MODEL, "valid": ACTUAL, "test": RULE, "only refit": "#9CC5DE", "unused": QUIET}
#: Widths of the bars: colours alone would not tell the unused cutoffs from those of the refit.
WIDE, THIN = 6.5, 2.5


def format_dates(axis: Axes) -> None:
    """Format the x axis as dates; no horizontal grid lines."""
    locator = mdates.AutoDateLocator(maxticks=10)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)


def draw_cutoff(axis: Axes, cutoff: pd.Timestamp, text: str = "cutoff") -> None:
    """Draw the cutoff as a labelled line."""
    axis.axvline(cutoff, color=INK, lw=1.6, zorder=4)
    axis.annotate(text, (cutoff, 1.0), (3, 3), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="right", weight="bold", fontsize=9)  # fmt: skip


def plot_customer(
    rows: pd.DataFrame, lanes: Sequence[str], cutoff: pd.Timestamp, horizon_days: int, title: str
) -> Figure:
    """Plot one customer's records (`lane`, `moment`, `known`), one row per kind."""
    size = (9.6, 1.7 + 0.34 * len(lanes))
    figure, (axis,) = canvas(
        title, "Filled: known at the cutoff.  Hollow: not known yet, so no feature uses it",
        (1,), size,
    )  # fmt: skip
    end = cutoff + horizon_days * DAY
    axis.axvspan(cutoff, end, color=RULE, alpha=0.12, lw=0)
    axis.annotate("label window", (cutoff, 1.0), (9, 3), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="left", weight="bold", fontsize=9)  # fmt: skip
    for place, lane in enumerate(lanes):
        axis.axhline(place, color=FAINT, lw=1, zorder=1)
        part = rows[rows["lane"] == lane]
        known = (part["known"] < cutoff).to_numpy()
        for mask, face in ((known, MODEL), (~known, "white")):
            axis.plot(part["moment"][mask], [place] * int(mask.sum()), "o", mfc=face, mec=MODEL,
                      ms=6.5, mew=1.1, alpha=0.85, zorder=3)  # fmt: skip
    axis.set_yticks(range(len(lanes)), lanes)
    axis.set_ylim(len(lanes) - 0.4, -0.6)
    format_dates(axis)
    draw_cutoff(axis, cutoff)
    return figure


def plot_delays(spans: pd.DataFrame, cutoff: pd.Timestamp, title: str) -> Figure:
    """Plot records that were known later than they started (`what`, `start`, `known`)."""
    figure, (axis,) = canvas(
        title, "Dot: start.  Bar: time until it was known.  Orange: not known at the cutoff",
        (1,), (9.6, 1.7 + 0.33 * len(spans)),
    )  # fmt: skip
    for place, row in enumerate(spans.itertuples()):
        crosses = row.start < cutoff <= row.known
        colour = RULE if crosses else QUIET
        axis.plot([row.start, row.known], [place, place], color=colour, lw=6 if crosses else 4,
                  alpha=0.55, solid_capstyle="butt")  # fmt: skip
        axis.plot(row.start, place, "o", color=colour, ms=7)
    axis.set_yticks(range(len(spans)), spans["what"])
    for label, row in zip(axis.get_yticklabels(), spans.itertuples(), strict=True):
        label.set_weight("bold" if row.start < cutoff <= row.known else "normal")
    axis.set_ylim(len(spans) - 0.4, -0.6)
    axis.set_xlim(cutoff - 45 * DAY, cutoff + 21 * DAY)
    format_dates(axis)
    draw_cutoff(axis, cutoff)
    return figure


def plot_windows(
    rows: pd.DataFrame, cutoff: pd.Timestamp, counts: dict[int, float], what: str, title: str
) -> Figure:
    """Plot records (`moment`, `known`) and their counts in the windows `[cutoff - days, cutoff)`."""
    figure, (axis,) = canvas(
        title, "Orange: happened before the cutoff, but was not known yet, so no window counts it",
        (1,), (9.6, 1.9 + 0.36 * len(counts)),
    )  # fmt: skip
    for place, (days, count) in enumerate({0: np.nan, **counts}.items()):
        start = cutoff - (days or 9999) * DAY
        inside = rows[(rows["moment"] >= start) & ((rows["moment"] < cutoff) | (days == 0))]
        early = inside["moment"] < cutoff
        late = early & (inside["known"] >= cutoff)
        for mask, colour in ((~late, MODEL if days else QUIET), (late, RULE)):
            axis.plot(inside["moment"][mask], [place] * int(mask.sum()), "|", color=colour, ms=11,
                      mew=2)  # fmt: skip
        if days:
            axis.plot([start, cutoff], [place, place], color=MODEL, lw=11, alpha=0.18,
                      solid_capstyle="butt")  # fmt: skip
            axis.annotate(f"{count:.0f}", (cutoff, place), (9, 0), textcoords="offset points",
                          va="center", fontsize=10, weight="bold", color=MODEL)  # fmt: skip
    axis.set_yticks(range(len(counts) + 1), [what, *(f"last {d} days" for d in counts)])
    axis.set_ylim(len(counts) + 0.6, -0.6)
    axis.set_xlim(cutoff - 1.06 * max(counts) * DAY, cutoff + 60 * DAY)
    format_dates(axis)
    draw_cutoff(axis, cutoff)
    return figure


def plot_split(
    cutoffs: Sequence[pd.Timestamp], parts: Sequence[str], gap_days: int, span_days: int, title: str
) -> Figure:
    """Plot each cutoff with its label window, coloured by its part of the split."""
    figure, (axis,) = canvas(
        title, "Dot: cutoff; features use what lies left of it.  Bar: label window",
        (1,), (9.6, 1.9 + 0.21 * len(cutoffs)),
    )  # fmt: skip
    for place, (moment, part) in enumerate(zip(cutoffs, parts, strict=True)):
        colour = PARTS[part]
        bar = [moment + gap_days * DAY, moment + span_days * DAY]
        wide = THIN if part == "unused" else WIDE
        axis.plot(bar, [place, place], color=colour, lw=wide, alpha=0.75, solid_capstyle="butt")
        axis.plot(moment, place, "o", color=colour, ms=6, mec="white", mew=0.8, zorder=3)
    for name in ("valid", "test"):
        moment = cutoffs[list(parts).index(name)]
        axis.axvline(moment, color=PARTS[name], lw=1.2, ls=(0, (4, 3)), zorder=1)
    for name in dict.fromkeys(parts):
        wide = THIN if name == "unused" else WIDE
        axis.plot([], [], color=PARTS[name], lw=wide, alpha=0.75, label=name)
    axis.legend(frameon=False, fontsize=9, loc="lower left", labelcolor=INK)
    axis.set_yticks([])
    axis.set_ylim(len(cutoffs) - 0.2, -0.8)
    axis.spines["left"].set_visible(False)
    format_dates(axis)
    return figure


def split_part(masks: dict[str, np.ndarray], place: int) -> str:
    """Return the part of the split that a row belongs to; fit, valid and test before refit."""
    if masks["valid"][place] or masks["fit"][place] or masks["test"][place]:
        return next(n for n in ("fit", "valid", "test") if masks[n][place])
    return "only refit" if masks["refit"][place] else "unused"
