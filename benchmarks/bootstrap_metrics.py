"""The vectorized metrics of the bootstrap against scikit-learn's: speed and largest difference."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from models.evaluation import metrics

ROWS = (2_000, 10_000, 50_000)
CLASSES = 5
REPEATS = 21
#: Calls in a row in one run, as a bootstrap makes them.
CALLS = 5

Score = Callable[[], float]


def measure() -> str:
    """Time each metric on weighted rows sorted by prediction, as the bootstrap passes them."""
    ratios: dict[str, list[float]] = {}
    differences: dict[str, float] = {}
    for rows in ROWS:
        for name, (ours, theirs) in _pairs(rows).items():
            difference = abs(ours() - theirs()) / max(1.0, abs(theirs()))
            differences[name] = max(differences.get(name, 0.0), difference)
            ratios.setdefault(name, []).append(_ratio(ours, theirs))
    sizes = " | ".join(f"{rows:,} rows" for rows in ROWS)
    lines = [
        "# Metrics of the bootstrap",
        "",
        f"Measured on {datetime.now(UTC).date().isoformat()}.",
        "",
        "How many times faster the vectorized metrics are than scikit-learn's, on weighted rows sorted "
        f"by prediction ({CLASSES} classes), ratio of the median CPU times of {REPEATS} interleaved "
        f"runs of {CALLS} calls in a row, and the largest difference, relative to the value where it "
        "exceeds 1.",
        "",
        f"| metric | {sizes} | difference |",
        f"|---|{'--:|' * (len(ROWS) + 1)}",
    ]
    for name, values in ratios.items():
        times = " | ".join(f"{value:.1f}x" for value in values)
        lines.append(f"| {name} | {times} | {differences[name]:.1e} |")
    return "\n".join(lines)


def _pairs(rows: int) -> dict[str, tuple[Score, Score]]:
    """Each metric with the same value from scikit-learn."""
    from sklearn import metrics as sk

    rng = np.random.default_rng(0)
    p = np.sort(rng.beta(2, 6, rows))
    y, w = (rng.random(rows) < p).astype(float), rng.random(rows) + 0.1
    shares = rng.dirichlet(np.ones(CLASSES), rows)
    level = rng.integers(0, CLASSES, rows).astype(float)
    rounded = np.floor(shares @ np.arange(CLASSES) + 0.5)
    value = rng.lognormal(3, 1, rows)
    predicted = value * rng.lognormal(0, 0.5, rows)
    return {
        "roc_auc": (
            lambda: metrics.roc_auc(y, p, w),
            lambda: sk.roc_auc_score(y, p, sample_weight=w),
        ),
        "pr_auc": (
            lambda: metrics.pr_auc(y, p, w),
            lambda: sk.average_precision_score(y, p, sample_weight=w),
        ),
        "log_loss": (
            lambda: metrics.log_loss(y, p, w),
            lambda: sk.log_loss(y, p, sample_weight=w),
        ),
        "brier": (
            lambda: metrics.brier(y, p, w),
            lambda: sk.brier_score_loss(y, p, sample_weight=w),
        ),
        "multiclass_log_loss": (
            lambda: metrics.multiclass_log_loss(level, shares, w),
            lambda: sk.log_loss(level, shares, sample_weight=w),
        ),
        "accuracy": (
            lambda: metrics.accuracy(level, shares, w),
            lambda: sk.accuracy_score(level, shares.argmax(axis=1), sample_weight=w),
        ),
        "quadratic_kappa": (
            lambda: metrics.quadratic_kappa(level, shares, w),
            lambda: sk.cohen_kappa_score(level, rounded, weights="quadratic", sample_weight=w),
        ),
        "mae": (
            lambda: metrics.mae(value, predicted, w),
            lambda: sk.mean_absolute_error(value, predicted, sample_weight=w),
        ),
        "rmse": (
            lambda: metrics.rmse(value, predicted, w),
            lambda: sk.root_mean_squared_error(value, predicted, sample_weight=w),
        ),
    }


def _ratio(ours: Score, theirs: Score) -> float:
    """CPU time of `theirs` divided by that of `ours`; interleaved, so that load affects both."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(REPEATS):
        for score, spent in zip((ours, theirs), seconds, strict=True):
            start = time.process_time()
            for _ in range(CALLS):
                score()
            spent.append(time.process_time() - start)
    return float(np.median(seconds[1]) / np.median(seconds[0]))
