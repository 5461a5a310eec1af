"""All plots of a model and its baseline rule, as matplotlib figures without global state."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from models.plots.confusion import class_probability, confusion
from models.plots.ranking_curves import gain_and_lift, reliability, roc_and_pr
from models.plots.regression import residuals, value_distribution
from models.plots.style import (
    CASE,
    INK,
    MODEL,
    QUIET,
    canvas,
    cut_middle,
    heading,
    legend,
    percent,
    rows_text,
    weights,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Array = np.ndarray
Plot = Callable[[Array, Array, Array, Array | None], "Figure"]
MAX_FEATURES = 20


def importance(gains: dict[str, float], descriptions: dict[str, str] | None = None) -> "Figure":
    """Feature importance: the share of the total gain of the 20 most important features."""
    total = sum(gains.values()) or 1.0
    ranked = sorted(gains.items(), key=lambda pair: -pair[1])[:MAX_FEATURES]
    shares = np.array([gain / total for _, gain in ranked])
    names = [(descriptions or {}).get(name, name) for name, _ in ranked]
    half = int(np.searchsorted(np.cumsum(shares), 0.5)) + 1
    features = "one feature carries" if half == 1 else f"{half} features carry"
    title = f"{features[0].upper()}{features[1:]} half of the model's gain"
    if shares.sum() < 0.5:
        title = f"The {len(names)} most important features carry {shares.sum():.0%} of the gain"
    figure, (axis,) = canvas(
        title,
        f"{len(names)} of {len(gains)} features, the most important first",
        (1,),
        (9.6, 1.6 + 0.28 * max(len(names), 3)),
    )
    place = np.arange(len(names))
    colours = [MODEL if i < half else "#9CC5DE" for i in place]
    axis.barh(place, shares, 0.72, color=colours)
    for i, share in zip(place, shares, strict=True):
        axis.annotate(f"{share:.1%}", (share, i), (4, 0), textcoords="offset points",
                      va="center", fontsize=8.5, color=INK)  # fmt: skip
    axis.set_yticks(place, [cut_middle(name.rstrip("."), 62) for name in names])
    axis.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, max(shares, default=1.0) * 1.12 or 1.0))
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    percent(axis, "x")
    axis.set_xlabel("share of the loss saved in training")
    return figure


def score_distribution(
    y: Array, model: Array, rule: Array, weight: Array | None = None
) -> "Figure":
    """Distributions of the predicted probability of positive and negative rows, 100% each."""
    w = weights(y, weight)
    figure, axes = canvas(
        _gap_text(w * y, w * (1 - y), model, rule),
        f"Means of the probability; {rows_text(y)}, {int(y.sum()):,} of them cases",
        (1, 1),
    )
    steps = np.linspace(0, max(float(model.max()), float(rule.max())) or 1.0, 31).tolist()
    for axis, name, p in zip(axes, ("model", "rule"), (model, rule), strict=True):
        for label, mass, colour in (("others", w * (1 - y), QUIET), ("cases", w * y, CASE)):
            if not mass.any():
                continue
            axis.hist(p, steps, weights=mass / mass.sum(), color=colour, alpha=0.3)
            axis.hist(p, steps, weights=mass / mass.sum(), histtype="step", color=colour, lw=1.8,
                      label=label)  # fmt: skip
        axis.set(xlabel="predicted probability", ylabel="share of the group")
        percent(axis, "xy")
        heading(axis, f"The {name}")
        legend(axis, "upper right")
    tallest = max(axis.get_ylim()[1] for axis in axes)
    for axis in axes:
        axis.set_ylim(0, tallest)
    return figure


def _gap_text(cases: Array, others: Array, model: Array, rule: Array) -> str:
    """The title: how much more probability cases are given than others; both are weights of rows."""
    if not cases.any() or not others.any():
        return "All rows are cases" if cases.any() else "No row is a case"
    gap = [
        float(np.average(p, weights=cases) - np.average(p, weights=others)) for p in (model, rule)
    ]
    return (
        f"Cases are given {100 * gap[0]:.0f} points more than the others, "
        f"by the rule {100 * gap[1]:.0f}"
    )


def _pooled(plot: Plot, lowest: bool) -> Plot:
    """A plot of probabilities for classes: of the two lowest levels, or of all classes pooled."""

    def pooled(y: Array, model: Array, rule: Array, weight: Array | None) -> "Figure":
        if lowest:
            return plot(
                (y <= 1).astype(float), model[:, :2].sum(axis=1), rule[:, :2].sum(axis=1), weight
            )
        w = None if weight is None else np.repeat(weight, model.shape[1])
        return plot(np.eye(model.shape[1])[y.astype(int)].ravel(), model.ravel(), rule.ravel(), w)

    return pooled


FIGURES: dict[str, dict[str, Plot]] = {
    "binary": {
        "roc_and_pr": roc_and_pr,
        "reliability": reliability,
        "gain_and_lift": gain_and_lift,
        "score_distribution": score_distribution,
    },
    "multiclass": {
        "confusion": confusion,
        "class_probability": class_probability,
        "reliability": _pooled(reliability, lowest=False),
    },
    "ordinal": {
        "confusion": confusion,
        "class_probability": class_probability,
        "reliability_dissatisfied": _pooled(reliability, lowest=True),
        "gain_and_lift_dissatisfied": _pooled(gain_and_lift, lowest=True),
    },
    "regression": {
        "residuals": residuals,
        "gain_and_lift": gain_and_lift,
        "value_distribution": value_distribution,
    },
}


def draw_all(
    kind: str,
    y: Array,
    model: Array,
    rule: Array,
    weight: Array | None = None,
    gains: dict[str, float] | None = None,
    *,
    descriptions: dict[str, str] | None = None,
    classes: tuple[str, ...] | None = None,
) -> "dict[str, Figure]":
    """All plots of a kind of target, by name; with `gains`, the feature importance, too.

    `descriptions` are display names of features, `classes` those of classes.
    """
    if kind not in FIGURES:
        raise ValueError(f"unknown kind {kind!r}; it should be one of {list(FIGURES)}")
    named = {"confusion": confusion, "class_probability": class_probability}
    drawn = {
        name: named[name](y, model, rule, weight, classes)
        if name in named
        else plot(y, model, rule, weight)
        for name, plot in FIGURES[kind].items()
    }
    if gains:
        drawn["importance"] = importance(gains, descriptions)
    return drawn
