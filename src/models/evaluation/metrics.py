"""Metrics of predictions, each as (y, prediction, weight) -> number.

Weights count a row that many times. A metric is NaN where it is undefined (a single class, no rows, no
variance). Class probabilities have shape (rows, K), everything else (rows,). The metrics are vectorized
for the bootstrap: at least 3 times faster than scikit-learn's (`benchmarks/bootstrap_metrics.py`; the
least for accuracy on 50,000 rows). A property test holds them equal to scikit-learn's to 1e-12.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

Array = np.ndarray
MetricFunction = Callable[[Array, Array, Array | None], float]
BINS = 15
TOP = 0.1
TINY = 1e-15


def _weights(y: Array, weight: Array | None) -> Array:
    return np.ones(len(y)) if weight is None else np.asarray(weight, dtype=np.float64)


def _mean(values: Array, weight: Array) -> float:
    total = weight.sum()
    return float((values * weight).sum() / total) if total > 0 else float("nan")


def _sum_ties(score: Array, *masses: Array) -> list[Array]:
    """Sum the masses of rows with equal scores, from the lowest score to the highest."""
    steps = np.diff(score)
    if not (steps >= 0).all():  # the bootstrap passes sorted rows
        order = np.argsort(score)
        steps = np.diff(score[order])
        masses = tuple(mass[order] for mass in masses)
    starts = np.flatnonzero(np.concatenate(([True], steps != 0)))
    return [np.add.reduceat(mass, starts) if len(mass) else mass for mass in masses]


def roc_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Probability that a positive row scores higher than a negative one; ties count half."""
    w = _weights(y, weight)
    positive, negative = _sum_ties(prediction, w * y, w * (1 - y))
    pairs = positive.sum() * negative.sum()
    below = np.cumsum(negative) - negative / 2
    return float((positive * below).sum() / pairs) if pairs > 0 else float("nan")


def pr_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Average precision: precision at every threshold, weighted by the gain in recall."""
    w = _weights(y, weight)
    positive, total = (mass[::-1] for mass in _sum_ties(prediction, w * y, w))
    found, predicted = np.cumsum(positive), np.cumsum(total)
    if not len(y) or not 0 < found[-1] < predicted[-1]:
        return float("nan")
    return float((found / np.maximum(predicted, TINY) * positive).sum() / found[-1])


def log_loss(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Log loss in nats of a 0/1 outcome; defined for a single class, too."""
    p = np.clip(prediction, TINY, 1 - TINY)
    return _mean(-(y * np.log(p) + (1 - y) * np.log1p(-p)), _weights(y, weight))


