"""The control: with labels shuffled, the real way of training must learn nothing of the test.

The trees are grown greedily, so that a row which both learns and tests is learnt by heart.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.stats import rankdata

from features.errors import DataRefused
from features.settings import Settings
from models.leakage.audit_sample import SEED, Case
from models.leakage.findings import Charge, Finding
from models.leakage.label_windows import Window
from models.learners.lightgbm import Estimator, Labelled, Params
from models.targets.registry import Target
from models.training import train as training

KIND = "shuffled labels"
#: Chance stays within so many standard errors in all but one of a million trainings.
CHANCE = 5.0


def judge(case: Case, windows: dict[str, list[Window]]) -> Finding:
    """Train each target on labels handed round among all its rows, and look at the test."""
    charges, scores = [], []
    for target in case.targets:
        z, rows = _control(case, target, windows[target.name])
        if rows:
            scores.append(f"{target.name} {z:+.1f}")
        if abs(z) > CHANCE:
            charges.append(Charge(
                KIND, f"training of {target.name}",
                f"trained on shuffled labels, the scores of {rows:,} test rows follow the shuffled "
                f"labels by {z:+.1f} standard errors; chance stays within {CHANCE:.0f}",
                "what trains has seen labels of the test: split before anything is fitted, and let "
                "no feature be made from labels", target.name,
            ))  # fmt: skip
    return Finding(KIND, f"standard errors: {', '.join(scores) or 'too few rows'}", tuple(charges))


def _control(case: Case, target: Target, windows: list[Window]) -> tuple[float, int]:
    """How far test scores follow shuffled labels, in standard errors, and the test's rows."""
    if not windows:
        return 0.0, 0
    rows = _rows(windows)
    try:
        split = training.split_rows(target, case.company.target(target.name), rows)
        fitted = Estimator.fit(_kind(target), _labelled(rows.take(split.refit)), None, _params())
    except DataRefused:  # the sample is too small to be split or learnt from
        return 0.0, 0
    test = _labelled(rows.take(split.test))
    return _z(fitted.predict(test.features), test.y), len(test.y)


def _kind(target: Target) -> str:
    return "binary" if len(target.classes) == 2 else "regression"


def _params() -> Params:
    return Params(
        learning_rate=0.3, leaves=16, min_data_in_leaf=4, max_rounds=8, threads=Settings().threads
    )


def _rows(windows: list[Window]) -> training.Rows:
    """The rows of all windows as training would load them, their labels shuffled."""
    label = np.concatenate([w.label for w in windows])
    shuffled = np.random.default_rng(SEED).permutation(label)
    features = pa.concat_tables([w.now.drop(["customer_id", "cutoff"]) for w in windows])
    customer = np.concatenate([w.customer for w in windows])
    cutoff = np.concatenate([w.cutoff for w in windows])
    return training.Rows(features, shuffled, np.ones(len(label)), customer, cutoff)


def _labelled(rows: training.Rows) -> Labelled:
    """Labels as they are; of values their size does not matter, their order does."""
    several = len(np.unique(rows.label)) > 2
    return Labelled(rows.features, rankdata(rows.label) if several else rows.label)


def _z(score: NDArray[np.float64], label: NDArray[np.float64]) -> float:
    """The rank correlation in standard errors; 0 where one of the two does not vary."""
    if len(score) < 3 or np.ptp(score) == 0 or np.ptp(label) == 0:
        return 0.0
    correlation = np.corrcoef(rankdata(score), rankdata(label))[0, 1]
    return float(correlation * np.sqrt(len(score) - 1))
