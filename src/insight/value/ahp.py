"""Dimension weights from pairwise comparisons by several raters: AHP (Saaty 1980)."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from features.config.toml_section import TomlSection
from features.errors import ConfigRefused
from insight.value.weights import DimensionWeights

Floats = NDArray[np.float64]

#: Consistency ratio above which a matrix is refused.
MAX_CONSISTENCY_RATIO = 0.1
#: Mean consistency index of random matrices of 1, 2, 3, ... items (Saaty 1980).
RANDOM_INDEX = (
    0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59,
)  # fmt: skip
#: Tolerance of a(i,j) * a(j,i) around 1: raters write 0.33 for a third.
ROUNDING = 0.02


class AhpSettings(TomlSection):
    """`[insight.value.ahp]`: the items compared, and a square matrix per rater.

    Row i, column j says how many times as important item i is as item j, from 1/9 to 9; a text such as
    "1/3" is a fraction.
    """

    items: list[str]
    raters: dict[str, list[list[float | str]]]

    def __repr_name__(self) -> str:
        return "Judged"  # part of the digest of stored reference scales, which must not change


@dataclass(frozen=True)
class PairwiseComparison:
    """One rater's reciprocal matrix over the items, with its weights and consistency ratio."""

    rater: str
    items: tuple[str, ...]
    matrix: Floats
    weights: Floats
    ratio: float


@dataclass(frozen=True)
class InconsistentPair:
    """The pair whose comparison fits the others least: the given and the implied value."""

    first: str
    second: str
    given: float
    implied: float

    def __str__(self) -> str:
        return (
            f"{self.first} over {self.second}, given as {_ratio(self.given)}; the other comparisons "
            f"imply about {_ratio(self.implied)}"
        )


def check_comparison(
    rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]
) -> PairwiseComparison:
    """Read and check one rater's matrix.

    Raises ConfigRefused for a matrix that is not square, not positive, not reciprocal (with the pair and
    the right value), or whose consistency ratio is above 0.1 (with the pair to reconsider).
    """
    found = read_comparison(rater, items, rows)
    if found.ratio > MAX_CONSISTENCY_RATIO:
        raise ConfigRefused(
            f"the comparisons of {rater} are inconsistent: consistency ratio {found.ratio:.2f}, at most "
            f"{MAX_CONSISTENCY_RATIO} is accepted; reconsider {find_inconsistent_pair(found)}"
        )
    return found


def read_comparison(
    rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]
) -> PairwiseComparison:
    """Read one rater's reciprocal matrix, whatever its consistency ratio."""
    matrix = _reciprocal(rater, items, rows)
    weights, ratio = _principal(matrix)
    return PairwiseComparison(rater, tuple(items), matrix, weights, ratio)


def find_inconsistent_pair(comparison: PairwiseComparison) -> InconsistentPair:
    """Find the pair whose correction to the implied value lowers the consistency ratio most.

    The implied value is the geometric mean over all third items k of a(i,k) a(k,j). Of three items every
    pair lowers it equally; then the pair furthest from its implied value is returned.
    """
    best, found = (np.inf, 0.0), InconsistentPair("", "", 1.0, 1.0)
    for i, j in combinations(range(len(comparison.items)), 2):
        others = [k for k in range(len(comparison.items)) if k not in (i, j)]
        logs = np.log(comparison.matrix[i, others]) + np.log(comparison.matrix[others, j])
        implied = float(np.exp(logs.mean()))
        corrected = comparison.matrix.copy()
        corrected[i, j], corrected[j, i] = implied, 1 / implied
        rank = (round(_principal(corrected)[1], 6), -abs(np.log(comparison.matrix[i, j] / implied)))
        if rank < best:
            given = float(comparison.matrix[i, j])
            best, found = (
                rank,
                InconsistentPair(comparison.items[i], comparison.items[j], given, implied),
            )
    return found


def combine_raters(comparisons: Sequence[PairwiseComparison]) -> PairwiseComparison:
    """Combine the raters' matrices by their entrywise geometric mean.

    It is the only mean that keeps the matrix reciprocal (Aczel and Saaty 1983). Raises ConfigRefused if
    the raters compared different items.
    """
    items = comparisons[0].items
    for other in comparisons[1:]:
        if other.items != items:
            raise ConfigRefused(
                f"{other.rater} compared {', '.join(other.items)}, {comparisons[0].rater} "
                f"{', '.join(items)}; they should compare the same items in the same order"
            )
    matrix = np.exp(np.mean([np.log(j.matrix) for j in comparisons], axis=0))
    weights, ratio = _principal(matrix)
    return PairwiseComparison("group", items, matrix, weights, ratio)


def ahp_weights(ahp: AhpSettings) -> DimensionWeights:
    """Return the weights of the combined matrix; the interval is the range over the raters."""
    if not ahp.raters:
        raise ConfigRefused(
            "insight.value.ahp.raters is empty; give the matrix of at least one rater"
        )
    each = [check_comparison(name, ahp.items, rows) for name, rows in ahp.raters.items()]
    group = combine_raters(each)
    rater_weights = np.array([j.weights for j in each])
    return DimensionWeights(
        "ahp",
        dict(zip(group.items, group.weights.tolist(), strict=True)),
        dict(
            zip(
                group.items,
                zip(rater_weights.min(0).tolist(), rater_weights.max(0).tolist(), strict=True),
                strict=True,
            )
        ),
        f"{len(each)} raters, consistency ratio {group.ratio:.3f}",
    )


def _principal(matrix: Floats) -> tuple[Floats, float]:
    """Return the principal eigenvector, summing to 1, and the consistency ratio."""
    values, vectors = np.linalg.eig(matrix)
    top = int(np.argmax(values.real))
    vector = np.abs(vectors[:, top].real)
    count = len(matrix)
    if count < 3:
        return vector / vector.sum(), 0.0
    index = (float(values[top].real) - count) / (count - 1)
    return vector / vector.sum(), max(0.0, index / RANDOM_INDEX[count - 1])


def _reciprocal(rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]) -> Floats:
    """Return the matrix as numbers, the lower half exactly reciprocal to the upper."""
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
            raise ConfigRefused(
                f"the matrix of {rater} has {own:g} for {item} over itself; it should be 1"
            )
    return matrix


def _check_shape(rater: str, items: Sequence[str], rows: Sequence[Sequence[float | str]]) -> None:
    count = len(items)
    if not 2 <= count <= len(RANDOM_INDEX):
        raise ConfigRefused(
            f"{count} items are compared; pairwise comparison takes 2 to {len(RANDOM_INDEX)}: merge "
            "similar ones"
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
    """Format a comparison as raters write it: 3, 1/3, 2.5."""
    return f"{value:.3g}" if value >= 1 else f"1/{1 / value:.3g}"
