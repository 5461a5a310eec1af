"""Grade a value model by error, rank and sums together.

A model that ranks well and adds up to a third of what comes is no good, nor is one that adds up and
ranks at random.
"""

from dataclasses import replace

import numpy as np

from models.evaluation.bootstrap import Interval
from models.evaluation.grade import ModelEvaluation, format_interval

#: Predicted over actual sums may be off by this share; beyond it, only where chance explains it.
SUMS_OFF = 0.15
#: Sums that are off by more than this factor are of no use as a total.
SUMS_USELESS = 2.0
GRADES = "ABC"


def with_value_faults(
    evaluation: ModelEvaluation, sums: Interval, rank: Interval
) -> ModelEvaluation:
    """Lower the grade of a value model, which is that of its error, for sums and rank.

    `sums` is predicted over actual sums over rolling origins, with its 90% interval; `rank` the gain in
    rank correlation over the rule. With sums that are off the grade is at most B, since errors and ranks
    of single customers hold all the same, and C beyond a factor of two. Customers who are ranked worse
    than by the rule, beyond chance, cost one grade.
    """
    faults = value_faults(sums, rank)
    place = max(GRADES.index(evaluation.grade), GRADES.index(highest_grade(sums)))
    grade = GRADES[min(place + (rank.high < 0), len(GRADES) - 1)]
    reason = "; ".join([evaluation.reason, *faults])
    if grade != evaluation.grade:
        reason = f"at most {grade}: {'; '.join(faults)}; otherwise {evaluation.reason}"
    return replace(evaluation, grade=grade, reason=reason)


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


def highest_grade(sums: Interval) -> str:
    """The best grade that a ratio of predicted to actual sums allows."""
    if sums_are_right(sums):
        return "A"
    return "B" if 1 / SUMS_USELESS <= sums.value <= SUMS_USELESS else "C"
