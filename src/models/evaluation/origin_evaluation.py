"""Judge a model at several origins: each apart, and their mean with an interval that holds both spreads.

The interval resamples origins and customers: each draw takes the same customers at every origin, since
a customer's rows at two origins are alike (the "pigeonhole" bootstrap of Owen 2007), and then origins.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.json_values import finite_or_none
from models.evaluation.bootstrap import Interval, percentile_interval
from models.evaluation.calibration_error import CalibrationError, calibration_error
from models.evaluation.metrics import (
    CALIBRATION_ERRORS,
    METRICS,
    PRIMARY,
    contestants,
    expected_level,
    judged_by,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
RESAMPLES = 100
RANK = "spearman"
#: What the origins are: moments, or where nothing has a date, parts of the customers.
MOMENTS, PARTS = "rolling origins", "parts of the customers"


@dataclass(frozen=True)
class OriginRows:
    """The tested rows of an origin: outcomes, predictions by contestant, weights and customers.

    `learnt` is the number of rows that the models of this origin learnt from.
    """

    start: str
    learnt: int
    y: Floats
    predictions: dict[str, Floats]
    weight: Floats
    customer: Ints


@dataclass(frozen=True)
class OriginEvaluation:
    """One origin: `metrics[contestant][metric]`, and the mean prediction and outcome.

    Means are of the probability, of the class number, or of the value. `excess` is the calibration
    error beyond chance, None for a value.
    """

    start: str
    learnt: int
    rows: int
    customers: int
    metrics: dict[str, dict[str, float]]
    predicted: float
    actual: float
    excess: float | None


@dataclass(frozen=True)
class OriginsEvaluation:
    """All origins, the latest first, and the mean of each metric over them with its interval.

    `gains` are the improvements over rule and linear model in the primary metric, `rank_gain` that over
    the rule in the rank correlation of a value, None for other targets. `level` is the mean
    outcome less the mean prediction, over the origins: by how much the level of a prediction is off
    when the base rate changes. `named` is what the origins are: moments, or parts of the customers.
    """

    primary: str
    each: tuple[OriginEvaluation, ...]
    metrics: dict[str, dict[str, Interval]]
    gains: dict[str, Interval]
    level: Interval
    rank_gain: Interval | None = None
    named: str = MOMENTS

    @property
    def level_error(self) -> float:
        """The root mean square of the level's error over the origins."""
        return float(np.sqrt(np.mean([(o.actual - o.predicted) ** 2 for o in self.each])))

    def to_dict(self) -> dict[str, Any]:
        """The evaluation as JSON holds it; undefined values are None."""
        return {**finite_or_none(asdict(self)), "level_error": self.level_error}


def evaluate_origins(
    kind: str, origins: tuple[OriginRows, ...], seed: int = 0, named: str = MOMENTS
) -> OriginsEvaluation:
    """Judge the predictions at all `origins` (at least one): the model by all metrics of its kind.

    Rule and linear model are compared in the primary metric only, those of a value also by rank.
    """
    primary = PRIMARY[kind]
    compared = {primary, RANK}
    draws = _customer_draws(origins, seed)
    errors = None if kind == "regression" else [_calibration(origin) for origin in origins]
    pick = np.random.default_rng(seed).integers(0, len(origins), (RESAMPLES, len(origins)))
    found = {
        who: {
            name: _scattered(errors)
            if errors and name in CALIBRATION_ERRORS
            else _measured(name, who, origins, draws)
            for name, metric in METRICS.items()
            if kind in metric.kinds and (who == "model" or name in compared)
        }
        for who in contestants(origins[0].predictions)
    }
    level = _resample(origins, draws, _level)
    return OriginsEvaluation(
        primary,
        tuple(
            _one(origin, place, found, errors[place].excess if errors else None)
            for place, origin in enumerate(origins)
        ),
        {who: {n: _pool(m, pick) for n, m in of.items()} for who, of in found.items()},
        {rival: _gain(primary, found, rival, pick) for rival in found if rival != "model"},
        _pool(level, pick),
        _gain(RANK, found, "rule", pick) if kind == "regression" else None,
        named,
    )


