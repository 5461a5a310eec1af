"""How good predictions are: every measure as (y, prediction, weight) -> one number.

Weights count a row that many times; where a measure has no meaning (one class only, no rows, no
spread) it is NaN. Class probabilities have shape (rows, K), everything else (rows,).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.stats import rankdata

from models.evaluation.bootstrap import Interval, bootstrap, paired_difference

__all__ = ["METRICS", "PRIMARY", "Interval", "Metric", "bootstrap", "paired_difference"]

Array = np.ndarray
Measure = Callable[[Array, Array, Array | None], float]
BINS = 15
TOP = 0.1
TINY = 1e-15


def _weights(y: Array, weight: Array | None) -> Array:
    return np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)


def _mean(values: Array, weight: Array) -> float:
    total = weight.sum()
    return float((values * weight).sum() / total) if total > 0 else float("nan")


def _tied(score: Array, *masses: Array) -> list[Array]:
    """Sums of the masses over rows with the same score, from the lowest score to the highest."""
    order = np.argsort(score)
    starts = np.flatnonzero(np.diff(score[order], prepend=np.nan) != 0)
    return [np.add.reduceat(mass[order], starts) if len(order) else mass for mass in masses]


def roc_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Chance that a positive row scores above a negative one, ties counting half."""
    w = _weights(y, weight)
    positive, negative = _tied(prediction, w * y, w * (1 - y))
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / pairs) if pairs > 0 else float("nan")


def pr_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Average precision: precision at every threshold, weighted by the recall it adds."""
    w = _weights(y, weight)
    positive, everything = (mass[::-1] for mass in _tied(prediction, w * y, w))
    if not 0 < positive.sum() < everything.sum():
        return float("nan")
    seen = np.maximum(np.cumsum(everything), TINY)
    return float((np.cumsum(positive) / seen * positive).sum() / positive.sum())


def log_loss(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean surprise in nats at a 0/1 outcome; defined for one class too."""
    p = np.clip(prediction, TINY, 1 - TINY)
    return _mean(-(y * np.log(p) + (1 - y) * np.log1p(-p)), _weights(y, weight))


