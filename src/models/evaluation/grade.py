"""Evaluate a model against its baseline rule and grade it A, B or C."""

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from features.json_values import finite_or_none
from models.evaluation.bootstrap import Interval, bootstrap, paired_difference
from models.evaluation.calibration_error import calibration_error
from models.evaluation.metrics import (
    CALIBRATION_ERRORS,
    METRICS,
    PRIMARY,
    contestants,
    judged_by,
)
from models.evaluation.origin_evaluation import OriginsEvaluation

Array = np.ndarray

GRADES = {
    "A": "better than the baseline rule, beyond chance",
    "B": "better than the baseline rule, within the noise",
    "C": "not better than the baseline rule",
}
#: Added to the reason of a model that would be graded A: a simpler model does as well.
NOT_BETTER_THAN_LINEAR = "not better than the linear model, so at most B"


@dataclass(frozen=True)
class ModelEvaluation:
    """All metrics of the model and its baselines on the same test rows, and the grade of the model.

    `metrics[name][metric]`; `gain` is the improvement over the rule in the primary metric, positive
    when the model is better, whether high or low values are good (over all origins, see
    `grade_over_origins`); `gain_over_linear` is the same over the linear model, None without one.
    """

    kind: str
    rows: int
    customers: int
    primary: str
    metrics: dict[str, dict[str, Interval]]
    gain: Interval
    grade: str
    reason: str
    gain_over_linear: Interval | None = None

    def to_json(self) -> str:
        """The evaluation as JSON text; undefined values are null."""
        return json.dumps(finite_or_none(asdict(self)), ensure_ascii=False, indent=1)

    def interval_rows(self) -> list[dict[str, Any]]:
        """One row per measure and contestant, with the 95% interval; None where undefined."""
        return [
            {"measure": measure, "contestant": who}
            | {name: finite_or_none(float(f"{n:.4g}")) for name, n in asdict(interval).items()}
            | {"better": _better(measure)}
            for who, measures in self.metrics.items()
            for measure, interval in measures.items()
        ]

    def table(self) -> pd.DataFrame:
        """One row per metric, one column per model or baseline: value and 95% interval as text."""
        columns = {
            name: {metric: format_interval(value) for metric, value in values.items()}
            for name, values in self.metrics.items()
        }
        table = pd.DataFrame(columns)
        table.insert(0, "better", [_better(m) for m in table.index])
        return table.rename_axis("measure")


def _better(metric: str) -> str:
    """Which values of a metric are good: "high", "low", or the best one."""
    if METRICS[metric].best is not None:
        return f"{METRICS[metric].best:g}"
    return "high" if METRICS[metric].higher_is_better else "low"


def metric_names(kind: str) -> list[str]:
    """The metrics of a kind of target, the primary one first; ValueError for an unknown kind."""
    if kind not in PRIMARY:
        raise ValueError(f"unknown kind {kind!r}; it should be one of {list(PRIMARY)}")
    names = [name for name, metric in METRICS.items() if kind in metric.kinds]
    return sorted(names, key=lambda name: name != PRIMARY[kind])


def evaluate_model(
    kind: str,
    y: Array,
    predictions: dict[str, Array],
    weight: Array | None = None,
    groups: Array | None = None,
    seed: int = 0,
) -> ModelEvaluation:
    """Compute the metrics of all `predictions` and grade the model against the rule.

    `predictions` includes "model" and "rule", of a value also the median ("typical"); `groups` are the
    customers, resampled as a whole for the intervals. A: the 95% interval of the gain is above 0, and
    the model beats the "linear" one, where there is one; B: the gain is positive; C: it is not.
    """
    check_predictions(y, predictions)
    if groups is not None:  # numbers, so that strings are sorted only once
        groups = np.unique(groups, return_inverse=True)[1].ravel()
    measured = (weight, groups)
    metrics = {
        who: {
            name: _interval(name, y, judged_by(name, predictions, who), measured, seed)
            for name in metric_names(kind)
        }
        for who in contestants(predictions)
    }
    gains: dict[str, Interval] = {
        rival: paired_gain(
            PRIMARY[kind],
            y,
            (judged_by(PRIMARY[kind], predictions), predictions[rival]),
            measured,
            seed,
        )
        for rival in ("rule", "linear")
        if rival in predictions
    }
    grade, reason = _grade(PRIMARY[kind], metrics, gains)
    customers = len(y) if groups is None else len(np.unique(groups))
    return ModelEvaluation(
        kind, len(y), customers, PRIMARY[kind], metrics, gains["rule"], grade, reason,
        gains.get("linear"),
    )  # fmt: skip


