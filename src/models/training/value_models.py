"""The two models of a value: its mean, which may be summed, and its median, the usual amount.

Most customers of many companies buy nothing within a horizon, so the median of their value is 0 or
close to it, and medians add up to much less than what comes. The mean is grown with the Tweedie
deviance, that of a sum of a random number of purchases (Jørgensen 1987), on multiples of the customer's
unit of spending; a factor from out-of-fold predictions sets its level.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from models.learners.calibration import Calibrator
from models.learners.cross_fitting import predict_out_of_fold
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.spend_level import SpendLevel
from models.training.hyperparameters import MIN_ROUNDS

if TYPE_CHECKING:
    from models.training.train import TrainingRows

Floats = NDArray[np.float64]

OBJECTIVE, POWER = "tweedie", 1.5
"""The variance of a value is proportional to its mean to this power; LightGBM's default for Tweedie."""


@dataclass(frozen=True)
class MeanModel:
    """Trees for the mean, the factor that sets their level, and the trees' out-of-fold multiples."""

    estimator: Estimator
    calibrator: Calibrator
    unseen: Floats


def fit_mean(
    parts: "dict[str, TrainingRows]", spend: SpendLevel, params: Params, without: tuple[str, ...]
) -> MeanModel:
    """Grow the trees of the mean on the `refit` rows; `fit` and `valid` determine their number.

    Raises DataRefused when no row is positive.
    """
    params = replace(params, objective=OBJECTIVE)
    data = {n: mean_rows(parts[n], spend) for n in ("fit", "valid", "refit")}
    first = Estimator.fit("regression", data["fit"], data["valid"], params, without)
    rounds = max(first.rounds, MIN_ROUNDS["regression"])
    final = first.refit(data["refit"], params, rounds)
    refit = parts["refit"]
    unseen = predict_out_of_fold(final, data["refit"], refit.customer, params, rounds)
    return MeanModel(final, level_factor(refit, unseen * spend.of(refit.features)), unseen)


def mean_rows(rows: "TrainingRows", spend: SpendLevel) -> LabelledRows:
    """Labels as the trees of the mean learn them: multiples of the unit, those below 0 as 0.

    The weights make the deviance of the multiples that of the money. More returned than bought is rare;
    the factor takes the money that is left out here off all customers.
    """
    unit = spend.of(rows.features)
    weight = rows.weight * (unit / unit.mean()) ** (2 - POWER)
    return LabelledRows(rows.features, np.maximum(rows.label, 0.0) / unit, weight)


def level_factor(rows: "TrainingRows", unseen: Floats) -> Calibrator:
    """The factor that makes out-of-fold predictions, in money, add up to what came."""
    predicted, actual = float(unseen @ rows.weight), float(rows.label @ rows.weight)
    if predicted <= 0 or actual <= 0:
        return Calibrator("regression")
    return Calibrator("regression", "scale", {"factor": [actual / predicted]})
