"""Pictures along the time axis: a customer's life, what a cutoff hides, windows, the split."""

from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.plots.style import ACTUAL, CASE, FAINT, INK, MODEL, QUIET, RULE, canvas

DAY = pd.Timedelta(days=1)
#: The parts of a split in time, as they are drawn.
PARTS = {"fit": MODEL, "valid": ACTUAL, "test": RULE, "only refit": "#9CC5DE", "unused": "#C9D1D9"}


def dated(axis: Axes) -> None:
    """Months along x, no lines between lanes."""
    locator = mdates.AutoDateLocator(maxticks=10)
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)


def cut(axis: Axes, cutoff: pd.Timestamp, text: str = "cutoff") -> None:
    """The cutoff as a line with its name."""
    axis.axvline(cutoff, color=INK, lw=1.6, zorder=4)
    axis.annotate(text, (cutoff, 1.0), (0, 3), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="center", weight="bold", fontsize=9)  # fmt: skip


def life(
    rows: pd.DataFrame, lanes: Sequence[str], cutoff: pd.Timestamp, horizon_days: int, title: str
) -> Figure:
    """One customer's records (`lane`, `moment`, `known`), a lane a kind; faint where unknown yet."""
    size = (9.6, 1.7 + 0.34 * len(lanes))
    figure, (axis,) = canvas(
        title, "Filled: known at the cutoff.  Hollow: not yet known, so no feature sees it.",
        (1,), size,
    )  # fmt: skip
    end = cutoff + horizon_days * DAY
    axis.axvspan(cutoff, end, color=CASE, alpha=0.12, lw=0)
    axis.annotate("label window", (end, 1.0), (0, 3), xycoords=("data", "axes fraction"),
                  textcoords="offset points", ha="right", weight="bold", color=CASE)  # fmt: skip
    for place, lane in enumerate(lanes):
        axis.axhline(place, color=FAINT, lw=1, zorder=1)
        part = rows[rows["lane"] == lane]
        known = (part["known"] < cutoff).to_numpy()
        for mask, face in ((known, MODEL), (~known, "white")):
            axis.plot(part["moment"][mask], [place] * int(mask.sum()), "o", mfc=face, mec=MODEL,
                      ms=6.5, mew=1.1, alpha=0.85, zorder=3)  # fmt: skip
    axis.set_yticks(range(len(lanes)), lanes)
    axis.set_ylim(len(lanes) - 0.4, -0.6)
    dated(axis)
    cut(axis, cutoff)
    return figure


def hidden(spans: pd.DataFrame, cutoff: pd.Timestamp, title: str) -> Figure:
    """Records whose knowledge came later (`what`, `start`, `known`): grey until it was known."""
    figure, (axis,) = canvas(
        title, "Dot: it happened.  Bar: time until we knew.  Bars that cross the cutoff hide something.",
        (1,), (9.6, 1.7 + 0.33 * len(spans)),
    )  # fmt: skip
    for place, row in enumerate(spans.itertuples()):
        crosses = row.start < cutoff <= row.known
        colour = CASE if crosses else QUIET
        axis.plot([row.start, row.known], [place, place], color=colour, lw=6 if crosses else 4,
                  alpha=0.55, solid_capstyle="butt")  # fmt: skip
        axis.plot(row.start, place, "o", color=colour, ms=7)
    axis.set_yticks(range(len(spans)), spans["what"])
    for label, row in zip(axis.get_yticklabels(), spans.itertuples(), strict=True):
        label.set_color(CASE if row.start < cutoff <= row.known else INK)
    axis.set_ylim(len(spans) - 0.4, -0.6)
    axis.set_xlim(cutoff - 45 * DAY, cutoff + 21 * DAY)
    dated(axis)
    cut(axis, cutoff)
    return figure


def windows(
    rows: pd.DataFrame, cutoff: pd.Timestamp, counts: dict[int, float], what: str, title: str
) -> Figure:
    """The same records (`moment`, `known`) through windows `[cutoff - days, cutoff)`."""
    figure, (axis,) = canvas(
        title, "Pink: it happened before the cutoff, but was not known yet, so no window counts it",
        (1,), (9.6, 1.9 + 0.36 * len(counts)),
    )  # fmt: skip
    for place, (days, count) in enumerate({0: np.nan, **counts}.items()):
        start = cutoff - (days or 9999) * DAY
        inside = rows[(rows["moment"] >= start) & ((rows["moment"] < cutoff) | (days == 0))]
        early = inside["moment"] < cutoff
        late = early & (inside["known"] >= cutoff)
        for mask, colour in ((~late, MODEL if days else QUIET), (late, CASE)):
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
    dated(axis)
    cut(axis, cutoff)
    return figure


def calendar(
    cutoffs: Sequence[pd.Timestamp], parts: Sequence[str], gap_days: int, span_days: int, title: str
) -> Figure:
    """Every cutoff with the label window that hangs on it, coloured by its part of the split."""
    figure, (axis,) = canvas(
        title, "Dot: cutoff, features look left of it.  Bar: the label window, it looks right.",
        (1,), (9.6, 1.9 + 0.21 * len(cutoffs)),
    )  # fmt: skip
    for place, (moment, part) in enumerate(zip(cutoffs, parts, strict=True)):
        colour = PARTS[part]
        bar = [moment + gap_days * DAY, moment + span_days * DAY]
        axis.plot(bar, [place, place], color=colour, lw=6.5, alpha=0.75, solid_capstyle="butt")
        axis.plot(moment, place, "o", color=colour, ms=6, mec="white", mew=0.8, zorder=3)
    for name in ("valid", "test"):
        moment = cutoffs[list(parts).index(name)]
        axis.axvline(moment, color=PARTS[name], lw=1.2, ls=(0, (4, 3)), zorder=1)
    for name in dict.fromkeys(parts):
        axis.plot([], [], color=PARTS[name], lw=6, alpha=0.75, label=name)
    axis.legend(frameon=False, fontsize=9, loc="lower left", labelcolor=INK)
    axis.set_yticks([])
    axis.set_ylim(len(cutoffs) - 0.2, -0.8)
    axis.spines["left"].set_visible(False)
    dated(axis)
    return figure


def part_of(masks: dict[str, np.ndarray], place: int) -> str:
    """Which part of a split a row is in, the most telling name."""
    if masks["valid"][place] or masks["fit"][place] or masks["test"][place]:
        return next(n for n in ("fit", "valid", "test") if masks[n][place])
    return "only refit" if masks["refit"][place] else "unused"
