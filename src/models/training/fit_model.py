"""The recipe of a target's model: the same for the judged model, the refit, and older origins."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.calibration import Calibrator
from models.learners.cross_fitting import FOLDS, predict_out_of_fold
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.spend_level import SpendLevel
from models.targets.typical_value import predict_typical
from models.training.hyperparameters import MIN_ROUNDS
from models.training.mean_value import MEAN_FOLDS, MeanRecipe

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
    value: multiples of the unit of spending). The trees of a value predict the mean, `typical` the
    median; `never_negative`: no row that it learnt from is below 0.
    """

    estimator: Estimator
    calibrator: Calibrator
    spend: SpendLevel | None
    unseen: Floats
    typical: Estimator | None = None
    never_negative: bool = False

    def predict(self, features: pa.Table) -> Floats:
        """Probabilities (n,) or (n, K), or the mean in money (n,)."""
        plain = self.estimator.predict(features)
        return self.calibrator.apply(plain * self.spend.of(features) if self.spend else plain)

    def medians(self, features: pa.Table) -> dict[str, Floats]:
        """The median of each row's value, by the name "typical"; empty for other targets."""
        if self.typical is None or self.spend is None:
            return {}
        median = predict_typical(self.typical, self.spend, features, self.never_negative)
        return {"typical": median}


@dataclass(frozen=True)
class Recipe:
    """Columns (those of `first`), parameters and rounds of a target's model; of a value, of its median.

    `mean` is the recipe of the mean of a value, None for other targets; without `intervals`, its
    predictions of unseen customers are left out (NaN).
    """

    kind: str
    first: Estimator
    params: Params
    rounds: int
    horizon_days: int
    folds: int = FOLDS
    intervals: bool = True
    mean: MeanRecipe | None = None

    @classmethod
    def find(
        cls,
        kind: str,
        parts: dict[str, "TrainingRows"],
        params: Params,
        without: tuple[str, ...],
        horizon_days: int,
    ) -> "Recipe":
        """Find the number of rounds: trees on `fit` grow until `valid`, later rows, stops improving.

        Of a value, the form of the mean too, by quick fits on `refit`.
        """
        spend, mean = None, None
        if kind == "regression":
            spend = SpendLevel.fit(parts["refit"].features, horizon_days)
            sample = quick_rows(parts["refit"])
            mean = replace(
                MeanRecipe.find(sample, spend, quick_params(params), without), params=params
            )
        fit, valid = (to_labelled(parts[name], spend) for name in ("fit", "valid"))
        first = Estimator.fit(kind, fit, valid, params, without, with_curve=True)
        rounds = max(first.rounds, MIN_ROUNDS[kind])
        return cls(kind, first, params, rounds, horizon_days, mean=mean)

    def fit(self, rows: "TrainingRows") -> FittedModel:
        """Fit trees on rows, and their calibration on predictions of these rows by other trees.

        Those have learnt from other customers, with the same cutoffs and number of rounds: so the
        calibration belongs to these trees.
        """
        if self.mean:
            return self._fit_value(rows, self.mean)
        data = to_labelled(rows, None)
        estimator = self.first.refit(data, self.params, self.rounds)
        unseen = predict_out_of_fold(
            estimator, data, rows.customer, self.params, self.rounds, self.folds
        )
        calibrator = Calibrator.fit(self.kind, unseen, rows.label, rows.weight)
        return FittedModel(estimator, calibrator, None, calibrator.apply(unseen))

    def _fit_value(self, rows: "TrainingRows", mean: MeanRecipe) -> FittedModel:
        """Fit the median and the mean of a value."""
        spend = SpendLevel.fit(rows.features, self.horizon_days)
        typical = self.first.refit(to_labelled(rows, spend), self.params, self.rounds)
        unseen = np.full(len(rows.label), np.nan)
        if self.intervals:
            money = mean.predict_unseen(rows, spend, MEAN_FOLDS)
            unseen = money / spend.of(rows.features)
        return FittedModel(
            mean.fit(rows, spend),
            Calibrator(self.kind),
            spend,
            unseen,
            typical,
            bool((rows.label >= 0).all()),
        )

    def quick(self) -> "Recipe":
        """The recipe with fewer and larger steps and one thread, for `fit` on `quick_rows`."""
        params = replace(quick_params(self.params), threads=1)
        return replace(
            self,
            params=params,
            rounds=max(self.rounds // SPEED_UP, QUICK_ROUNDS),
            folds=QUICK_FOLDS,
            intervals=False,
            mean=replace(self.mean, params=params) if self.mean else None,
        )


def quick_params(params: Params) -> Params:
    """Parameters of larger steps."""
    return replace(params, learning_rate=SPEED_UP * params.learning_rate)


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
