"""Measure staleness: how much worse a model predicts today's test rows when trained months earlier."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.config.snapshot_settings import NO_DATES
from features.errors import DataRefused
from features.history.history_table import DAY
from models.evaluation.bootstrap import Interval, bootstrap_jointly, percentile_interval
from models.evaluation.metrics import METRICS, PRIMARY
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator
from models.targets.spend_level import SpendLevel
from models.training.train import TrainedTarget, TrainingRows
from models.training_set.splits import microseconds

Floats = NDArray[np.float64]

#: Ages in months at which a model is trained.
AGES = (0, 1, 3, 6, 9, 12)
MONTH = 365.25 / 12
#: The curve compares models with each other, so they can be smaller than the registered model: trained
#: on at most this many rows, with a third of the rounds and three times the learning rate.
MAX_ROWS = 20_000
SPEED_UP = 3
MIN_ROUNDS = 20


@dataclass(frozen=True)
class ModelAge:
    """A model that is `months` old: its training rows and its primary metric on today's test rows.

    `loss` is the metric's loss against the model of age 0, positive when worse; `kept` is the share
    of the fresh model's lead over the rule that remains (NaN where there is no lead).
    """

    months: int
    rows: int
    model: Interval
    loss: Interval
    kept: float

    @property
    def worse(self) -> bool:
        """Whether the model is worse than the fresh model beyond chance."""
        return self.loss.low > 0


@dataclass(frozen=True)
class Staleness:
    """The primary metric by the age of the model, and that of the rule on the same rows.

    `obstacle` says why a model of these data has no age, None where it has.
    """

    measure: str
    rule: float
    ages: tuple[ModelAge, ...]
    obstacle: str | None = None

    @property
    def lasts(self) -> int | None:
        """The age in months up to which the loss is within the noise.

        It ends where two consecutive ages, or the last one, are worse beyond chance; a single one
        may be chance or season. None when no older model could be trained.
        """
        if len(self.ages) < 2:
            return None
        for before, age, after in zip(
            self.ages, self.ages[1:], [*self.ages[2:], self.ages[-1]], strict=False
        ):
            if age.worse and after.worse:
                return before.months
        return self.ages[-1].months

    def describe(self) -> str:
        """The result in a sentence."""
        if self.obstacle:
            return f"cannot be measured: {self.obstacle}"
        if self.lasts is None:
            return "the history is too short to train an older model"
        if self.lasts == self.ages[-1].months:
            return f"as good as a fresh model for {self.lasts} months and more, within the noise"
        after = next(age.months for age in self.ages if age.months > self.lasts)
        if not self.lasts:
            return f"worse than a fresh model beyond chance from month {after} on"
        return f"as good as a fresh model for {_months(self.lasts)}, worse from month {after} on"


def _months(number: int) -> str:
    return "a month" if number == 1 else f"{number} months"


def measure_staleness(trained: TrainedTarget, rows: TrainingRows) -> Staleness:
    """Score the test rows of a trained target with models that are 0 to 12 months old.

    A model of age `a` is trained on the rows whose labels were mature `a` months before the test, with
    the columns and parameters of the trained model, uncalibrated. Stops at the first age with too few
    rows.
    """
    if trained.config.is_snapshot:
        return Staleness(PRIMARY[trained.target.kind], float("nan"), (), NO_DATES)
    sample = _sampled(rows, trained.split.refit)
    scored: list[tuple[int, int, Floats]] = []
    for months in AGES:
        known = sample.take(sample.cutoff + _span(trained) <= _test_start(trained) - _days(months))
        if not len(known.label):
            break
        try:
            scored.append((months, len(known.label), _predict(trained, known)))
        except DataRefused:
            break  # older models have even fewer rows
    return Staleness(PRIMARY[trained.target.kind], *_measured(trained, scored))


def _measured(
    trained: TrainedTarget, scored: list[tuple[int, int, Floats]]
) -> tuple[float, tuple[ModelAge, ...]]:
    """The metric of the rule, and the loss of each age on the same resamples of customers."""
    metric, test = METRICS[PRIMARY[trained.target.kind]], trained.test
    predictions = [trained.predictions["rule"], *(p for *_, p in scored)]
    values, resampled = bootstrap_jointly(
        metric.function, test.label, predictions, test.weight, test.customer
    )
    sign = -1 if metric.higher_is_better else 1
    lead = sign * (values[0] - values[1]) if scored else 0.0
    ages = []
    for place, (months, count, _) in enumerate(scored, start=1):
        lost = (sign * (v[..., place] - v[..., 1]) + 0.0 for v in (values, resampled))  # no -0.0
        kept = float(sign * (values[0] - values[place]) / lead) if lead > 0 else float("nan")
        value = percentile_interval(values[place], resampled[:, place])
        ages.append(ModelAge(months, count, value, percentile_interval(*lost), kept))
    return float(values[0]), tuple(ages)


def _span(trained: TrainedTarget) -> int:
    return trained.target.span_days(trained.config) * DAY


def _test_start(trained: TrainedTarget) -> int:
    return microseconds(trained.split.test_start)


def _days(months: int) -> int:
    return round(months * MONTH) * DAY


def _sampled(rows: TrainingRows, refit: NDArray[np.bool_]) -> TrainingRows:
    """The training rows, limited to a share of the customers when there are too many."""
    share = MAX_ROWS / max(int(refit.sum()), 1)
    if share >= 1:
        return rows.take(refit)
    chosen = np.random.default_rng(0).random(int(rows.customer.max()) + 1) < share
    return rows.take(refit & chosen[rows.customer])


def _predict(trained: TrainedTarget, known: TrainingRows) -> Floats:
    """Score the test rows with a model like the trained one, trained on the rows known at the time."""
    test = trained.test.features
    params = replace(trained.params, learning_rate=SPEED_UP * trained.params.learning_rate)
    grown_before = trained.typical or trained.estimator  # the primary metric judges the median
    rounds = max(grown_before.rounds // SPEED_UP, MIN_ROUNDS)
    if trained.spend is None:
        data = LabelledRows(known.features, known.label, known.weight)
        return grown_before.refit(data, params, rounds).predict(test)
    spend = SpendLevel.fit(known.features, trained.config.horizon_days)
    level = spend.of(known.features)
    data = LabelledRows(known.features, known.label / level, known.weight * level / level.mean())
    grown: Estimator = grown_before.refit(data, params, rounds)
    return grown.predict(test) * spend.of(test)