def _interval(
    name: str, y: Array, p: Array, weight_and_groups: tuple[Array | None, Array | None], seed: int
) -> Interval:
    """A metric with its interval; that of a calibration error is freed of the bootstrap's bias."""
    weight, groups = weight_and_groups
    if name in CALIBRATION_ERRORS:
        return calibration_error(y, p, weight, groups=groups, seed=seed).interval
    return bootstrap(METRICS[name].function, y, p, weight, groups=groups, seed=seed)


def _grade(
    primary: str, metrics: dict[str, dict[str, Interval]], gains: dict[str, Interval]
) -> tuple[str, str]:
    """The grade by the gains over rule and linear model, and its reason."""
    gain, linear = gains["rule"], gains.get("linear")
    grade = "A" if gain.low > 0 else "B" if gain.value > 0 else "C"
    reason = f"{GRADES[grade]}: {_compared(primary, metrics, gain)}"
    if grade != "C" and linear is not None and not linear.value > 0:
        return "B", f"{reason}; {NOT_BETTER_THAN_LINEAR}: {format_interval(linear, sign='+')}"
    return grade, reason


def grade_over_origins(evaluation: ModelEvaluation, origins: OriginsEvaluation) -> ModelEvaluation:
    """Grade an evaluation by the mean gain over all origins, instead of that on its own test rows."""
    grade, reason = _grade(origins.primary, origins.metrics, origins.gains)
    if len(origins.each) > 1:
        reason = f"{reason}; mean over {len(origins.each)} {origins.named}"
    linear = origins.gains.get("linear")
    return replace(
        evaluation, gain=origins.gains["rule"], gain_over_linear=linear, grade=grade, reason=reason
    )


def paired_gain(
    name: str,
    y: Array,
    rivals: tuple[Array, Array],
    weight_and_groups: tuple[Array | None, Array | None],
    seed: int,
) -> Interval:
    """How much better the first rival is than the second in a metric; positive when better."""
    metric = METRICS[name]
    first, second = rivals if metric.higher_is_better else rivals[::-1]
    weight, groups = weight_and_groups
    return paired_difference(metric.function, y, first, second, weight, groups=groups, seed=seed)


def check_predictions(y: Array, predictions: dict[str, Array]) -> None:
    """Raise ValueError unless every row has one finite prediction."""
    for name, prediction in predictions.items():
        bad = int((~np.isfinite(prediction)).sum())
        if len(prediction) != len(y) or bad:
            raise ValueError(
                f"{name}: {len(prediction)} predictions, {bad} numbers not finite, for {len(y)} rows; "
                "each row needs one finite prediction"
            )


def _compared(name: str, metrics: dict[str, dict[str, Interval]], gain: Interval) -> str:
    model, rule = metrics["model"][name].value, metrics["rule"][name].value
    return f"{name} {model:.4g} against {rule:.4g}, gain {format_interval(gain, sign='+')}"


def format_interval(interval: Interval, sign: str = "") -> str:
    """A value and its 95% interval as text: "0.812 (0.790 to 0.833)"."""
    if not np.isfinite(interval.value):
        return "undefined"
    parts = (interval.value, interval.low, interval.high)
    value, low, high = (format(part, f"{sign},.{_places(interval.value)}f") for part in parts)
    return f"{value} ({low} to {high})"


def _places(value: float) -> int:
    """Decimals that leave about three significant digits."""
    return 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0
