"""Evaluate a model against its baseline rule and grade it A, B or C."""

import json
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from models.evaluation.bootstrap import Interval, bootstrap, paired_difference
from models.evaluation.metrics import METRICS, PRIMARY

Array = np.ndarray

GRADES = {
    "A": "better than the rule, beyond chance",
    "B": "better than the rule, within the noise",
    "C": "not better than the rule",
}


@dataclass(frozen=True)
class ModelEvaluation:
    """All metrics of the model and its baselines on the same test rows, and the grade of the model.

    `metrics[name][metric]`; `gain` is the improvement over the rule in the primary metric, positive
    when the model is better, whether high or low values are good.
    """

    kind: str
    rows: int
    customers: int
    primary: str
    metrics: dict[str, dict[str, Interval]]
    gain: Interval
    grade: str
    reason: str

    def to_json(self) -> str:
        """The evaluation as JSON text; undefined values are null."""
        return json.dumps(_finite_or_none(asdict(self)), ensure_ascii=False, indent=1)

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

    `predictions` includes "model" and "rule"; `groups` are the customers, resampled as a whole for
    the intervals. A: the 95% interval of the gain is above 0; B: the gain is positive; C: neither.
    """
    names = metric_names(kind)
    check_predictions(y, predictions)
    if groups is not None:  # numbers, so that strings are sorted only once
        groups = np.unique(groups, return_inverse=True)[1].ravel()
    metrics = {
        contestant: {
            name: bootstrap(METRICS[name].function, y, p, weight, groups=groups, seed=seed)
            for name in names
        }
        for contestant, p in predictions.items()
    }
    rivals = (predictions["model"], predictions["rule"])
    gain = paired_gain(PRIMARY[kind], y, rivals, (weight, groups), seed)
    grade = "A" if gain.low > 0 else "B" if gain.value > 0 else "C"
    customers = len(y) if groups is None else len(np.unique(groups))
    reason = f"{GRADES[grade]}: {_compared(PRIMARY[kind], metrics, gain)}"
    return ModelEvaluation(kind, len(y), customers, PRIMARY[kind], metrics, gain, grade, reason)


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


def _finite_or_none(value: object) -> object:
    if isinstance(value, dict):
        return {name: _finite_or_none(part) for name, part in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
