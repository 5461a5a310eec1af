"""The recipe of a target's model: the same for the judged model, the refit, and older origins."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.learners.calibration import Calibrator
from models.learners.cross_fitting import FOLDS, predict_out_of_fold
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.spend_level import SpendLevel
from models.training.hyperparameters import MIN_ROUNDS

if TYPE_CHECKING:
    from models.training.train import TrainingRows

Floats = NDArray[np.float64]
#: A quick fit, to judge an older origin: on at most so many rows of the same customers, with a third of
#: the rounds at three times the learning rate, calibrated with two folds
#: (`benchmarks/results/origins.md`).
QUICK_ROWS, SPEED_UP, QUICK_ROUNDS, QUICK_FOLDS = 20_000, 3, 20, 2


@dataclass(frozen=True)
class FittedModel:
    """Trees with the calibration and the spending level that belong to them.

    `unseen` are calibrated predictions of the rows it learnt from, by models of other customers (for a
    value: multiples of the spending level).
    """

    estimator: Estimator
    calibrator: Calibrator
    spend: SpendLevel | None
    unseen: Floats


@dataclass(frozen=True)
class Recipe:
    """Columns (those of `first`), parameters and rounds of a target's model."""

    kind: str
    first: Estimator
    params: Params
    rounds: int
    horizon_days: int
    folds: int = FOLDS

    @classmethod
    def find(
        cls,
        kind: str,
        parts: dict[str, "TrainingRows"],
        params: Params,
        without: tuple[str, ...],
        horizon_days: int,
    ) -> "Recipe":
        """Find the number of rounds: trees on `fit` grow until `valid`, later rows, stops improving."""
        spend = None
        if kind == "regression":
            spend = SpendLevel.fit(parts["refit"].features, horizon_days)
        fit, valid = (to_labelled(parts[name], spend) for name in ("fit", "valid"))
        first = Estimator.fit(kind, fit, valid, params, without)
        return cls(kind, first, params, max(first.rounds, MIN_ROUNDS[kind]), horizon_days)

    def fit(self, rows: "TrainingRows") -> FittedModel:
        """Fit trees on rows, and their calibration on predictions of these rows by other trees.

        Those have learnt from other customers, with the same cutoffs and number of rounds: so the
        calibration belongs to these trees.
        """
        spend = None
        if self.kind == "regression":
            spend = SpendLevel.fit(rows.features, self.horizon_days)
        data = to_labelled(rows, spend)
        estimator = self.first.refit(data, self.params, self.rounds)
        unseen = predict_out_of_fold(
            estimator, data, rows.customer, self.params, self.rounds, self.folds
        )
        calibrator = Calibrator(self.kind)
        if self.kind != "regression":
            calibrator = Calibrator.fit(self.kind, unseen, rows.label, rows.weight)
        return FittedModel(estimator, calibrator, spend, calibrator.apply(unseen))

    def quick(self) -> "Recipe":
        """The recipe with fewer and larger steps, for `fit` on `quick_rows`."""
        return replace(
            self,
            params=replace(self.params, learning_rate=SPEED_UP * self.params.learning_rate),
            rounds=max(self.rounds // SPEED_UP, QUICK_ROUNDS),
            folds=QUICK_FOLDS,
        )


def quick_rows(rows: "TrainingRows") -> "TrainingRows":
    """The rows of a random share of the customers, at most about 20,000 rows."""
    share = QUICK_ROWS / max(len(rows.label), 1)
    if share >= 1:
        return rows
    chosen = np.random.default_rng(0).random(int(rows.customer.max()) + 1) < share
    return rows.take(chosen[rows.customer])


def to_labelled(rows: "TrainingRows", spend: SpendLevel | None) -> LabelledRows:
    """Labels as the trees are trained on: values as multiples of the level, weighted by it."""
    if spend is None:
        return LabelledRows(rows.features, rows.label, rows.weight)
    level = spend.of(rows.features)
    return LabelledRows(rows.features, rows.label / level, rows.weight * level / level.mean())