def brier(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean squared distance of a probability from the 0/1 outcome."""
    return _mean((prediction - y) ** 2, _weights(y, weight))


def expected_calibration_error(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean gap between predicted and observed share, over 15 bins of equal weight.

    Rows with the same prediction share a bin, so that their order does not matter.
    """
    w = _weights(y, weight)
    mass, gap = _tied(prediction, w, w * (prediction - y))
    total = mass.sum()
    if total <= 0:
        return float("nan")
    middle = (np.cumsum(mass) - mass / 2) / total
    bins = np.minimum((middle * BINS).astype(np.int64), BINS - 1)
    return float(np.abs(np.bincount(bins, gap, BINS)).sum() / total)


def capture(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Share of the total actual found in the tenth of the rows predicted highest.

    Rows tied at the border count by the part of them that fits. NaN when the total is not positive.
    """
    w = _weights(y, weight)
    actual, mass = (part[::-1] for part in _tied(prediction, w * y, w))
    total = actual.sum()
    if total <= 0:
        return float("nan")
    room = np.clip(TOP * mass.sum() - (np.cumsum(mass) - mass), 0, mass)
    share = np.divide(room, mass, out=np.zeros_like(room), where=mass > 0)
    return float((actual * share).sum() / total)


def lift(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """How many times more frequent the outcome is in the top tenth than over all rows."""
    return capture(y, prediction, weight) / TOP


def macro_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean over the classes of the AUC of the class against the rest; NaN if a class lacks."""
    classes = range(prediction.shape[1])
    each = [roc_auc((y == k).astype(float), prediction[:, k], weight) for k in classes]
    return float(np.mean(each))


def class_ece(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean over the classes of the calibration error of the class against the rest."""
    classes = range(prediction.shape[1])
    each = [
        expected_calibration_error((y == k).astype(float), prediction[:, k], weight)
        for k in classes
    ]
    return float(np.mean(each))


def multiclass_log_loss(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean surprise in nats at the class that happened."""
    chosen = prediction[np.arange(len(y)), np.asarray(y, dtype=np.int64)]
    return _mean(-np.log(np.clip(chosen, TINY, 1)), _weights(y, weight))


def accuracy(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Share of rows whose most probable class happened."""
    return _mean((prediction.argmax(axis=1) == y).astype(float), _weights(y, weight))


def mae(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean absolute error, in the unit of the value."""
    return _mean(np.abs(prediction - y), _weights(y, weight))


def rmse(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Root of the mean squared error, in the unit of the value."""
    return float(np.sqrt(_mean((prediction - y) ** 2, _weights(y, weight))))


def spearman(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Rank correlation. Weights are ignored: ranks of weighted rows have no agreed meaning."""
    if len(y) < 2 or np.ptp(y) == 0 or np.ptp(prediction) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(y), rankdata(prediction))[0, 1])


def expected_level(prediction: Array) -> Array:
    """The mean class number of class probabilities, 0 to K-1."""
    return np.asarray(prediction @ np.arange(prediction.shape[1]))


def quadratic_kappa(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Agreement of the expected level, rounded half up, with the level that came (quadratic).

    0 is what chance gives, 1 is perfect. Cohen (1968), weighted kappa.
    """
    w = _weights(y, weight)
    level = np.floor(expected_level(prediction) + 0.5)
    total = w.sum()
    if total <= 0:
        return float("nan")
    seen = _mean((y - level) ** 2, w)
    spread = _mean(y**2, w) + _mean(level**2, w) - 2 * _mean(y, w) * _mean(level, w)
    return float(1 - seen / spread) if spread > TINY else float("nan")


def score_mae(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean absolute error of the expected score, in points of 0-100, K levels evenly spread."""
    step = 100 / (prediction.shape[1] - 1)
    return mae(y * step, expected_level(prediction) * step, weight)


def score_spearman(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Rank correlation of the expected score with the level that came; weights are ignored."""
    return spearman(y, expected_level(prediction))


def dissatisfied_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """AUC of the probability of the two lowest levels against an answer in one of them."""
    return roc_auc((y <= 1).astype(float), prediction[:, :2].sum(axis=1), weight)


class Metric(NamedTuple):
    """A measure, which end of it is good, and the kinds of target it belongs to."""

    function: Measure
    higher_is_better: bool
    kinds: tuple[str, ...]


_CLASSES = ("multiclass", "ordinal")

METRICS: dict[str, Metric] = {
    "roc_auc": Metric(roc_auc, True, ("binary",)),
    "pr_auc": Metric(pr_auc, True, ("binary",)),
    "log_loss": Metric(log_loss, False, ("binary",)),
    "brier": Metric(brier, False, ("binary",)),
    "ece": Metric(expected_calibration_error, False, ("binary",)),
    "lift_10": Metric(lift, True, ("binary",)),
    "capture_10": Metric(capture, True, ("binary", "regression")),
    "multiclass_log_loss": Metric(multiclass_log_loss, False, _CLASSES),
    "macro_auc": Metric(macro_auc, True, _CLASSES),
    "accuracy": Metric(accuracy, True, _CLASSES),
    "class_ece": Metric(class_ece, False, _CLASSES),
    "dissatisfied_auc": Metric(dissatisfied_auc, True, ("ordinal",)),
    "score_mae": Metric(score_mae, False, ("ordinal",)),
    "score_spearman": Metric(score_spearman, True, ("ordinal",)),
    "quadratic_kappa": Metric(quadratic_kappa, True, ("ordinal",)),
    "mae": Metric(mae, False, ("regression",)),
    "rmse": Metric(rmse, False, ("regression",)),
    "spearman": Metric(spearman, True, ("regression",)),
}

PRIMARY = {
    "binary": "roc_auc",
    "multiclass": "multiclass_log_loss",
    "ordinal": "multiclass_log_loss",
    "regression": "mae",
}
"""The measure that decides, by kind of target."""
