"""Negative control: trained on shuffled labels, a model must not predict the test rows.

The trees are grown greedily, so that a row in both training and test is memorised.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.errors import DataRefused
from features.settings import Settings
from models.leakage.audit_sample import SEED, AuditSample
from models.leakage.findings import LeakCheckResult, LeakFinding
from models.leakage.sampled_windows import LabelWindow
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.target import Target
from models.training import train as training

KIND = "shuffled labels"
#: Standard errors that chance exceeds in one of a million trainings.
CHANCE = 5.0


def check_shuffled_labels(
    sample: AuditSample, windows: dict[str, list[LabelWindow]]
) -> LeakCheckResult:
    """Train each target on labels shuffled among all its rows, and score the test rows."""
    findings, scores = [], []
    for target in sample.targets:
        z, rows = _train_shuffled(sample, target, windows[target.name])
        if rows:
            scores.append(f"{target.name} {z:+.1f}")
        if abs(z) > CHANCE:
            findings.append(LeakFinding(
                KIND, f"training of {target.name}",
                f"trained on shuffled labels, the scores of {rows:,} test rows correlate with the "
                f"shuffled labels by {z:+.1f} standard errors; chance stays within {CHANCE:.0f}",
                "the training has seen labels of the test: split before anything is fitted, and "
                "compute no feature from labels", target.name,
            ))  # fmt: skip
    looked_at = f"standard errors: {', '.join(scores) or 'too few rows'}"
    return LeakCheckResult(KIND, looked_at, tuple(findings))


def _train_shuffled(
    sample: AuditSample, target: Target, windows: list[LabelWindow]
) -> tuple[float, int]:
    """Correlation of test scores with shuffled labels in standard errors, and the test's rows."""
    if not windows:
        return 0.0, 0
    rows = _shuffled_rows(windows)
    try:
        split = training.split_rows(target, sample.company.target(target.name), rows)
        fitted = Estimator.fit(_kind(target), _labelled(rows.take(split.refit)), None, _params())
    except DataRefused:  # the sample is too small to split or to learn from
        return 0.0, 0
    test = _labelled(rows.take(split.test))
    return _rank_z(fitted.predict(test.features), test.y), len(test.y)


def _kind(target: Target) -> str:
    return "binary" if len(target.classes) == 2 else "regression"


def _params() -> Params:
    return Params(
        learning_rate=0.3, leaves=16, min_data_in_leaf=4, max_rounds=8, threads=Settings().threads
    )


def _shuffled_rows(windows: list[LabelWindow]) -> training.TrainingRows:
    """The rows of all windows as training loads them, with shuffled labels."""
    label = np.concatenate([w.label for w in windows])
    shuffled = np.random.default_rng(SEED).permutation(label)
    features = pa.concat_tables([w.features.drop(["customer_id", "cutoff"]) for w in windows])
    customer = np.concatenate([w.customer for w in windows])
    cutoff = np.concatenate([w.cutoff for w in windows])
    return training.TrainingRows(features, shuffled, np.ones(len(label)), customer, cutoff)


def _labelled(rows: training.TrainingRows) -> LabelledRows:
    """Class labels unchanged, value labels as ranks."""
    from scipy.stats import rankdata

    several = len(np.unique(rows.label)) > 2
    return LabelledRows(rows.features, rankdata(rows.label) if several else rows.label)


def _rank_z(score: NDArray[np.float64], label: NDArray[np.float64]) -> float:
    """The rank correlation in standard errors; 0 where scores or labels are constant."""
    from scipy.stats import rankdata

    if len(score) < 3 or np.ptp(score) == 0 or np.ptp(label) == 0:
        return 0.0
    correlation = np.corrcoef(rankdata(score), rankdata(label))[0, 1]
    return float(correlation * np.sqrt(len(score) - 1))
