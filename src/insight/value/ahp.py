"""Weights from pairwise judgements of several raters: the analytic hierarchy process (Saaty 1980)."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from features.config.table_mapping import Strict
from features.errors import ConfigRefused
from insight.value.weights import Weights

Floats = NDArray[np.float64]

#: The consistency ratio above which a matrix is refused.
LIMIT = 0.1
#: Mean consistency index of random matrices of 1, 2, 3 ... items (Saaty 1980).
RANDOM_INDEX = (
    0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59,
)  # fmt: skip
#: How far a(i,j) times a(j,i) may be from 1: people write 0.33 for a third.
ROUNDING = 0.02


class Judged(Strict):
    """`[insight.value.ahp]`: the items compared, and a square matrix per rater.

    Row i, column j says how many times as important item i is as item j, from 1/9 to 9; a text such
    as "1/3" is a fraction.
    """

    items: list[str]
    raters: dict[str, list[list[float | str]]]


@dataclass(frozen=True)
class Judgements:
    """One rater's reciprocal matrix over the items, with its weights and consistency ratio."""

    rater: str
    items: tuple[str, ...]
    matrix: Floats
    weights: Floats
    ratio: float


@dataclass(frozen=True)
class Reconsider:
    """The pair whose judgement fits the others least, and what the others say together."""

    first: str
    second: str
    said: float
    implied: float

    def __str__(self) -> str:
        return (
            f"{self.first} over {self.second}, judged {_ratio(self.said)} where the other judgements "
            f"say about {_ratio(self.implied)}"
        )


def judgements(
    rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]
) -> Judgements:
    """One rater's matrix, read and checked.

    Raises ConfigRefused for a matrix that is not square, not positive, not reciprocal (with the pair
    and what would be right), or whose consistency ratio is above 0.1 (with the pair to reconsider).
    """
    found = unchecked(rater, items, rows)
    if found.ratio > LIMIT:
        raise ConfigRefused(
            f"the judgements of {rater} contradict each other: consistency ratio {found.ratio:.2f}, at "
            f"most {LIMIT} can be used; reconsider {reconsider(found)}"
        )
    return found


def unchecked(
    rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]
) -> Judgements:
    """One rater's reciprocal matrix, whatever its consistency ratio."""
    matrix = _reciprocal(rater, items, rows)
    weights, ratio = _principal(matrix)
    return Judgements(rater, tuple(items), matrix, weights, ratio)


def reconsider(judged: Judgements) -> Reconsider:
    """The pair that lowers the consistency ratio most when it says what the other judgements imply.

    What they imply is the geometric mean over all third items k of a(i,k) a(k,j). Of three items every
    pair does; then it is the one furthest from what is implied.
    """
    best, found = (np.inf, 0.0), Reconsider("", "", 1.0, 1.0)
    for i, j in combinations(range(len(judged.items)), 2):
        others = [k for k in range(len(judged.items)) if k not in (i, j)]
        logs = np.log(judged.matrix[i, others]) + np.log(judged.matrix[others, j])
        implied = float(np.exp(logs.mean()))
        mended = judged.matrix.copy()
        mended[i, j], mended[j, i] = implied, 1 / implied
        rank = (round(_principal(mended)[1], 6), -abs(np.log(judged.matrix[i, j] / implied)))
        if rank < best:
            said = float(judged.matrix[i, j])
            best, found = rank, Reconsider(judged.items[i], judged.items[j], said, implied)
    return found


def agreed(judged: Sequence[Judgements]) -> Judgements:
    """The group's judgements: the geometric mean of the raters' matrices, entry by entry.

    It is the only mean that keeps the matrix reciprocal (Aczel and Saaty 1983). Raises ConfigRefused
    when the raters compared different items.
    """
    items = judged[0].items
    for other in judged[1:]:
        if other.items != items:
            raise ConfigRefused(
                f"{other.rater} compared {', '.join(other.items)}, {judged[0].rater} "
                f"{', '.join(items)}; they should compare the same items in the same order"
            )
    matrix = np.exp(np.mean([np.log(j.matrix) for j in judged], axis=0))
    weights, ratio = _principal(matrix)
    return Judgements("group", items, matrix, weights, ratio)


