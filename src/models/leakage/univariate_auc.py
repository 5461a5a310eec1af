"""The univariate AUC: how well one column alone predicts an outcome, from 0.5 (not at all) to 1.

For classes it is the one-against-rest AUC of the class predicted best, for values it is
(1 + rank correlation) / 2. A column that predicts in the opposite direction counts as much.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Fewest rows of a class for which an AUC is computed.
LEAST = 5
#: Weight of the overall mean in a text's mean outcome, in rows.
PRIOR = 5.0


def target_encode(texts: pa.ChunkedArray, label: Floats, customer: Ints) -> Floats:
    """Encode each text as the mean outcome of that text in the other half of the customers.

    Out of sample, so that rare texts are not memorised; missing values count as one text.
    """
    coded = texts.combine_chunks()
    coded = coded if pa.types.is_dictionary(coded.type) else coded.dictionary_encode()
    codes = pc.fill_null(coded.indices, len(coded.dictionary)).to_numpy(zero_copy_only=False)
    codes = codes.astype(np.int64)
    encoded = np.full(len(codes), np.nan)
    for half in (0, 1):
        other, own = customer % 2 != half, customer % 2 == half
        mean = label[other].mean() if other.any() else 0.0
        count = np.bincount(codes[other], minlength=codes.max(initial=0) + 1)
        total = np.bincount(codes[other], label[other], len(count))
        encoded[own] = ((total + PRIOR * mean) / (count + PRIOR))[codes[own]]
    return encoded


def rank_rows(values: Floats) -> Floats:
    """The mean rank of each value in its row, from 0 to 1; missing values rank lowest.

    `values` has shape (features, rows).
    """
    filled = np.where(np.isnan(values), -np.inf, values)
    order = np.argsort(filled, axis=1)
    inside = np.take_along_axis(filled, order, axis=1)
    position = np.broadcast_to(np.arange(values.shape[1]), values.shape)
    new = np.ones(values.shape, bool)
    new[:, 1:] = inside[:, 1:] != inside[:, :-1]
    last = np.ones(values.shape, bool)
    last[:, :-1] = new[:, 1:]
    low = np.maximum.accumulate(np.where(new, position, 0), axis=1)
    ends = np.where(last, position, values.shape[1])
    high = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    ranked = np.empty(values.shape)
    np.put_along_axis(ranked, order, (low + high) / 2, axis=1)
    return np.asarray(ranked / max(values.shape[1] - 1, 1), np.float64)


def signed_auc(ranked: Floats, label: Floats, classes: int) -> Floats:
    """The AUC of each row of ranks; below 0.5 it predicts in the opposite direction.

    `classes` is the number of classes, 0 for values. NaN where every class has too few rows.
    """
    if not classes:
        return (1.0 + _correlation(ranked, rank_rows(label[None, :])[0])) / 2.0
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


def log_odds(auc: Floats) -> Floats:
    """The log odds of an AUC regardless of direction: 0 at 0.5, 3.5 from 0.97 on.

    Capped at 0.97, since in a steady business much is nearly certain.
    """
    folded = np.clip(0.5 + np.abs(auc - 0.5), 0.5, 0.97)
    return np.asarray(np.log(folded / (1 - folded)), np.float64)


def log_odds_error(auc: Floats, label: Floats, classes: int) -> Floats:
    """The standard error of `log_odds(auc)` (Hanley and McNeil 1982; Fisher's z for values)."""
    if not classes:
        return np.full(len(auc), 2.0 / np.sqrt(max(len(label) - 3, 1)))
    rarer = _rarest_class(label, classes)
    a = np.clip(0.5 + np.abs(auc - 0.5), 0.5, 0.97)
    spread = a * (1 - a) + (rarer - 1) * (a / (2 - a) - a**2)
    spread = (spread + (rarer - 1) * (2 * a**2 / (1 + a) - a**2)) / (rarer * rarer)
    return np.asarray(np.sqrt(spread) / (a * (1 - a)), np.float64)


def _rarest_class(label: Floats, classes: int) -> int:
    """Rows of the rarest class with enough rows, or of its complement if that is smaller."""
    counts = np.bincount(label.astype(np.int64), minlength=classes)
    usable = counts[(counts >= LEAST) & (len(label) - counts >= LEAST)]
    return int(min(usable.min(initial=len(label)), len(label) - usable.max(initial=0))) or 1


def residual_correlation(columns: Floats, known: Floats, label: Floats) -> tuple[Floats, float]:
    """The partial rank correlation of each column with the outcome, given what else is known.

    All are ranks of shape (features, rows); a ridge regression on `known` is taken out of columns
    and outcome. Also returns the standard error of a correlation, net of the degrees of freedom used.
    """
    x = _standardise(known).T
    wanted = np.column_stack([_standardise(label[None, :]).T, _standardise(columns).T])
    penalty = 0.1 * len(x) * np.eye(x.shape[1])
    solved = np.linalg.solve(x.T @ x + penalty, np.column_stack([x.T @ wanted, x.T @ x]))
    left = wanted - x @ solved[:, : wanted.shape[1]]
    spent = float(np.trace(solved[:, wanted.shape[1] :]))
    correlation = _correlation(left[:, 1:].T, left[:, 0])
    return correlation, 1.0 / np.sqrt(max(len(x) - spent, 1.0))


def _standardise(values: Floats) -> Floats:
    centred = values - values.mean(axis=1, keepdims=True)
    deviation = centred.std(axis=1, keepdims=True)
    scaled = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 1e-9)
    return np.asarray(scaled, np.float64)
