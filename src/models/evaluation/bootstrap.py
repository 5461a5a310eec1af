"""Bootstrap confidence intervals of metrics."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Interval:
    """A value and its 95% bootstrap interval (NaN where undefined)."""

    value: float
    low: float
    high: float


def bootstrap(
    metric: Callable[[Array, Array, Array | None], float],
    y: Array,
    prediction: Array,
    weight: Array | None = None,
    *,
    groups: Array | None = None,
    n: int = 200,
    seed: int = 0,
) -> Interval:
    """A metric with its 95% percentile interval over `n` resamples.

    With `groups` (customers), whole groups are drawn, because the rows of a customer are correlated.
    Efron and Tibshirani (1993), chapter 13.
    """

    def score(rows: Array) -> float:
        return metric(y[rows], prediction[rows], None if weight is None else weight[rows])

    return _interval(score, _sorted_rows(prediction), groups, n, seed)


def paired_difference(
    metric: Callable[[Array, Array, Array | None], float],
    y: Array,
    first: Array,
    second: Array,
    weight: Array | None = None,
    *,
    groups: Array | None = None,
    n: int = 200,
    seed: int = 0,
) -> Interval:
    """The metric of `first` minus that of `second`, both on the same resampled rows."""

    def score(rows: Array) -> float:
        w = None if weight is None else weight[rows]
        return metric(y[rows], first[rows], w) - metric(y[rows], second[rows], w)

    return _interval(score, _sorted_rows(first), groups, n, seed)


def _sorted_rows(prediction: Array) -> Array:
    """Row numbers by prediction: metrics that sort are several times faster on sorted rows."""
    return (
        np.argsort(prediction, kind="stable")
        if prediction.ndim == 1
        else np.arange(len(prediction))
    )


def _interval(
    score: Callable[[Array], float], order: Array, groups: Array | None, n: int, seed: int
) -> Interval:
    value = score(np.arange(len(order)))
    code = order
    if groups is not None:
        code = np.unique(groups, return_inverse=True)[1].ravel()[order]
    count = int(code.max()) + 1 if len(code) else 0
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(n if count else 0):
        times = np.bincount(rng.integers(0, count, count), minlength=count)
        values.append(score(np.repeat(order, times[code])))
    return percentile_interval(value, np.array(values))


def bootstrap_jointly(
    metric: Callable[[Array, Array, Array | None], float],
    y: Array,
    predictions: Sequence[Array],
    weight: Array,
    groups: Array,
    n: int = 200,
) -> tuple[Array, Array]:
    """The metric of several predictions (k,), and on the same `n` resamples of groups (n, k)."""
    resampled = np.empty((n, len(predictions)))
    for draw, times in enumerate(resample_groups(groups, n)):
        resampled[draw] = [metric(y, p, weight * times) for p in predictions]
    return np.array([metric(y, p, weight) for p in predictions]), resampled


def resample_groups(groups: Array, n: int, seed: int = 0) -> Iterator[Array]:
    """Draw `n` resamples of whole groups: how often each row is in it, the same for a group's rows."""
    code = np.unique(groups, return_inverse=True)[1].ravel()
    count = int(code.max()) + 1 if len(code) else 0
    rng = np.random.default_rng(seed)
    for _ in range(n):
        yield np.bincount(rng.integers(0, max(count, 1), count), minlength=count)[code]


def percentile_interval(value: float, resampled: Array) -> Interval:
    """A value with the 95% percentile interval of its resamples; undefined resamples are ignored."""
    defined = resampled[np.isfinite(resampled)]
    if not len(defined):
        return Interval(float(value), float("nan"), float("nan"))
    low, high = np.quantile(defined, [0.025, 0.975])
    return Interval(float(value), float(low), float(high))
