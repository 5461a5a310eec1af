"""Plots of the validation checks: gain over the rule by customer group, and metric by model age."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from models.evaluation.metrics import METRICS
from models.plots.style import CASE, INK, MODEL, QUIET, RULE, canvas, legend, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from models.validation.slice_metrics import Slices
    from models.validation.staleness import Staleness

MAX_GROUPS = 24
LATIN_END = 0x250


def latin(text: str) -> str:
    """Replace characters that the default font lacks, and escape dollar signs for matplotlib."""
    drawable = (c if ord(c) < LATIN_END else "\N{WHITE SQUARE}" for c in text)
    return "".join(drawable).replace("$", r"\$")


def slice_gains(slices: "Slices", letters: Callable[[str], str] = latin) -> "Figure":
    """The model's gain over the rule in each group with its interval, the worst on top.

    `letters` converts a group's name to characters that the font can draw.
    """
    ranked = sorted(slices.judged, key=lambda s: -s.loss)[:MAX_GROUPS]
    behind = sum(s.gain.value <= 0 for s in slices.judged)
    title = f"Ahead of the {slices.rival} in all {len(slices.judged)} groups"
    if behind:
        title = f"Behind the {slices.rival} in {behind} of {len(slices.judged)} groups"
    if slices.lost:
        title += f", in {len(slices.lost)} beyond chance"
    shown = (
        f"the {len(ranked)} worst of {len(slices.judged)}; " if len(ranked) == MAX_GROUPS else ""
    )
    figure, (axis,) = canvas(
        f"{title}; worst: {letters(_shorten(ranked[0].name))}",
        f"Gain relative to the {slices.rival}'s metric, with 95% interval; {shown}"
        f"{len(slices.too_small)} groups are too small to compare",
        (1,),
        (9.6, 1.8 + 0.27 * max(len(ranked), 4)),
    )
    for place, one in enumerate(ranked):
        scale = abs(one.rival.value) or 1.0
        colour = CASE if one in slices.lost else RULE if one.gain.value <= 0 else MODEL
        axis.plot(
            [one.gain.low / scale, one.gain.high / scale], [place, place], color=colour, lw=1.6
        )
        axis.plot([-one.loss], [place], "o", color=colour, ms=6, mec="white")
    axis.axvline(0, color=INK, lw=1)
    axis.set_yticks(
        range(len(ranked)), [f"{letters(_shorten(s.name))}  ({s.rows:,})" for s in ranked]
    )
    axis.set(ylim=(len(ranked) - 0.4, -0.6), xlabel=f"better than the {slices.rival} by")
    percent(axis, "x")
    return figure


def age_curve(staleness: "Staleness") -> "Figure":
    """The metric by the age of the model, and of the rule; ages worse beyond chance are marked."""
    ages = staleness.ages
    months = np.array([age.months for age in ages])
    values = np.array([age.model.value for age in ages])
    # The loss of an older model is more precise than the level, which all ages share.
    away = np.array([(a.loss.value - a.loss.low, a.loss.high - a.loss.value) for a in ages]).T
    away = away[::-1] if METRICS[staleness.measure].higher_is_better else away  # a loss points down
    finding = staleness.describe()
    figure, (axis,) = canvas(
        f"{finding[0].upper()}{finding[1:]}",
        f"{staleness.measure} on today's test; bars: 95% interval of the loss against a fresh model",
        (1,),
        (9.6, 4.2),
    )
    axis.errorbar(months, values, yerr=away, color=MODEL, marker="o",
                  lw=1.8, ms=6, capsize=3, label="model, by its age")  # fmt: skip
    worse = [place for place, age in enumerate(ages) if age.worse]
    if worse:
        axis.plot(months[worse], values[worse], "o", color=CASE, ms=7, label="worse beyond chance",
                  zorder=5)  # fmt: skip
    axis.axhline(staleness.rule, color=RULE, lw=1.4, ls=(0, (4, 3)), label="business rule")
    axis.set(xlabel="age of the model in months", ylabel=staleness.measure, xticks=months)
    axis.margins(y=0.12)
    legend(axis)
    axis.tick_params(axis="x", colors=QUIET, labelcolor=INK)
    return figure


def _shorten(name: str, most: int = 44) -> str:
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
