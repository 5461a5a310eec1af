"""Predict the value of earlier cutoffs by models that knew only what was known then.

The models are smaller than the one that ships: at most 20,000 rows, a third of the rounds with three
times the learning rate (`benchmarks/value_forms.py` shows that their sums are alike).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from features.history.history_table import DAY
from models.evaluation.sum_errors import Origin
from models.learners.lightgbm import Estimator, Params
from models.targets.spend_level import SpendLevel
from models.training.distribution_shift import shifted_columns
from models.training.value_models import OBJECTIVE, level_factor, mean_rows
from models.training_set.splits import Split, instant

if TYPE_CHECKING:
    from models.training.train import TrainingRows

Floats = NDArray[np.float64]
#: Origins before the test, and the least cutoffs and rows to learn from.
ORIGINS, MIN_CUTOFFS, MIN_ROWS = 4, 2, 500
MAX_ROWS, SPEED_UP, ROUNDS = 20_000, 3, 33


def rolling_origins(cutoff: NDArray[np.int64], span_days: int, most: int = ORIGINS) -> list[int]:
    """Cutoffs, evenly spread, with enough mature labels before them."""
    distinct, counts = np.unique(cutoff, return_counts=True)
    found = []
    for origin in distinct:
        known = distinct + span_days * DAY <= origin
        if known.sum() >= MIN_CUTOFFS and counts[known].sum() >= MIN_ROWS:
            found.append(int(origin))
    if len(found) <= most:
        return found
    return [found[i] for i in np.linspace(0, len(found) - 1, most).round().astype(int)]


def predict_origins(
    rows: "TrainingRows", span_days: int, horizon_days: int, params: Params
) -> Iterator[Origin]:
    """The customers of each origin with their expected value.

    Origins whose rows cannot be learnt from (all alike, or nobody buys) are left out.
    """
    small = small_params(params)
    for origin in rolling_origins(rows.cutoff, span_days):
        known, asked = rows.cutoff + span_days * DAY <= origin, rows.cutoff == origin
        start = instant(origin)
        part = Split(known, asked, asked, known, start, start)
        without = shifted_columns("regression", rows.features, rows.cutoff, part)
        learnt, later = sample_customers(rows.take(known)), rows.take(asked)
        try:
            predicted = predict_mean(learnt, later, horizon_days, small, without)
        except DataRefused:
            continue
        yield Origin(start.isoformat(), later.customer, later.label, predicted)


def predict_mean(
    learnt: "TrainingRows",
    later: "TrainingRows",
    horizon_days: int,
    params: Params,
    without: tuple[str, ...],
) -> Floats:
    """The expected value of later rows, by trees grown on the earlier ones, which set the level, too."""
    spend = SpendLevel.fit(learnt.features, horizon_days)
    grown = Estimator.fit("regression", mean_rows(learnt, spend), None, params, without)
    level = level_factor(learnt, grown.predict(learnt.features) * spend.of(learnt.features))
    return level.apply(grown.predict(later.features) * spend.of(later.features))


def small_params(params: Params) -> Params:
    """Parameters of a smaller model of the mean."""
    return replace(
        params,
        objective=OBJECTIVE,
        learning_rate=SPEED_UP * params.learning_rate,
        max_rounds=ROUNDS,
    )


def sample_customers(rows: "TrainingRows") -> "TrainingRows":
    """A share of the customers when there are too many rows."""
    share = MAX_ROWS / max(len(rows.label), 1)
    if share >= 1:
        return rows
    chosen = np.random.default_rng(0).random(int(rows.customer.max()) + 1) < share
    return rows.take(chosen[rows.customer])
