"""The mean of a customer's value, which may be summed: in one part or in two.

Most customers of many companies buy nothing within a horizon, so the median of their value is 0 or
close to it, and medians add up to much less than what comes. The mean is learnt in one of two forms:

- one part: the Poisson deviance of multiples of the customer's unit of spending, whose predictions are
  positive and add up to the labels;
- two parts: the chance of spending anything, and the amount if any, learnt as a logarithm and turned
  back into money with Duan's smearing factor (Duan 1983). Their product is then learnt by one model, so
  that its reasons add up.

Two parts are better where few customers buy, one part where most do: the form with the smaller squared
error for unseen customers is taken (`benchmarks/value_forms.py`).
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from models.evaluation.metrics import rmse
from models.learners.cross_fitting import predict_folds
from models.learners.labelled_rows import MIN_ROWS, LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.spend_level import SpendLevel

if TYPE_CHECKING:
    from models.training.train import TrainingRows

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
OBJECTIVE = "poisson"
#: The number of rounds of one part, and of each of two, at twice the learning rate of the median, whose
#: error on single customers needs finer steps than a sum.
ONE_PART, EACH_PART, SPEED_UP = 100, 50, 2
#: The model that learns the product of two parts, which has no noise: large steps, hardly regularised.
LEARNING_RATE, ROUNDS, L2 = 0.2, 100, 1.0
#: Folds of customers, to choose the form and for the intervals.
MEAN_FOLDS = 2


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
            raise DataRefused(nobody_spends(len(spends)))
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
class MeanRecipe:
    """How the mean of a value is learnt: in one part or in two, with which trees and columns."""

    two_parts: bool
    params: Params
    without: tuple[str, ...]

    @classmethod
    def find(
        cls, rows: "TrainingRows", spend: SpendLevel, params: Params, without: tuple[str, ...]
    ) -> "MeanRecipe":
        """The form with the smaller squared error for customers whom it has not seen.

        Raises DataRefused where nobody spends.
        """
        forms = [cls(two, params, without) for two in (False, True)]
        errors = [
            rmse(rows.label, form.predict_unseen(rows, spend, MEAN_FOLDS), rows.weight)
            for form in forms
        ]
        return forms[int(np.argmin(errors))]

    def fit(self, rows: "TrainingRows", spend: SpendLevel) -> Estimator:
        """Fit the one model that serves, in multiples of the unit."""
        if not self.two_parts:
            return self._fit_one_part(rows, spend)
        unit = spend.of(rows.features)
        taught = self._fit_two_parts(rows).predict(rows.features) / unit
        data = LabelledRows(rows.features, taught, rows.weight * unit / unit.mean())
        params = replace(
            self.params,
            objective=OBJECTIVE,
            learning_rate=LEARNING_RATE,
            max_rounds=ROUNDS,
            l2=L2,
        )
        return Estimator.fit("regression", data, None, params, self.without)

    def predict_unseen(self, rows: "TrainingRows", spend: SpendLevel, folds: int) -> Floats:
        """The mean of each row in money, by models that were fitted on other customers.

        Raises DataRefused when all customers fall into one fold.
        """
        alone = replace(self, params=replace(self.params, threads=1))

        def predict(rest: Mask, part: Mask) -> Floats:
            known, features = rows.take(rest), rows.features.filter(pa.array(part))
            if self.two_parts:
                return alone._fit_two_parts(known).predict(features)
            return np.asarray(
                alone._fit_one_part(known, spend).predict(features) * spend.of(features)
            )

        return predict_folds(rows.customer, folds, predict, self.params.threads)

    def _fit_one_part(self, rows: "TrainingRows", spend: SpendLevel) -> Estimator:
        """Rows below 0 count as 0: more returned than bought is rare."""
        unit = spend.of(rows.features)
        multiple = np.maximum(rows.label, 0.0) / unit
        if not multiple.any():
            raise DataRefused(nobody_spends(len(multiple)))
        data = LabelledRows(rows.features, multiple, rows.weight * unit / unit.mean())
        params = replace(self._params(ONE_PART), objective=OBJECTIVE)
        return Estimator.fit("regression", data, None, params, self.without)

    def _fit_two_parts(self, rows: "TrainingRows") -> TwoParts:
        return TwoParts.fit(rows, self._params(EACH_PART), self.without)

    def _params(self, rounds: int) -> Params:
        """The parameters with larger steps; the more rounds, the smaller the steps of `params` are."""
        rate = self.params.learning_rate
        fewer = max(round(rounds * Params.learning_rate / rate), 1)
        return replace(self.params, learning_rate=SPEED_UP * rate, max_rounds=fewer)


def nobody_spends(rows: int) -> str:
    """Why the mean of a value cannot be learnt."""
    return f"none of {rows:,} labels is above 0; a value needs customers who spend"
