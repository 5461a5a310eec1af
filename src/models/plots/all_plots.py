"""The pictures of a model beside its rule, as matplotlib figures without global state."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure

from models.plots.confusion import class_probability, confusion
from models.plots.ranking_curves import gain_and_lift, reliability, roc_and_pr
from models.plots.regression import residuals, value_distribution
from models.plots.style import (
    CASE,
    INK,
    MODEL,
    QUIET,
    canvas,
    heading,
    legend,
    percent,
    rows_text,
    weights,
)

__all__ = [
    "class_probability",
    "confusion",
    "figures",
    "gain_and_lift",
    "importance",
    "reliability",
    "residuals",
    "roc_and_pr",
    "score_distribution",
    "value_distribution",
]

Array = np.ndarray
Picture = Callable[[Array, Array, Array, Array | None], Figure]
TOP = 20


def importance(gains: dict[str, float], descriptions: dict[str, str] | None = None) -> Figure:
    """What the model looks at: the share of its total gain by feature, the 20 largest."""
    total = sum(gains.values()) or 1.0
    ranked = sorted(gains.items(), key=lambda pair: -pair[1])[:TOP]
    shares = np.array([gain / total for _, gain in ranked])
    names = [(descriptions or {}).get(name, name) for name, _ in ranked]
    half = int(np.searchsorted(np.cumsum(shares), 0.5)) + 1
    features = "one feature carries" if half == 1 else f"{half} features carry"
    title = f"{features[0].upper()}{features[1:]} half of what the model knows"
    if shares.sum() < 0.5:
        title = f"The {len(names)} strongest features carry {shares.sum():.0%} of what it knows"
    figure, (axis,) = canvas(
        title,
        f"Share of the loss saved in training; {len(names)} of {len(gains)} features",
        (1,),
        (9.6, 1.6 + 0.28 * max(len(names), 3)),
    )
    place = np.arange(len(names))
    colours = [MODEL if i < half else "#9CC5DE" for i in place]
    axis.barh(place, shares, 0.72, color=colours)
    for i, share in zip(place, shares, strict=True):
        axis.annotate(f"{share:.1%}", (share, i), (4, 0), textcoords="offset points",
                      va="center", fontsize=8.5, color=INK)  # fmt: skip
    axis.set_yticks(place, [_cut(name) for name in names])
    axis.set(ylim=(len(names) - 0.4, -0.6), xlim=(0, max(shares, default=1.0) * 1.12 or 1.0))
    axis.grid(visible=False, axis="y")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    percent(axis, "x")
    return figure


def _cut(name: str, most: int = 62) -> str:
    """A long name without its middle: the window, which tells columns apart, is at its end."""
    name = name.rstrip(".")
    if len(name) <= most:
        return name
    tail = name[-24:].lstrip()
    return name[: most - len(tail) - 1].rstrip() + "…" + tail


def score_distribution(y: Array, model: Array, rule: Array, weight: Array | None = None) -> Figure:
    """Which probabilities the cases and the others got; each group adds up to 100 %."""
    w = weights(y, weight)
    gap = {
        name: float(np.average(p, weights=w * y) - np.average(p, weights=w * (1 - y)))
        for name, p in (("model", model), ("rule", rule))
    }
    figure, axes = canvas(
        f"Cases are given {100 * gap['model']:.0f} points more than the others, "
        f"by the rule {100 * gap['rule']:.0f}",
        f"Means of the probability; {rows_text(y)}, {int(y.sum()):,} of them cases",
        (1, 1),
    )
    steps = np.linspace(0, max(float(model.max()), float(rule.max())), 31).tolist()
    for axis, name, p in zip(axes, ("model", "rule"), (model, rule), strict=True):
        for label, mass, colour in (("others", w * (1 - y), QUIET), ("cases", w * y, CASE)):
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


def _pooled(picture: Picture, lowest: bool) -> Picture:
    """A picture of probabilities for classes: of the two lowest levels, or of every class."""

    def shown(y: Array, model: Array, rule: Array, weight: Array | None) -> Figure:
        if lowest:
            return picture(
                (y <= 1).astype(float), model[:, :2].sum(axis=1), rule[:, :2].sum(axis=1), weight
            )
        w = None if weight is None else np.repeat(weight, model.shape[1])
        return picture(
            np.eye(model.shape[1])[y.astype(int)].ravel(), model.ravel(), rule.ravel(), w
        )

    return shown


FIGURES: dict[str, dict[str, Picture]] = {
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
) -> dict[str, Figure]:
    """Every picture of a kind of target, by name; with `gains`, the importance of the features.

    `descriptions` names features and `classes` names classes for people.
    """
    if kind not in FIGURES:
        raise ValueError(f"kind {kind!r} is not known; it should be one of {list(FIGURES)}")
    named = {"confusion": confusion, "class_probability": class_probability}
    drawn = {
        name: named[name](y, model, rule, weight, classes)
        if name in named
        else picture(y, model, rule, weight)
        for name, picture in FIGURES[kind].items()
    }
    if gains:
        drawn["importance"] = importance(gains, descriptions)
    return drawn
