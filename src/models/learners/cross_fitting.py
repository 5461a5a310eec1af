"""Cross-fitting: predict training rows with models that were not trained on their customers."""

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params

Floats = NDArray[np.float64]
FOLDS = 3
#: Folds are assigned by a hash, so that new customers do not move the others to another fold.
HASH_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def assign_folds(customer: NDArray[np.int64], folds: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each customer number; all rows of a customer share a fold."""
    mixed = customer.astype(np.uint64) * HASH_MULTIPLIER
    return np.asarray((mixed >> np.uint64(33)) % np.uint64(folds), np.int64)


def predict_out_of_fold(
    first: Estimator, data: LabelledRows, customer: NDArray[np.int64], params: Params, rounds: int
) -> Floats:
    """Predict each row with a model of the other customers; same shape as `Estimator.predict`.

    Customers are split into three folds; each fold is predicted by trees trained on the other two
    with the columns of `first` and a fixed number of rounds. Errors on training rows would be too
    optimistic.

    Raises DataRefused when all customers fall into one fold.
    """
    fold = assign_folds(customer)
    predicted = np.empty_like(first.predict(data.features))
    for held in np.unique(fold):
        rest, part = fold != held, fold == held
        if not rest.any():
            raise DataRefused(
                f"{len(np.unique(customer))} customers are too few for cross-fitting; there should be "
                "at least a few dozen"
            )
        grown = first.refit(data.take(rest), params, rounds)
        predicted[part] = grown.predict(data.take(part).features)
    return predicted
