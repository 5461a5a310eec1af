"""Predictions for training rows by models that have not seen their customers."""

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.learners.lightgbm import Estimator, Params
from models.learners.labelled_rows import LabelledRows

Floats = NDArray[np.float64]
FOLDS = 3
#: Customers are dealt to the folds by a hash, so that more customers leave the others where they are.
MIX = np.uint64(0x9E3779B97F4A7C15)


def assign_folds(customer: NDArray[np.int64], folds: int = FOLDS) -> NDArray[np.int64]:
    """The fold of each customer number, the same for all of a customer's rows."""
    mixed = customer.astype(np.uint64) * MIX
    return np.asarray((mixed >> np.uint64(33)) % np.uint64(folds), np.int64)


def predict_out_of_fold(
    first: Estimator, data: LabelledRows, customer: NDArray[np.int64], params: Params, rounds: int
) -> Floats:
    """What models of the other customers predict for each row: as `Estimator.predict`.

    The customers are dealt to three folds; every fold is predicted by trees grown on the other two
    with the columns of `first` and a fixed number of rounds. A model's errors on rows it has
    learnt from are too small to say how wrong it is about others.

    Raises DataRefused when all customers are dealt to one fold.
    """
    fold = assign_folds(customer)
    made = np.empty_like(first.predict(data.features))
    for held in np.unique(fold):
        rest, part = fold != held, fold == held
        if not rest.any():
            raise DataRefused(
                f"{len(np.unique(customer))} customers are too few to judge a model on others; at least "
                "a few dozen are needed"
            )
        grown = first.refit(data.take(rest), params, rounds)
        made[part] = grown.predict(data.take(part).features)
    return made
