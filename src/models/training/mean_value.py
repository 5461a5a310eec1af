"""The mean of a customer's value, which may be summed: chance and amount, put into one model.

Most customers of many companies buy nothing within a horizon, so the median of their value is 0 or
close to it, and medians add up to much less than what comes. The mean has two parts: the chance of
spending anything, and the amount if any, learnt as a logarithm and turned back into money with Duan's
smearing factor (Duan 1983). Their product is then learnt by one model, so that its reasons add up.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from models.learners.cross_fitting import assign_folds
from models.learners.labelled_rows import MIN_ROWS, LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.spend_level import SpendLevel

if TYPE_CHECKING:
    from models.training.train import TrainingRows

Floats = NDArray[np.float64]
#: The objective of the one model: its predictions are positive, and add up to those that it learns.
OBJECTIVE = "poisson"
#: The number of rounds times the learning rate, as measured by `benchmarks/value_forms.py`.
STEPS = 5.0


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
    """One model of the mean, in multiples of the unit, and the same for rows of unseen customers."""

    estimator: Estimator
    unseen: Floats


def fit_mean(
    rows: "TrainingRows",
    spend: SpendLevel,
    params: Params,
    without: tuple[str, ...],
    folds: int,
) -> MeanModel:
    """Fit the mean of a value on rows; `unseen` are predictions by two parts of other customers.

    The number of rounds follows from the learning rate of `params`. Raises DataRefused where nobody
    spends.
    """
    params = replace(params, max_rounds=max(round(STEPS / params.learning_rate), 1))
    unit = spend.of(rows.features)
    taught = TwoParts.fit(rows, params, without).predict(rows.features) / unit
    data = LabelledRows(rows.features, taught, rows.weight * unit / unit.mean())
    one = Estimator.fit("regression", data, None, replace(params, objective=OBJECTIVE), without)
    return MeanModel(one, _predict_unseen(rows, params, without, folds) / unit)


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
