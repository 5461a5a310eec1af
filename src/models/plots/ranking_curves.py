"""Plots of a probability: ROC and precision-recall curves, reliability, gain and lift."""

from typing import TYPE_CHECKING

import numpy as np

from models.evaluation.calibration_error import reliability_bins
from models.evaluation.metrics import capture, expected_calibration_error, pr_auc, roc_auc
from models.plots.style import (
    MODEL,
    QUIET,
    RULE,
    canvas,
    heading,
    legend,
    percent,
    rows_text,
    weights,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray


def _cumulate(score: Array, *masses: Array) -> list[Array]:
    """Cumulative masses from the highest score down, starting at 0, one step for tied scores."""
    order = np.argsort(-score, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    return [np.append(0.0, np.cumsum(mass[order])[ends]) for mass in masses]


def roc_and_pr(y: Array, model: Array, rule: Array, weight: Array | None = None) -> "Figure":
    """ROC curve on the left, precision-recall curve on the right."""
    w = weights(y, weight)
    area = {"model": roc_auc(y, model, w), "rule": roc_auc(y, rule, w)}
    figure, (left, right) = canvas(
        f"Ranks {area['model']:.0%} of pairs correctly, the rule {area['rule']:.0%}",
        f"A pair is one positive and one negative customer; {rows_text(y)}",
        (1, 1),
    )
    base = float((w * y).sum() / w.sum())
    for name, score, colour in (("model", model, MODEL), ("rule", rule, RULE)):
        hit, miss = _cumulate(score, w * y, w * (1 - y))
        left.plot(
            miss / miss[-1], hit / hit[-1], color=colour, lw=2.2, label=f"{name}  {area[name]:.3f}",
            zorder=3 if name == "model" else 2,
        )  # fmt: skip
        share = hit[1:] / np.maximum(hit[1:] + miss[1:], 1e-12)
        label = f"{name}  {pr_auc(y, score, w):.3f}"
        right.step(hit[1:] / hit[-1], share, color=colour, lw=2.2, label=label, where="pre")
    left.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=(0, (4, 3)), label="chance  0.500")
    right.axhline(base, color=QUIET, lw=1, ls=(0, (4, 3)), label=f"chance  {base:.3f}")
    _unit_square(left, "false positive rate", "true positive rate")
    _unit_square(right, "recall", "precision")
    heading(left, "ROC, with the area under it")
    heading(right, "Precision and recall, with average precision")
    legend(left, "lower right")
    legend(right, "upper right")
    return figure


def _unit_square(axis: "Axes", x: str, y: str) -> None:
    axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.03), xlabel=x, ylabel=y)
    percent(axis, "xy")


def reliability(
    y: Array, model: Array, rule: Array, weight: Array | None = None, rival: str = "rule"
) -> "Figure":
    """Reliability diagram and histogram of the predicted probabilities.

    Each bin holds a tenth of the weight; bars are Wilson intervals at Kish's effective sample size.
    `rival` is the name of what the model is compared with.
    """
    w = weights(y, weight)
    off = {n: expected_calibration_error(y, p, w) for n, p in (("model", model), ("rule", rule))}
    figure, (left, right) = canvas(
        f"A predicted probability is off by {100 * off['model']:.1f} points on average, "
        f"the {rival}'s by {100 * off['rule']:.1f}",
        f"On the dashed line, predicted and observed shares are equal; {len(y):,} predictions",
        (1.25, 1),
    )
    top = 0.0
    for name, score, colour, mark in (("model", model, MODEL, "o"), (rival, rule, RULE, "s")):
        bins = reliability_bins(y, score, w)
        seen, low, high = (bins[c].to_numpy() for c in ("observed", "low", "high"))
        spread = [np.maximum(seen - low, 0), np.maximum(high - seen, 0)]
        left.errorbar(
            bins["predicted"], seen, spread, color=colour, fmt=f"{mark}-", ms=5.5, lw=1.6,
            elinewidth=1.2, capsize=2.5, label=name, zorder=3 if name == "model" else 2,
        )  # fmt: skip
        top = max(top, float(bins["predicted"].max()), float(high.max()))
    left.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=(0, (4, 3)), zorder=1)
    edge = min(1.0, top * 1.06)
    left.set(xlim=(-0.01, edge), ylim=(-0.01, edge), xlabel="predicted", ylabel="observed")
    steps = np.linspace(0, max(edge, float(model.max()), float(rule.max())), 31).tolist()
    share = w / w.sum()
    right.hist(model, steps, weights=share, color=MODEL, alpha=0.75, label="model")
    right.hist(rule, steps, weights=share, histtype="step", color=RULE, lw=1.8, label=rival)
    right.set(xlabel="predicted", ylabel="share of rows")
    percent(left, "xy")
    percent(right, "xy")
    heading(left, "Predicted and observed, by decile")
    heading(right, "How often each probability is predicted")
    legend(left, "upper left")
    legend(right, "upper right")
    return figure


def gain_and_lift(y: Array, model: Array, rule: Array, weight: Array | None = None) -> "Figure":
    """Cumulative gain, and lift by decile; for values, the share of the total value."""
    w = weights(y, weight)
    top = {"model": capture(y, model, w), "rule": capture(y, rule, w)}
    what = "cases" if np.isin(y, (0, 1)).all() else "value"
    figure, (left, right) = canvas(
        f"The top tenth holds {top['model']:.0%} of all {what}, with the rule {top['rule']:.0%}",
        f"Rows from the highest prediction down; {rows_text(y)}",
        (1.15, 1),
    )
    deciles = np.arange(11) / 10
    for place, (name, score, colour) in enumerate((("model", model, MODEL), ("rule", rule, RULE))):
        found, seen = _cumulate(score, w * y, w)
        curve = np.interp(deciles, seen / seen[-1], found / found[-1])
        left.plot(seen / seen[-1], found / found[-1], color=colour, lw=2.2, label=name)
        left.plot(0.1, curve[1], "o", color=colour, ms=6)
        middle = np.arange(1, 11) + (place - 0.5) * 0.4
        right.bar(middle, np.diff(curve) * 10, 0.38, color=colour, label=name)
    left.plot([0, 1], [0, 1], color=QUIET, lw=1, ls=(0, (4, 3)), label="at random")
    left.axvline(0.1, color=QUIET, lw=0.8, zorder=1)
    right.axhline(1, color=QUIET, lw=1, ls=(0, (4, 3)))
    left.set(xlabel="share of rows contacted", ylabel=f"share of {what} found")
    right.set(xlabel="decile, highest first", ylabel="times the average")
    right.set_xticks(range(1, 11))
    right.grid(visible=False, axis="x")
    percent(left, "xy")
    heading(left, "Gain")
    heading(right, "Lift by decile")
    legend(left, "lower right")
    legend(right, "upper right")
    return figure
