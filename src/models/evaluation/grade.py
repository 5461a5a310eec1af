"""Whether a model is worth more than the rule the business already has."""

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
    """Every measure of every contestant on the same later rows, and the grade of the model.

    `metrics[contestant][measure]`; `gain` is how much better the model is than the rule in the
    primary measure, positive when better whichever end of the measure is good.
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
        """All of it as JSON text; what is undefined is null."""
        return json.dumps(_plain(asdict(self)), ensure_ascii=False, indent=1)

    def table(self) -> pd.DataFrame:
        """A row for each measure, a column for each contestant: value and 95 % interval as text."""
        columns = {
            name: {metric: _shown(value) for metric, value in values.items()}
            for name, values in self.metrics.items()
        }
        table = pd.DataFrame(columns)
        table.insert(0, "better", ["high" if METRICS[m][1] else "low" for m in table.index])
        return table.rename_axis("measure")


@dataclass(frozen=True)
class ChampionComparison:
    """Whether the challenger replaces the champion, by how much it is better, and why."""

    better: bool
    gain: Interval
    reason: str

    def __bool__(self) -> bool:
        return self.better


def metric_names(kind: str) -> list[str]:
    """The measures of a kind of target, the primary one first; ValueError for another kind."""
    if kind not in PRIMARY:
        raise ValueError(f"kind {kind!r} is not known; it should be one of {list(PRIMARY)}")
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
    """Measure the model, the rule and whoever else is among `predictions`, and grade the model.

    `predictions` holds "model" and "rule"; `groups` are the customers, drawn whole for the
    intervals. A: the 95 % interval of the gain lies above 0; B: the gain is positive; C: neither.
    """
    names = metric_names(kind)
    _refuse_ragged(y, predictions)
    if groups is not None:  # numbers, so that texts are not sorted for every measure again
        groups = np.unique(groups, return_inverse=True)[1].ravel()
    metrics = {
        who: {
            name: bootstrap(METRICS[name].function, y, p, weight, groups=groups, seed=seed)
            for name in names
        }
        for who, p in predictions.items()
    }
    rivals = (predictions["model"], predictions["rule"])
    gain = _gain(PRIMARY[kind], y, rivals, (weight, groups), seed)
    grade = "A" if gain.low > 0 else "B" if gain.value > 0 else "C"
    customers = len(y) if groups is None else len(np.unique(groups))
    reason = f"{GRADES[grade]}: {_compared(PRIMARY[kind], metrics, gain)}"
    return ModelEvaluation(kind, len(y), customers, PRIMARY[kind], metrics, gain, grade, reason)


def compare_with_champion(
    kind: str,
    y: Array,
    challenger: Array,
    champion: Array,
    weight: Array | None = None,
    groups: Array | None = None,
    seed: int = 0,
) -> ChampionComparison:
    """Whether the challenger's primary measure is better than the champion's on the same rows.

    The point estimate decides; the interval is told, so that a step within the noise shows. A
    draw, and a measure that is undefined on these rows, keep the champion.
    """
    name = metric_names(kind)[0]
    _refuse_ragged(y, {"challenger": challenger, "champion": champion})
    gain = _gain(name, y, (challenger, champion), (weight, groups), seed)
    both = [METRICS[name].function(y, p, weight) for p in (challenger, champion)]
    better = bool(gain.value > 0)
    noise = "beyond chance" if gain.low > 0 or gain.high < 0 else "within the noise"
    if not np.isfinite(gain.value):
        noise = "undefined on these rows"
    reason = (
        f"the challenger {'replaces' if better else 'does not replace'} the champion: {name} "
        f"{both[0]:.4g} against {both[1]:.4g} on {len(y)} rows, {_shown(gain, sign='+')} better, "
        f"{noise}"
    )
    return ChampionComparison(better, gain, reason)


def _gain(
    name: str,
    y: Array,
    rivals: tuple[Array, Array],
    drawn: tuple[Array | None, Array | None],
    seed: int,
) -> Interval:
    metric = METRICS[name]
    first, second = rivals if metric.higher_is_better else rivals[::-1]
    weight, groups = drawn
    return paired_difference(metric.function, y, first, second, weight, groups=groups, seed=seed)


def _refuse_ragged(y: Array, predictions: dict[str, Array]) -> None:
    for who, prediction in predictions.items():
        bad = int((~np.isfinite(prediction)).sum())
        if len(prediction) != len(y) or bad:
            raise ValueError(
                f"{who}: {len(prediction)} predictions, {bad} of their numbers not finite, for "
                f"{len(y)} rows; one finite prediction a row is needed"
            )


def _compared(name: str, metrics: dict[str, dict[str, Interval]], gain: Interval) -> str:
    model, rule = metrics["model"][name].value, metrics["rule"][name].value
    return f"{name} {model:.4g} against {rule:.4g}, gain {_shown(gain, sign='+')}"


def _shown(interval: Interval, sign: str = "") -> str:
    if not np.isfinite(interval.value):
        return "undefined"
    parts = (interval.value, interval.low, interval.high)
    value, low, high = (format(part, f"{sign},.{_places(interval.value)}f") for part in parts)
    return f"{value} ({low} to {high})"


def _places(value: float) -> int:
    """Decimals that leave about three digits to read."""
    return 3 if abs(value) < 10 else 1 if abs(value) < 1000 else 0


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