def ahp_weights(judged: Judged) -> Weights:
    """The weights the raters of `[insight.value.ahp]` agree on; their own range is the interval."""
    if not judged.raters:
        raise ConfigRefused(
            "insight.value.ahp.raters is empty; it needs a matrix of one rater at least"
        )
    each = [judgements(name, judged.items, rows) for name, rows in judged.raters.items()]
    group = agreed(each)
    said = np.array([j.weights for j in each])
    return Weights(
        "ahp",
        dict(zip(group.items, group.weights.tolist(), strict=True)),
        dict(
            zip(
                group.items,
                zip(said.min(0).tolist(), said.max(0).tolist(), strict=True),
                strict=True,
            )
        ),
        f"{len(each)} raters, consistency ratio {group.ratio:.3f}",
    )


def _principal(matrix: Floats) -> tuple[Floats, float]:
    """The principal eigenvector, summing to 1, and the consistency ratio."""
    values, vectors = np.linalg.eig(matrix)
    top = int(np.argmax(values.real))
    vector = np.abs(vectors[:, top].real)
    count = len(matrix)
    if count < 3:
        return vector / vector.sum(), 0.0
    index = (float(values[top].real) - count) / (count - 1)
    return vector / vector.sum(), max(0.0, index / RANDOM_INDEX[count - 1])


def _reciprocal(rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]) -> Floats:
    """The matrix as numbers, its lower half made exactly reciprocal to the upper."""
    _check_shape(rater, items, rows)
    matrix = np.array([[_number(rater, value) for value in row] for row in rows])
    for i, j in combinations(range(len(items)), 2):
        product = matrix[i, j] * matrix[j, i]
        if abs(product - 1) > ROUNDING:
            raise ConfigRefused(
                f"the matrix of {rater} is not reciprocal: {items[i]} over {items[j]} is "
                f"{matrix[i, j]:g}, so {items[j]} over {items[i]} should be {_ratio(1 / matrix[i, j])} "
                f"and not {matrix[j, i]:g}"
            )
        matrix[j, i] = 1 / matrix[i, j]
    for item, own in zip(items, np.diag(matrix), strict=True):
        if own != 1:
            raise ConfigRefused(f"{rater} puts {item} over itself at {own:g}; that should be 1")
    return matrix


def _check_shape(rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]) -> None:
    count = len(items)
    if not 2 <= count <= len(RANDOM_INDEX):
        raise ConfigRefused(
            f"{count} items are compared; pairwise comparison takes 2 to {len(RANDOM_INDEX)}: put alike "
            "ones together"
        )
    if len(set(items)) < count:
        raise ConfigRefused(f"an item is named twice in {', '.join(items)}; name each one once")
    shape = [len(row) for row in rows]
    if shape != [count] * count:
        raise ConfigRefused(
            f"the matrix of {rater} has {len(rows)} rows of {', '.join(map(str, sorted(set(shape))))} "
            f"numbers; it should have {count} rows of {count}"
        )


def _number(rater: str, value: float | str) -> float:
    try:
        number = float(Fraction(value) if isinstance(value, str) else value)
    except (ValueError, ZeroDivisionError):
        number = np.nan
    if not 0 < number < np.inf:
        raise ConfigRefused(
            f"the matrix of {rater} holds {value!r}; a judgement is a number above 0 or a text "
            "such as '1/3'"
        )
    return number


def _ratio(value: float) -> str:
    """A judgement as it is written: 3, 1/3, 2.5."""
    return f"{value:.3g}" if value >= 1 else f"1/{1 / value:.3g}"
