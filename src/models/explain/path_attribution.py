"""How the change of a score is split over what moved: along the straight line from start to end.

Trees add up in a raw score; people see a probability, a level or money. Between the raw score and
what is seen lie a link, a calibration and a mix of classes, so that parts of the one are not parts
of the other. The path integral (Aumann and Shapley 1974; integrated gradients) turns them into
such: each part gets the slope it meets on the way from start to end. With one raw number this is
the slope of the secant, and every part keeps its share; with several, each class has its own.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
#: From coordinates (n, d), raw scores and what goes with them, to what people see (n,).
Seen = Callable[[Floats], Floats]

#: A secant is at least this wide (in log odds, or whatever the raw score is): where parts cancel,
#: a step of the calibration would otherwise become a slope without end.
LEAST_WIDTH = 0.1
NODES = 6


def split_by_path(seen: Seen, start: Floats, end: Floats, moves: Floats) -> Floats:
    """The parts (n, k) of `seen(end) - seen(start)` that each of k moves has.

    `moves` (n, m, k) are those along the first m of the d coordinates and add up to `end - start`
    (n, d) but for rounding; along the others nothing moves. The parts add up to the change exactly.
    """
    gain = seen(end) - seen(start)
    moving = np.arange(moves.shape[1])
    slopes = (_secant if len(moving) == 1 else _gradient)(seen, start, end, moving)
    return _settled(np.matmul(slopes[:, None, :], moves)[:, 0], gain)


def _secant(seen: Seen, start: Floats, end: Floats, moving: NDArray[np.int64]) -> Floats:
    """The slope between start and end, over at least the least width around their middle."""
    (place,) = moving
    width = end[:, place] - start[:, place]
    half = np.where(width < 0, -1, 1) * np.maximum(np.abs(width), LEAST_WIDTH) / 2
    low, high = start.copy(), end.copy()
    middle = (start[:, place] + end[:, place]) / 2
    low[:, place], high[:, place] = middle - half, middle + half
    return np.asarray((seen(high) - seen(low)) / (2 * half))[:, None]


def _gradient(seen: Seen, start: Floats, end: Floats, moving: NDArray[np.int64]) -> Floats:
    """The mean gradient along the line, by Gauss-Legendre nodes and central differences."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    total = np.zeros((len(start), len(moving)))
    for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
        here = start + node * (end - start)
        for i, place in enumerate(moving):
            step = 1e-4 * np.maximum(1.0, np.abs(here[:, place]))
            up, down = here.copy(), here.copy()
            up[:, place] += step
            down[:, place] -= step
            total[:, i] += weight * (seen(up) - seen(down)) / (2 * step)
    return total


def _settled(parts: Floats, gain: Floats) -> Floats:
    """Parts that add up exactly: what numbers and quadrature left over is shared by size."""
    for _ in range(2):  # the second time for the rounding of the first
        sizes = np.abs(parts)
        total = sizes.sum(axis=1, keepdims=True)
        even = np.full_like(parts, 1 / parts.shape[1])
        shares = np.divide(sizes, total, out=even, where=total > 0)
        parts = parts + shares * (gain - parts.sum(axis=1))[:, None]
    return parts
