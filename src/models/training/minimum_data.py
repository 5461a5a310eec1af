"""The minimum data for training and evaluation: fewer customers are refused, few give a warning.

The limits count customers, not rows: a customer at twelve cutoffs is nearly the same row twelve
times and adds little information.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.learners.labelled_rows import check_values
from models.targets.target import Target
from models.training_set.splits import Split

Floats = NDArray[np.float64]
Customers = NDArray[np.int64]


@dataclass(frozen=True)
class DataLimits:
    """How many customers a part of the rows needs, in total and with the rarer label.

    Fewer than `least` are refused, fewer than `better` give a warning.
    """

    words: str
    least: int
    least_rare: int
    better: int
    better_rare: int


#: Training. A leaf of the trees holds at least a twentieth of the rows: with 20 rare customers it has
#: one of them on average, and a split is chance; with 100 it has five. Below 100 customers there are
#: fewer customers than features. Without tuning, all four models of the sample company beat their rule
#: beyond chance with 450 to 1,000 such customers; with 170 to 400 one did.
#: Evaluation. The 95% interval of an AUC of 0.75 spans 0.5 to 1 with 5 cases, and is still 0.2 wide
#: with 30 (Hanley and McNeil 1982): with fewer than 5 it cannot be distinguished from chance.
LIMITS = {
    "refit": DataLimits("to learn from", 100, 20, 500, 100),
    "test": DataLimits("to be evaluated on", 30, 5, 200, 30),
}
#: Of more than two classes, one with fewer customers is hardly ever predicted.
MIN_CLASS_CUSTOMERS = 20


def check_minimum_data(
    target: Target, label: Floats, customer: Customers, split: Split
) -> list[str]:
    """Check that each part has enough customers; returns a warning for each small part.

    Raises DataRefused when a part has too few labelled customers or too few with the rarer label,
    and for labels that are not finite or not a class of the target.
    """
    check_values(target.kind, label, len(target.classes))
    warnings = []
    for part, limits in LIMITS.items():
        mask = getattr(split, part)
        customers, rare, name = _count(target, label[mask], customer[mask])
        have = (
            f"target {target.name}: {customers:,} labelled customers {limits.words}, "
            f"{rare:,} of them {name}"
        )
        if customers < limits.least or rare < limits.least_rare:
            raise DataRefused(
                f"{have}; at least {limits.least} and {limits.least_rare} are needed, "
                f"{limits.better} and {limits.better_rare} are better: bring a longer history or more "
                f"customers, or change targets.{target.name}"
            )
        if customers < limits.better or rare < limits.better_rare:
            warnings.append(
                f"{have}: few; expect wide intervals and a model that changes with every retrain. "
                f"Better are {limits.better} and {limits.better_rare}"
            )
    return warnings + _rare_class_warnings(target, label[split.refit], customer[split.refit])


def _count(target: Target, label: Floats, customer: Customers) -> tuple[int, int, str]:
    """Count the customers and those with the rarer label (of several: the second most frequent)."""
    customers = len(np.unique(customer))
    if not target.classes:
        return customers, len(np.unique(customer[label != 0])), "with a value that is not zero"
    counts = [len(np.unique(customer[label == k])) for k in range(len(target.classes))]
    second = int(np.argsort(counts, kind="stable")[-2])
    return customers, counts[second], f"with the label {target.classes[second]!r}"


def _rare_class_warnings(target: Target, label: Floats, customer: Customers) -> list[str]:
    if len(target.classes) <= 2:
        return []
    counts = {c: len(np.unique(customer[label == k])) for k, c in enumerate(target.classes)}
    return [
        f"target {target.name}: {n} customers with the label {c!r}: it will hardly ever be predicted"
        for c, n in counts.items()
        if n < MIN_CLASS_CUSTOMERS
    ]