def brier(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean squared error of a probability against the 0/1 outcome."""
    return _mean((prediction - y) ** 2, _weights(y, weight))


def expected_calibration_error(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean gap between predicted and observed share, over 15 bins of equal weight.

    Rows with the same prediction share a bin, so the order of rows does not matter.
    """
    w = _weights(y, weight)
    mass, gap = _sum_ties(prediction, w, w * (prediction - y))
    total = mass.sum()
    if total <= 0:
        return float("nan")
    middle = (np.cumsum(mass) - mass / 2) / total
    bins = np.minimum((middle * BINS).astype(np.int64), BINS - 1)
    return float(np.abs(np.bincount(bins, gap, BINS)).sum() / total)


def capture(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Share of the actual total in the 10% of rows with the highest predictions.

    Rows tied at the threshold count with the fraction that fits. NaN when the total is not positive.
    """
    w = _weights(y, weight)
    actual, mass = (part[::-1] for part in _sum_ties(prediction, w * y, w))
    total = actual.sum()
    if total <= 0:
        return float("nan")
    room = np.clip(TOP * mass.sum() - (np.cumsum(mass) - mass), 0, mass)
    share = np.divide(room, mass, out=np.zeros_like(room), where=mass > 0)
    return float((actual * share).sum() / total)


def lift(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """The outcome rate in the top 10% of rows divided by the overall rate."""
    return capture(y, prediction, weight) / TOP


def macro_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean one-vs-rest AUC over the classes; NaN if a class is missing."""
    classes = range(prediction.shape[1])
    each = [roc_auc((y == k).astype(float), prediction[:, k], weight) for k in classes]
    return float(np.mean(each))


def class_ece(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean one-vs-rest calibration error over the classes."""
    classes = range(prediction.shape[1])
    each = [
        expected_calibration_error((y == k).astype(float), prediction[:, k], weight)
        for k in classes
    ]
    return float(np.mean(each))


def multiclass_log_loss(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Log loss in nats of the actual class."""
    chosen = prediction[np.arange(len(y)), np.asarray(y, dtype=np.int64)]
    return _mean(-np.log(np.clip(chosen, TINY, 1)), _weights(y, weight))


def accuracy(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Share of rows whose most probable class is the actual one."""
    return _mean((prediction.argmax(axis=1) == y).astype(float), _weights(y, weight))


def mae(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean absolute error, in the unit of the value."""
    return _mean(np.abs(prediction - y), _weights(y, weight))


def rmse(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Root mean squared error, in the unit of the value."""
    return float(np.sqrt(_mean((prediction - y) ** 2, _weights(y, weight))))


def sum_ratio(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """The sum of the predictions divided by the sum of what came; NaN when nothing came, or less."""
    w = _weights(y, weight)
    actual = float((w * y).sum())
    return float((w * prediction).sum() / actual) if actual > 0 else float("nan")


def spearman(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Spearman's rank correlation; weights are ignored (weighted ranks have no standard definition)."""
    from scipy.stats import rankdata

    if len(y) < 2 or np.ptp(y) == 0 or np.ptp(prediction) == 0:
        return float("nan")
    return float(np.corrcoef(rankdata(y), rankdata(prediction))[0, 1])


def expected_level(prediction: Array) -> Array:
    """The expected class number of class probabilities, 0 to K-1."""
    return np.asarray(prediction @ np.arange(prediction.shape[1]))


def quadratic_kappa(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Quadratic weighted kappa of the actual level and the expected level rounded half up.

    0 is chance agreement, 1 is perfect. Cohen (1968).
    """
    w = _weights(y, weight)
    level = np.floor(expected_level(prediction) + 0.5)
    total = w.sum()
    if total <= 0:
        return float("nan")
    observed = _mean((y - level) ** 2, w)
    expected = _mean(y**2, w) + _mean(level**2, w) - 2 * _mean(y, w) * _mean(level, w)
    return float(1 - observed / expected) if expected > TINY else float("nan")


def score_mae(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Mean absolute error of the expected score in points of 0 to 100, for K equidistant levels."""
    step = 100 / (prediction.shape[1] - 1)
    return mae(y * step, expected_level(prediction) * step, weight)


def score_spearman(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """Spearman correlation of the expected score with the actual level; weights are ignored."""
    return spearman(y, expected_level(prediction))


def dissatisfied_auc(y: Array, prediction: Array, weight: Array | None = None) -> float:
    """AUC of the probability of the two lowest levels for an answer in one of them."""
    return roc_auc((y <= 1).astype(float), prediction[:, :2].sum(axis=1), weight)


class Metric(NamedTuple):
    """A metric, whether high values are good, and the kinds of target it applies to.

    Of a metric with a `best` value, neither high nor low values are good.
    """

    function: MetricFunction
    higher_is_better: bool
    kinds: tuple[str, ...]
    best: float | None = None


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
    "sum_ratio": Metric(sum_ratio, True, ("regression",), best=1.0),
}

PRIMARY = {
    "binary": "roc_auc",
    "multiclass": "multiclass_log_loss",
    "ordinal": "multiclass_log_loss",
    "regression": "mae",
}
"""The metric that decides, by kind of target."""

CALIBRATION_ERRORS = ("ece", "class_ece")
"""The metrics that chance alone makes larger than 0: see `calibration_error`."""


def contestants(predictions: Mapping[str, Array]) -> list[str]:
    """The names of those who predict; the median of a value ("typical") belongs to the model."""
    return [name for name in predictions if name != "typical"]


def judged_by(metric: str, predictions: Mapping[str, Array], contestant: str = "model") -> Array:
    """The prediction that a metric judges.

    Of a value, the mean absolute error judges the median ("typical"), every other metric the mean.
    """
    if contestant == "model" and metric == "mae":
        return predictions.get("typical", predictions["model"])
    return predictions[contestant]
