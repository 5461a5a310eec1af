"""Predictions for rows by models that have not seen their customers: cross-fitting."""

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

FOLDS = 5
#: Boosting goes on for at least so many rounds, and at the most for so many.
FEWEST_ROUNDS, MOST_ROUNDS = 20, 120


@dataclass(frozen=True)
class CrossFittedModels:
    """Models of all but one fold of customers each, and what each says of the fold it has not seen."""

    models: tuple[Estimator, ...]
    unseen: Floats

    def of(self, features: pa.Table) -> Floats:
        """The mean prediction of the models, for rows that none has seen."""
        return np.asarray(np.mean([m.predict(features) for m in self.models], axis=0))


def draw_folds(customer: Ints, seed: int = 0) -> Ints:
    """The fold of each row, 0 to `FOLDS` - 1, drawn at random by customer."""
    names, place = np.unique(customer, return_inverse=True)
    drawn: Ints = np.random.default_rng(seed).permutation(len(names)) % FOLDS
    return drawn[place.ravel()]


def cross_fit(
    kind: str, features: pa.Table, label: Floats, learn: Mask, fold: Ints, classes: int = 1
) -> CrossFittedModels:
    """Fit on the rows to learn from, a fold of customers held out in turn; predict every row.

    The number of rounds is found once, with the first fold as the judge, and is the same for all.
    Raises DataRefused when what is left after holding out a fold cannot be learnt from.
    """
    params = Params(
        learning_rate=0.1,
        max_rounds=MOST_ROUNDS,
        early_stopping_rounds=20,
        threads=Settings().threads,
        n_classes=classes,
    )
    parts = [learn & (fold != held) for held in range(FOLDS)]
    rounds = _rounds(kind, features, label, (parts[0], learn & (fold == 0)), params)
    fixed = replace(params, max_rounds=rounds)
    models = tuple(
        Estimator.fit(kind, _labelled(features, label, part), None, fixed) for part in parts
    )
    unseen = np.zeros((len(label), classes) if classes > 1 else len(label))
    for held, model in enumerate(models):
        unseen[fold == held] = model.predict(features.filter(pa.array(fold == held)))
    return CrossFittedModels(models, unseen)


def _rounds(
    kind: str, features: pa.Table, label: Floats, parts: tuple[Mask, Mask], params: Params
) -> int:
    """How many rounds are best for the fold that was held out."""
    train, held = (_labelled(features, label, part) for part in parts)
    if not len(held.y):
        raise DataRefused("a fifth of the customers holds no row to learn from")
    return max(FEWEST_ROUNDS, Estimator.fit(kind, train, held, params).rounds)


def _labelled(features: pa.Table, label: Floats, part: Mask) -> LabelledRows:
    return LabelledRows(features.filter(pa.array(part)), label[part])
