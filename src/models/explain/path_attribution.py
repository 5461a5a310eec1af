"""Split the change of a displayed score over contributions to the raw score, by integrated gradients.

Trees add up in a raw score; the displayed score is a probability, a level or money, after a link, a
calibration and a mix of classes. Each contribution is multiplied by the mean slope of the displayed
score along the straight line from start to end (Aumann and Shapley 1974). With one raw score this is the
slope of the secant, so every contribution keeps its share; with several, each class has its own slope.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: Maps coordinates (n, d), raw scores and spend level, to the displayed score (n,).
Displayed = Callable[[Floats], Floats]

#: Minimum width of a secant in units of the raw score: where contributions cancel, a step of the
#: calibration would otherwise give an infinite slope.
MIN_WIDTH = 0.1
NODES = 6


def split_by_path(
    displayed: Displayed, start: Floats, end: Floats, contributions: Floats
) -> Floats:
    """The parts (n, k) of `displayed(end) - displayed(start)` due to each of k contributions.

    `contributions` (n, m, k) are along the first m of the d coordinates and add up to `end - start`
    (n, d) up to rounding; the other coordinates do not change. The parts add up to the change exactly.
    """
    change = displayed(end) - displayed(start)
    moving = np.arange(contributions.shape[1])
    slopes = (_secant if len(moving) == 1 else _gradient)(displayed, start, end, moving)
    return _distribute_residual(np.matmul(slopes[:, None, :], contributions)[:, 0], change)


def _secant(displayed: Displayed, start: Floats, end: Floats, moving: NDArray[np.int64]) -> Floats:
    """The slope between start and end, over at least the minimum width around their midpoint."""
    (place,) = moving
    width = end[:, place] - start[:, place]
    half = np.where(width < 0, -1, 1) * np.maximum(np.abs(width), MIN_WIDTH) / 2
    low, high = start.copy(), end.copy()
    middle = (start[:, place] + end[:, place]) / 2
    low[:, place], high[:, place] = middle - half, middle + half
    return np.asarray((displayed(high) - displayed(low)) / (2 * half))[:, None]


def _gradient(
    displayed: Displayed, start: Floats, end: Floats, moving: NDArray[np.int64]
) -> Floats:
    """The mean gradient along the line, by Gauss-Legendre quadrature and central differences."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    total = np.zeros((len(start), len(moving)))
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        here = start + node * (end - start)
        for i, place in enumerate(moving):
            step = 1e-4 * np.maximum(1.0, np.abs(here[:, place]))
            up, down = here.copy(), here.copy()
            up[:, place] += step
            down[:, place] -= step
            total[:, i] += weight * (displayed(up) - displayed(down)) / (2 * step)
    return total


def _distribute_residual(parts: Floats, change: Floats) -> Floats:
    """Make parts add up exactly: distribute the residual of rounding and quadrature by size."""
    for _ in range(2):  # the second time for the rounding errors of the first
        sizes = np.abs(parts)
        total = sizes.sum(axis=1, keepdims=True)
        even = np.full_like(parts, 1 / parts.shape[1])
        shares = np.divide(sizes, total, out=even, where=total > 0)
        parts = parts + shares * (change - parts.sum(axis=1))[:, None]
    return parts
