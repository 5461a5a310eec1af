"""How fast a model ages: the test of today scored by models as they were trained months ago."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from features.history.rows import DAY
from models.evaluation.bootstrap import Interval, bootstrap_jointly, percentile_interval
from models.evaluation.metrics import METRICS, PRIMARY
from models.learners.lightgbm import Estimator
from models.learners.labelled_rows import LabelledRows
from models.targets.spend_level import SpendLevel
from models.training.train import TrainingRows, TrainedTarget
from models.training_set.splits import microseconds

Floats = NDArray[np.float64]

#: Months back at which a model is trained again.
AGES = (0, 1, 3, 6, 9, 12)
MONTH = 365.25 / 12
#: The curve compares models with each other, so they may be smaller than the one that ships: from
#: at most so many rows of the same customers, in a third of the rounds with steps three times as long.
MOST_ROWS = 20_000
FASTER = 3
LEAST_ROUNDS = 20


@dataclass(frozen=True)
class ModelAge:
    """A model that is `months` old: its training rows and its primary measure on today's test.

    `loss` is how much worse it is than the model of age 0, positive when worse whichever end of the
    measure is good; `kept` is the share of the fresh model's lead over the rule that it keeps (NaN
    where there is no lead).
    """

    months: int
    rows: int
    model: Interval
    loss: Interval
    kept: float

    @property
    def worse(self) -> bool:
        """Whether it is worse than the fresh model beyond chance."""
        return self.loss.low > 0


@dataclass(frozen=True)
class Staleness:
    """The primary measure by the age of the model, beside the rule's on the same rows."""

    measure: str
    rule: float
    ages: tuple[ModelAge, ...]

    @property
    def lasts(self) -> int | None:
        """The age in months up to which the loss is within the noise.

        It ends where two ages in a row, or the last one, are worse beyond chance: one alone comes
        and goes with chance and season. None when nothing older than a fresh model could be trained.
        """
        if len(self.ages) < 2:
            return None
        for before, age, after in zip(
            self.ages, self.ages[1:], [*self.ages[2:], self.ages[-1]], strict=False
        ):
            if age.worse and after.worse:
                return before.months
        return self.ages[-1].months

    def told(self) -> str:
        """The finding in a sentence, for the age of a model."""
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
    """Score the test rows of a trained target by models of 0 to 12 months.

    A model of `a` months has seen the rows whose labels were ripe `a` months before the test, and
    grows the columns, parameters and rounds of the trained one, not calibrated. Ages stop where the
    rows left do not suffice to train.
    """
    some = _sampled(rows, trained.split.refit)
    scored: list[tuple[int, int, Floats]] = []
    for months in AGES:
        seen = some.take(some.cutoff + _span(trained) <= _test_start(trained) - _days(months))
        if not len(seen.label):
            break
        try:
            scored.append((months, len(seen.label), _predict(trained, seen)))
        except DataRefused:
            break  # and what is older still has fewer rows
    return Staleness(PRIMARY[trained.target.kind], *_measured(trained, scored))


def _measured(
    trained: TrainedTarget, scored: list[tuple[int, int, Floats]]
) -> tuple[float, tuple[ModelAge, ...]]:
    """The rule's measure, and every age with what is lost on the same drawings of customers."""
    metric, test = METRICS[PRIMARY[trained.target.kind]], trained.test
    said = [trained.predictions["rule"], *(p for *_, p in scored)]
    values, drawn = bootstrap_jointly(metric.function, test.label, said, test.weight, test.customer)
    sign = -1 if metric.higher_is_better else 1
    lead = sign * (values[0] - values[1]) if scored else 0.0
    ages = []
    for place, (months, count, _) in enumerate(scored, start=1):
        lost = (sign * (v[..., place] - v[..., 1]) + 0.0 for v in (values, drawn))  # no -0.0
        kept = float(sign * (values[0] - values[place]) / lead) if lead > 0 else float("nan")
        value = percentile_interval(values[place], drawn[:, place])
        ages.append(ModelAge(months, count, value, percentile_interval(*lost), kept))
    return float(values[0]), tuple(ages)


def _span(trained: TrainedTarget) -> int:
    return trained.target.span_days(trained.config) * DAY


def _test_start(trained: TrainedTarget) -> int:
    return microseconds(trained.split.test_start)


def _days(months: int) -> int:
    return round(months * MONTH) * DAY


def _sampled(rows: TrainingRows, refit: NDArray[np.bool_]) -> TrainingRows:
    """The rows a model may learn from, of a share of the customers when there are very many."""
    share = MOST_ROWS / max(int(refit.sum()), 1)
    if share >= 1:
        return rows.take(refit)
    chosen = np.random.default_rng(0).random(int(rows.customer.max()) + 1) < share
    return rows.take(refit & chosen[rows.customer])


def _predict(trained: TrainedTarget, seen: TrainingRows) -> Floats:
    """The test rows scored by the trained model's like, grown on what was seen by then."""
    test = trained.test.features
    params = replace(trained.params, learning_rate=FASTER * trained.params.learning_rate)
    rounds = max(trained.estimator.rounds // FASTER, LEAST_ROUNDS)
    if trained.spend is None:
        known = LabelledRows(seen.features, seen.label, seen.weight)
        return trained.estimator.refit(known, params, rounds).predict(test)
    spend = SpendLevel.fit(seen.features, trained.config.horizon_days)
    level = spend.of(seen.features)
    known = LabelledRows(seen.features, seen.label / level, seen.weight * level / level.mean())
    grown: Estimator = trained.estimator.refit(known, params, rounds)
    return grown.predict(test) * spend.of(test)
