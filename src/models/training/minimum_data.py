"""How little data is too little: refused in plain words, and warned about before that.

The limits are customers, not rows: the same customer at twelve cutoffs is nearly the same row twelve
times, and says little more than once.
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
    """How many customers a part of the rows must hold, in all and of the rarer label.

    Below `least` it is refused, below `better` there is a warning.
    """

    words: str
    least: int
    least_rare: int
    better: int
    better_rare: int


#: Training. A leaf of the trees holds at least a twentieth of the rows: with 20 rare customers it
#: has one of them on average, and a split is luck; with 100 it has five. Under 100 customers there
#: are fewer customers than features. Without any tuning all four models of the sample company were
#: better than their rule beyond chance with 450 to 1,000 such customers; with 170 to 400 one was.
#: Judging. The 95 % interval of an AUC of 0.75 reaches from 0.5 to 1 with 5 cases, and is still 0.2
#: wide with 30 (Hanley and McNeil 1982): with fewer than 5 nothing can be told from a coin.
LIMITS = {
    "refit": DataLimits("to learn from", 100, 20, 500, 100),
    "test": DataLimits("to be judged on", 30, 5, 200, 30),
}
#: A class of several with fewer customers is hardly ever predicted.
SHOWS = 20


def check_minimum_data(target: Target, label: Floats, customer: Customers, split: Split) -> list[str]:
    """Warnings about a part that is small, in sentences; empty when there is plenty.

    Raises DataRefused when a part has too few labelled customers, or too few of the rarer label, and
    for labels that are no numbers or no class of the target, in whatever part.
    """
    check_values(target.kind, label, len(target.classes))
    warnings = []
    for part, limits in LIMITS.items():
        mask = getattr(split, part)
        people, rare, name = _counted(target, label[mask], customer[mask])
        have = (
            f"target {target.name}: {people:,} labelled customers {limits.words}, "
            f"{rare:,} of them {name}"
        )
        if people < limits.least or rare < limits.least_rare:
            raise DataRefused(
                f"{have}; at least {limits.least} and {limits.least_rare} are needed, "
                f"{limits.better} and {limits.better_rare} are better: bring a longer history or more "
                f"customers, or change targets.{target.name}"
            )
        if people < limits.better or rare < limits.better_rare:
            warnings.append(
                f"{have}: few; expect wide intervals and a model that changes with every retrain. "
                f"Better are {limits.better} and {limits.better_rare}"
            )
    return warnings + _hardly_ever(target, label[split.refit], customer[split.refit])


def _counted(target: Target, label: Floats, customer: Customers) -> tuple[int, int, str]:
    """Customers, those of the rarer label (of several, the second most frequent), and its name."""
    people = len(np.unique(customer))
    if not target.classes:
        return people, len(np.unique(customer[label != 0])), "with a value that is not zero"
    counts = [len(np.unique(customer[label == k])) for k in range(len(target.classes))]
    second = int(np.argsort(counts, kind="stable")[-2])
    return people, counts[second], f"with the label {target.classes[second]!r}"


def _hardly_ever(target: Target, label: Floats, customer: Customers) -> list[str]:
    if len(target.classes) <= 2:
        return []
    counts = {c: len(np.unique(customer[label == k])) for k, c in enumerate(target.classes)}
    return [
        f"target {target.name}: {n} customers with the label {c!r}: it will hardly ever be predicted"
        for c, n in counts.items()
        if n < SHOWS
    ]
