"""The mean of a customer's value, which may be summed: chance and amount, put into one model.

Most customers of many companies buy nothing within a horizon, so the median of their value is 0 or
close to it, and medians add up to much less than what comes. The mean has two parts: the chance of
spending anything, and the amount if any, learnt as a logarithm and turned back into money with Duan's
smearing factor (Duan 1983). Their product is then learnt by one model, so that its reasons add up; a
factor from predictions of unseen customers sets its level, since shrunken parts multiply to too little.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from models.learners.calibration import Calibrator
from models.learners.cross_fitting import assign_folds
from models.learners.labelled_rows import MIN_ROWS, LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.learners.prediction_intervals import recency_weight
from models.targets.spend_level import SpendLevel

if TYPE_CHECKING:
    from models.training.train import TrainingRows

Floats = NDArray[np.float64]
#: The number of rounds times the learning rate of each part (`benchmarks/value_forms.py`).
STEPS = 5.0
#: The one model: positive predictions that add up to those it learns. These have no noise, so that large
#: steps and no regularisation are right.
OBJECTIVE, LEARNING_RATE, ROUNDS = "poisson", 0.2, 100


@dataclass(frozen=True)
class TwoParts:
    """The chance of spending anything, and the amount if any: a logarithm, and the smearing factor.

    Without `chance` everybody spends. Without `amount` too few spend to tell them apart, and `smearing`
    is their mean.
    """

    chance: Estimator | None
    amount: Estimator | None
    smearing: float

    @classmethod
    def fit(cls, rows: "TrainingRows", params: Params, without: tuple[str, ...]) -> "TwoParts":
        """Fit both parts; rows below 0 count as no spending.

        Raises DataRefused where nobody spends.
        """
        spends = rows.label > 0
        if not spends.any():
            raise DataRefused(
                f"none of {len(spends):,} labels is above 0; a value needs customers who spend"
            )
        chance = None
        if not spends.all():
            data = LabelledRows(rows.features, spends.astype(float), rows.weight)
            chance = Estimator.fit("binary", data, None, _of_chance(params), without)
        value, weight = rows.label[spends], rows.weight[spends]
        if len(value) < MIN_ROWS:
            return cls(chance, None, float(np.average(value, weights=weight)))
        spenders, logs = rows.features.filter(pa.array(spends)), np.log(value)
        amount = Estimator.fit(
            "regression",
            LabelledRows(spenders, logs, weight),
            None,
            replace(params, objective="regression"),
            without,
        )
        errors = np.exp(logs - amount.predict(spenders))
        return cls(chance, amount, float(np.average(errors, weights=weight)))

    def predict(self, features: pa.Table) -> Floats:
        """The mean of each row in money; never negative."""
        mean = np.full(features.num_rows, self.smearing)
        if self.chance:
            mean *= self.chance.predict(features)
        if self.amount:
            mean *= np.exp(self.amount.predict(features))
        return mean


def _of_chance(params: Params) -> Params:
    """Like churn, the chance is a sum of many weak signals: small trees on few of the columns."""
    return Params(
        learning_rate=params.learning_rate,
        max_rounds=params.max_rounds,
        seed=params.seed,
        threads=params.threads,
    )


@dataclass(frozen=True)
class MeanModel:
    """One model of the mean, in multiples of the unit, the factor of its level, and unseen predictions.

    `unseen` are calibrated multiples of the rows it learnt from, by two parts of other customers.
    """

    estimator: Estimator
    calibrator: Calibrator
    unseen: Floats


def fit_mean(
    rows: "TrainingRows",
    spend: SpendLevel,
    params: Params,
    without: tuple[str, ...],
    folds: int,
) -> MeanModel:
    """Fit the mean of a value on rows.

    The number of rounds follows from the learning rate of `params`. Raises DataRefused where nobody
    spends.
    """
    params = replace(params, max_rounds=max(round(STEPS / params.learning_rate), 1))
    unit = spend.of(rows.features)
    taught = TwoParts.fit(rows, params, without).predict(rows.features) / unit
    data = LabelledRows(rows.features, taught, rows.weight * unit / unit.mean())
    one = replace(
        params, objective=OBJECTIVE, learning_rate=LEARNING_RATE, max_rounds=ROUNDS, l2=1.0
    )
    unseen = _predict_unseen(rows, params, without, folds)
    level = level_factor(rows, unseen)
    return MeanModel(
        Estimator.fit("regression", data, None, one, without), level, level.apply(unseen / unit)
    )


def level_factor(rows: "TrainingRows", unseen: Floats) -> Calibrator:
    """The factor that makes predictions of unseen customers, in money, add up to what came.

    Later cutoffs weigh more. Without spending there is none.
    """
    weight = rows.weight * recency_weight(rows.cutoff)
    predicted, actual = float(unseen @ weight), float(rows.label @ weight)
    if predicted <= 0 or actual <= 0:
        return Calibrator("regression")
    return Calibrator("regression", "scale", {"factor": [actual / predicted]})


def _predict_unseen(
    rows: "TrainingRows", params: Params, without: tuple[str, ...], folds: int
) -> Floats:
    """The mean of each row in money, by two parts that were fitted on other customers.

    Raises DataRefused when all customers fall into one fold.
    """
    fold = assign_folds(rows.customer, folds)
    unseen = np.empty(len(rows.label))
    for held in np.unique(fold):
        rest, part = fold != held, fold == held
        if not rest.any():
            raise DataRefused(
                f"{len(np.unique(rows.customer))} customers are too few for cross-fitting; there "
                "should be at least a few dozen"
            )
        two = TwoParts.fit(rows.take(rest), params, without)
        unseen[part] = two.predict(rows.features.filter(pa.array(part)))
    return unseen
