"""Evaluate the two models of a value together: error, rank and sums.

Each measure judges the output it is made for: the mean absolute error the median (`typical`), every
other one the mean (`expected`). A model that ranks well and adds up to a third of what comes is no good,
nor is one that adds up and ranks at random.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from models.evaluation.bootstrap import Interval, bootstrap
from models.evaluation.grade import (
    ModelEvaluation,
    check_predictions,
    evaluate_model,
    format_interval,
    paired_gain,
)
from models.evaluation.metrics import METRICS

Array = np.ndarray
ERROR, RANK = "mae", "spearman"
#: Predicted over actual sums may be off by this share; beyond it, only where chance explains it.
SUMS_OFF = 0.15


def primary_prediction(predictions: Mapping[str, Array]) -> Array:
    """What the primary metric judges: the median of a value, of other targets the model's prediction."""
    return predictions.get("typical", predictions["model"])


def evaluate_value(
    y: Array,
    predictions: Mapping[str, Array],
    sums: Interval | None = None,
    weight: Array | None = None,
    groups: Array | None = None,
    seed: int = 0,
) -> ModelEvaluation:
    """Evaluate the mean ("model") and the median ("typical") against rule and linear model.

    `sums` is predicted over actual sums over rolling origins, with its 90% interval; without it, that
    of these rows with their 95% interval. A: the error is smaller than the rule's beyond chance; B: it
    is smaller, within chance; C: it is not smaller. Sums that are off lower the grade by one, and so do
    customers who are ranked worse than by the rule, beyond chance.
    """
    rivals = dict(predictions)
    mean, typical = rivals.pop("model"), rivals.pop("typical")
    check_predictions(y, {"expected": mean})
    median = evaluate_model("regression", y, {"model": typical, **rivals}, weight, groups, seed)
    of_mean = {
        name: bootstrap(METRICS[name].function, y, mean, weight, groups=groups, seed=seed)
        for name in median.metrics["model"]
        if name != ERROR
    }
    metrics = {**median.metrics, "model": {ERROR: median.metrics["model"][ERROR], **of_mean}}
    rank = paired_gain(RANK, y, (mean, rivals["rule"]), (weight, groups), seed)
    faults = value_faults(sums or of_mean["sum_ratio"], rank)
    grade = lower_grade(median.grade, len(faults))
    reason = "; ".join([median.reason, *faults])
    if grade != median.grade:
        reason = f"at most {grade}: {'; '.join(faults)}; otherwise {median.reason}"
    return replace(median, metrics=metrics, grade=grade, reason=reason)


def value_faults(sums: Interval, rank: Interval) -> list[str]:
    """What is wrong with the mean, in words: sums that are off, a worse rank than the rule's.

    `rank` is the gain in rank correlation over the rule.
    """
    faults = []
    if not sums_are_right(sums):
        faults.append(
            f"expected values add up to {format_interval(sums)} of what came; between "
            f"{1 - SUMS_OFF:.2f} and {1 + SUMS_OFF:.2f}, or an interval that holds 1, is right"
        )
    if rank.high < 0:
        faults.append(
            "customers are ranked worse than by the rule, beyond chance: rank correlation "
            f"{format_interval(rank, sign='+')}"
        )
    return faults


def sums_are_right(sums: Interval) -> bool:
    """Whether the ratio of predicted to actual sums is within 15% of 1, or its interval holds 1.

    A ratio that is undefined, as where nothing came, is not held against a model.
    """
    if not np.isfinite(sums.value):
        return True
    return abs(sums.value - 1) <= SUMS_OFF or sums.low <= 1 <= sums.high


def lower_grade(grade: str, faults: int) -> str:
    """The grade after a number of faults: a grade lower for each, C the lowest."""
    return "ABC"[min("ABC".index(grade) + faults, 2)]