def _gain(name: str, found: dict[str, dict[str, "_Resampled"]], rival: str, pick: Ints) -> Interval:
    """The improvement of the model over a rival in a metric; positive when it is better."""
    sign = 1.0 if METRICS[name].higher_is_better else -1.0
    pairs = zip(found["model"][name], found[rival][name], strict=True)
    return _pool(_Resampled(*(sign * (a - b) for a, b in pairs)), pick)


class _Resampled(NamedTuple):
    """A number at each origin (k,), and in each resample of the customers (n, k)."""

    values: Floats
    resampled: Floats


Measure = Callable[[OriginRows, Ints], float]


def _customer_draws(origins: tuple[OriginRows, ...], seed: int) -> list[list[Ints]]:
    """The rows of each origin in each resample; a customer is drawn equally often at every origin."""
    names, code = np.unique(np.concatenate([o.customer for o in origins]), return_inverse=True)
    codes = np.split(code.ravel(), np.cumsum([len(o.y) for o in origins])[:-1])
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(RESAMPLES):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))
        draws.append([np.repeat(np.arange(len(c)), times[c]) for c in codes])
    return draws


def _measured(
    name: str, who: str, origins: tuple[OriginRows, ...], draws: list[list[Ints]]
) -> _Resampled:
    """A metric of one contestant."""
    metric = METRICS[name].function
    return _resample(
        origins,
        draws,
        lambda o, r: metric(o.y[r], judged_by(name, o.predictions, who)[r], o.weight[r]),
    )


def _calibration(origin: OriginRows) -> CalibrationError:
    """The model's calibration error."""
    model = origin.predictions["model"]
    return calibration_error(origin.y, model, origin.weight, groups=origin.customer)


def _scattered(errors: list[CalibrationError]) -> _Resampled:
    """Calibration errors with the scatter of their excess; a plain resample would be biased."""
    values = np.array([e.error for e in errors])
    spread = np.array([(e.excess_high - e.excess_low) / (2 * 1.96) for e in errors])
    noise = np.random.default_rng(0).normal(size=(RESAMPLES, len(errors)))
    return _Resampled(values, values + spread * noise)


def _resample(
    origins: tuple[OriginRows, ...], draws: list[list[Ints]], measure: Measure
) -> _Resampled:
    values = np.array([measure(o, np.arange(len(o.y))) for o in origins])
    resampled = np.array([[measure(o, r) for o, r in zip(origins, d, strict=True)] for d in draws])
    return _Resampled(values, resampled)


def _level(origin: OriginRows, rows: Ints) -> float:
    """The mean outcome less the mean prediction."""
    expected = _expected(origin.predictions["model"])[rows]
    return float(np.average(origin.y[rows] - expected, weights=origin.weight[rows]))


def _expected(prediction: Floats) -> Floats:
    return prediction if prediction.ndim == 1 else expected_level(prediction)


def _pool(found: _Resampled, pick: Ints) -> Interval:
    """The mean over origins, with the spread between origins and between customers in its interval.

    Resampling k origins shows only (k - 1) / k of their variance, which is put right.
    """
    count = len(found.values)
    customers = found.resampled.mean(axis=1)
    between = np.take_along_axis(found.resampled, pick, axis=1).mean(axis=1) - customers
    wider = np.sqrt(count / (count - 1)) if count > 1 else 0.0
    return percentile_interval(float(found.values.mean()), customers + wider * between)


def _one(
    origin: OriginRows, place: int, found: dict[str, dict[str, _Resampled]], excess: float | None
) -> OriginEvaluation:
    """The evaluation of the origin at a place of `found`."""
    return OriginEvaluation(
        origin.start,
        origin.learnt,
        len(origin.y),
        len(np.unique(origin.customer)),
        {who: {n: float(m.values[place]) for n, m in of.items()} for who, of in found.items()},
        float(np.average(_expected(origin.predictions["model"]), weights=origin.weight)),
        float(np.average(origin.y, weights=origin.weight)),
        excess,
    )
