"""How well one column alone tells an outcome, on the scale of an AUC: .5 nothing, 1 everything.

For classes it is the AUC of the class that is told best (against the rest), for values it is
(1 + rank correlation) / 2; a column that tells the outcome the other way round counts as much.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows of a class without which nothing can be said of it.
LEAST = 5
#: Rows a category's rate is drawn to the mean by.
PRIOR = 5.0


def rates(texts: pa.ChunkedArray, label: Floats, customer: Ints) -> Floats:
    """Each text as the mean outcome of the other customers with that text.

    Out of sample, so that rare texts do not tell by heart; a missing text is one of its own.
    """
    coded = texts.combine_chunks()
    coded = coded if pa.types.is_dictionary(coded.type) else coded.dictionary_encode()
    codes = pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False)
    codes = codes.astype(np.int64)
    told = np.full(len(codes), np.nan)
    for part in (0, 1):
        other, mine = customer % 2 != part, customer % 2 == part
        mean = label[other].mean() if other.any() else 0.0
        count = np.bincount(codes[other], minlength=codes.max(initial=0) + 1)
        total = np.bincount(codes[other], label[other], len(count))
        told[mine] = ((total + PRIOR * mean) / (count + PRIOR))[codes[mine]]
    return told


def ranks(values: Floats) -> Floats:
    """The mean rank of each value in its row, from 0 to 1; a missing value is below all others.

    `values` has a row for each feature.
    """
    filled = np.where(np.isnan(values), -np.inf, values)
    order = np.argsort(filled, axis=1)
    inside = np.take_along_axis(filled, order, axis=1)
    place = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    new = np.ones(values.shape, bool)
    new[:, 1:] = inside[:, 1:] != inside[:, :-1]
    last = np.ones(values.shape, bool)
    last[:, :-1] = new[:, 1:]
    low = np.maximum.accumulate(np.where(new, place, 0), axis=1)
    high = np.minimum.accumulate(np.where(last, place, values.shape[1])[:, ::-1], axis=1)[:, ::-1]
    ranked = np.empty(values.shape)
    np.put_along_axis(ranked, order, (low + high) / 2, axis=1)
    return np.asarray(ranked / max(values.shape[1] - 1, 1), np.float64)


def powers(ranked: Floats, label: Floats, classes: int) -> Floats:
    """The signed power of each row of ranks: below .5 it tells the outcome the other way round.

    `classes` is 0 for values, else their number. NaN where there is too little of each class.
    """
    if not classes:
        return (1.0 + _correlation(ranked, ranks(label[None, :])[0])) / 2.0
    best = np.full(len(ranked), np.nan)
    for k in [1] if classes == 2 else range(classes):
        auc = _auc(ranked, label == k)
        further = np.abs(auc - 0.5) > np.abs(np.nan_to_num(best, nan=0.5) - 0.5)
        best = np.where(np.isnan(best) | further, auc, best)
    return best


def _auc(ranked: Floats, chosen: NDArray[np.bool_]) -> Floats:
    hits, misses = int(chosen.sum()), int((~chosen).sum())
    if min(hits, misses) < LEAST:
        return np.full(len(ranked), np.nan)
    above = ranked[:, chosen].sum(axis=1) * (len(chosen) - 1) - hits * (hits - 1) / 2
    return np.asarray(above / (hits * misses), np.float64)


def _correlation(columns: Floats, label: Floats) -> Floats:
    x, y = columns - columns.mean(axis=1, keepdims=True), label - label.mean()
    scale = np.sqrt((x**2).sum(axis=1) * (y**2).sum())
    return np.asarray(np.divide(x @ y, scale, out=np.zeros(len(scale)), where=scale > 1e-12))


def log_odds(power: Floats) -> Floats:
    """Power on a scale without ends, regardless of its direction; 0 is nothing, .97 is 3.5.

    More is not told apart: in a steady business much is near-certain.
    """
    folded = np.clip(0.5 + np.abs(power - 0.5), 0.5, 0.97)
    return np.asarray(np.log(folded / (1 - folded)), np.float64)


def error(power: Floats, label: Floats, classes: int) -> Floats:
    """The standard error of `log_odds(power)` (Hanley and McNeil 1982; Fisher's z for values)."""
    if not classes:
        return np.full(len(power), 2.0 / np.sqrt(max(len(label) - 3, 1)))
    rarer = _rarer(label, classes)
    a = np.clip(0.5 + np.abs(power - 0.5), 0.5, 0.97)
    spread = a * (1 - a) + (rarer - 1) * (a / (2 - a) - a**2)
    spread = (spread + (rarer - 1) * (2 * a**2 / (1 + a) - a**2)) / (rarer * rarer)
    return np.asarray(np.sqrt(spread) / (a * (1 - a)), np.float64)


def _rarer(label: Floats, classes: int) -> int:
    """Rows of the rarest class that can be told, or of the rest if that is less."""
    counts = np.bincount(label.astype(np.int64), minlength=classes)
    told = counts[(counts >= LEAST) & (len(label) - counts >= LEAST)]
    return int(min(told.min(initial=len(label)), len(label) - told.max(initial=0))) or 1


def beyond(columns: Floats, known: Floats, label: Floats) -> tuple[Floats, float]:
    """The correlation of each row with the outcome that what is known leaves unexplained.

    All are ranks; `known` (features, rows) is what else could be known, taken out of both by a
    ridge regression. Also the standard error of a correlation: each direction taken out costs a row.
    """
    x = _standard(known).T
    wanted = np.column_stack([_standard(label[None, :]).T, _standard(columns).T])
    penalty = 0.1 * len(x) * np.eye(x.shape[1])
    solved = np.linalg.solve(x.T @ x + penalty, np.column_stack([x.T @ wanted, x.T @ x]))
    left = wanted - x @ solved[:, : wanted.shape[1]]
    spent = float(np.trace(solved[:, wanted.shape[1] :]))
    correlation = _correlation(left[:, 1:].T, left[:, 0])
    return correlation, 1.0 / np.sqrt(max(len(x) - spent, 1.0))


def _standard(values: Floats) -> Floats:
    centred = values - values.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
    return np.asarray(scaled, np.float64)
