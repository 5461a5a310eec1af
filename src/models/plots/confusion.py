"""Plots of predicted classes: confusion matrix and probability of the actual class."""

from typing import TYPE_CHECKING

import numpy as np

from models.evaluation.metrics import accuracy
from models.plots.style import INK, MODEL, RULE, canvas, heading, percent, rows_text, weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = np.ndarray


def confusion(
    y: Array,
    model: Array,
    rule: Array,
    weight: Array | None = None,
    classes: tuple[str, ...] | None = None,
) -> "Figure":
    """Confusion matrix, in percent of each actual class."""
    w = weights(y, weight)
    names = classes or tuple(str(k) for k in range(model.shape[1]))
    correct = {"model": accuracy(y, model, w), "rule": accuracy(y, rule, w)}
    figure, axes = canvas(
        f"Predicts the correct class for {correct['model']:.0%}, the rule for {correct['rule']:.0%}",
        f"Each row adds up to 100%; the diagonal is correct; {rows_text(y)}",
        (1, 1),
        (9.6, 2.6 + 0.52 * len(names)),
    )
    for axis, (name, prediction) in zip(axes, (("model", model), ("rule", rule)), strict=True):
        cells = np.zeros((len(names), len(names)))
        np.add.at(cells, (y.astype(np.int64), prediction.argmax(axis=1)), w)
        _heat(axis, cells / np.maximum(cells.sum(axis=1, keepdims=True), 1e-12), names)
        heading(axis, f"The {name}")
    axes[0].set_ylabel("actual class")
    axes[1].set_yticklabels([])
    return figure


def _heat(axis: "Axes", shares: Array, names: tuple[str, ...]) -> None:
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares):
        axis.text(column, row, f"{share:.0%}", ha="center", va="center", fontsize=9.5,
                  weight="bold" if row == column else "normal",
                  color="white" if share > 0.55 else INK)  # fmt: skip
    axis.set_xticks(range(len(names)), names)
    axis.set_yticks(range(len(names)), names)
    axis.set_xlabel("predicted class")
    axis.grid(visible=False)
    axis.tick_params(length=0)
    for spine in axis.spines.values():
        spine.set_visible(False)


def class_probability(
    y: Array,
    model: Array,
    rule: Array,
    weight: Array | None = None,
    classes: tuple[str, ...] | None = None,
) -> "Figure":
    """Predicted probability of the actual class, by class; quantiles are unweighted."""
    w = weights(y, weight)
    actual = y.astype(np.int64)
    given = {n: p[np.arange(len(y)), actual] for n, p in (("model", model), ("rule", rule))}
    mean = {name: float(np.average(p, weights=w)) for name, p in given.items()}
    names = classes or tuple(str(k) for k in range(model.shape[1]))
    figure, (axis,) = canvas(
        f"The actual class gets a probability of {mean['model']:.0%} on average, "
        f"with the rule {mean['rule']:.0%}",
        f"Dot: median; thick: half of the rows; thin: four fifths; {rows_text(y)}",
        (1,),
        (9.6, 2.2 + 0.62 * len(names)),
    )
    for name, colour, shift in (("model", MODEL, -0.13), ("rule", RULE, 0.13)):
        for k in range(len(names)):
            if (actual == k).any():
                quantiles = np.quantile(given[name][actual == k], [0.1, 0.25, 0.5, 0.75, 0.9])
                _quantile_bar(axis, k + shift, quantiles, colour)
        axis.plot([], [], "o-", color=colour, lw=5, label=name)
    axis.set_yticks(range(len(names)), names)
    axis.set(
        ylim=(len(names) - 0.5, -0.5),
        xlim=(0, 1),
        xlabel="predicted probability of the actual class",
    )
    axis.set_ylabel("actual class")
    axis.grid(visible=False, axis="y")
    percent(axis, "x")
    axis.legend(frameon=False, fontsize=9, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
    return figure


def _quantile_bar(axis: "Axes", place: float, quantiles: Array, colour: str) -> None:
    low, first, middle, third, high = quantiles
    axis.plot([low, high], [place, place], color=colour, lw=1.4)
    axis.plot([first, third], [place, place], color=colour, lw=6, alpha=0.55)
    axis.plot(middle, place, "o", color=colour, ms=8, mec="white", mew=1.3)
