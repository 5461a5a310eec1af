"""Cross-fitting: predict training rows with models that were not trained on their customers."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from features.settings import Settings
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

FOLDS = 3
#: Folds that are drawn at random (`draw_folds`), and the smallest and largest number of rounds in them.
RANDOM_FOLDS, FEWEST_ROUNDS, MOST_ROUNDS = 5, 20, 120
#: Folds are assigned by a hash, so that new customers do not move the others to another fold.
HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def assign_folds(customer: NDArray[np.int64], folds: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each customer number; all rows of a customer share a fold."""
    mixed = customer.astype(np.uint64) * HASH_MULTIPLIER
    return np.asarray((mixed >> np.uint64(33)) % np.uint64(folds), np.int64)


def predict_out_of_fold(
    first: Estimator,
    data: LabelledRows,
    customer: NDArray[np.int64],
    params: Params,
    rounds: int,
    folds: int = FOLDS,
) -> Floats:
    """Predict each row with a model of the other customers; same shape as `Estimator.predict`.

    Customers are split into folds; each fold is predicted by trees trained on the others with the
    columns of `first` and a fixed number of rounds. Errors on training rows would be too
    optimistic.

    Raises DataRefused when all customers fall into one fold.
    """
    one_thread = replace(params, threads=1)

    def predict(rest: Mask, part: Mask) -> Floats:
        grown = first.refit(data.take(rest), one_thread, rounds)
        return grown.predict(data.take(part).features)

    return predict_folds(customer, folds, predict, params.threads)


def predict_folds(
    customer: NDArray[np.int64],
    folds: int,
    predict: Callable[[Mask, Mask], Floats],
    threads: int = 1,
) -> Floats:
    """Predict the rows of each fold of customers by `predict(rest, part)`, masks of rows.

    Folds run side by side: small trees keep one thread busier than two. Raises DataRefused when all
    customers fall into one fold.
    """
    fold = assign_folds(customer, folds)
    held = np.unique(fold)
    if len(held) < 2:
        raise DataRefused(
            f"{len(np.unique(customer))} customers are too few for cross-fitting; there should be "
            "at least a few dozen"
        )
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda one: predict(fold != one, fold == one), held))
    predicted = np.empty((len(customer), *parts[0].shape[1:]))
    for one, part in zip(held, parts, strict=True):
        predicted[fold == one] = part
    return predicted


@dataclass(frozen=True)
class CrossFittedModels:
    """One model per fold of customers, each trained on the other folds.

    `out_of_fold` is each training row's prediction by the model that was not trained on its customer.
    """

    models: tuple[Estimator, ...]
    out_of_fold: Floats

    def predict(self, features: pa.Table) -> Floats:
        """The mean prediction of the models, for rows outside the training data."""
        return np.asarray(np.mean([m.predict(features) for m in self.models], axis=0))


def draw_folds(customer: Ints, seed: int = 0) -> Ints:
    """The fold of each row, 0 to `RANDOM_FOLDS` - 1, drawn at random by customer."""
    names, position = np.unique(customer, return_inverse=True)
    drawn: Ints = np.random.default_rng(seed).permutation(len(names)) % RANDOM_FOLDS
    return drawn[position.ravel()]


def cross_fit(
    kind: str, features: pa.Table, label: Floats, learn: Mask, fold: Ints, classes: int = 1
) -> CrossFittedModels:
    """Train one model per fold on the `learn` rows of the other folds, and predict every row.

    All models use the number of rounds found by early stopping on the first fold. Raises DataRefused
    if the rows outside a fold are too few to train on.
    """
    params = Params(
        learning_rate=0.1,
        max_rounds=MOST_ROUNDS,
        early_stopping_rounds=20,
        threads=Settings().threads,
        n_classes=classes,
    )
    parts = [learn & (fold != held) for held in range(RANDOM_FOLDS)]
    rounds = _best_rounds(kind, features, label, (parts[0], learn & (fold == 0)), params)
    fixed = replace(params, max_rounds=rounds)
    models = tuple(
        Estimator.fit(kind, _select(features, label, part), None, fixed) for part in parts
    )
    out_of_fold = np.zeros((len(label), classes) if classes > 1 else len(label))
    for held, model in enumerate(models):
        out_of_fold[fold == held] = model.predict(features.filter(pa.array(fold == held)))
    return CrossFittedModels(models, out_of_fold)


def _best_rounds(
    kind: str, features: pa.Table, label: Floats, parts: tuple[Mask, Mask], params: Params
) -> int:
    """The best number of rounds for the held-out fold."""
    train, held = (_select(features, label, part) for part in parts)
    if not len(held.y):
        raise DataRefused("a fifth of the customers has no row to learn from")
    return max(FEWEST_ROUNDS, Estimator.fit(kind, train, held, params).rounds)


def _select(features: pa.Table, label: Floats, part: Mask) -> LabelledRows:
    return LabelledRows(features.filter(pa.array(part)), label[part])
