"""Whether quick fits judge older origins as full fits do, and what a refit brings.

The sample company and the real ones at hand: every origin of every target, judged by the model that the
recipe fits on all rows known then, and by the quick fit that a training night uses.
"""

import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.league_home import home_of_its_own, with_training_sets
from features.errors import DataRefused
from features.settings import Workspace
from models.evaluation.metrics import METRICS, PRIMARY
from models.targets.registry import TARGETS
from models.training.fit_model import FittedModel, quick_rows
from models.training.train import TrainingRows, load_rows, train
from models.training_set.origins import older_origins

COMPANIES = (
    ("sample", ("churn", "value", "satisfaction", "nps")),
    ("online_retail", ("churn", "value")),
    ("complete_journey", ("churn", "value")),
)


def measure() -> str:
    """One line for each origin: the metric that decides by full and quick fit, level, seconds."""
    lines, lacking = [], []
    with home_of_its_own() as workspace:
        for data, targets in COMPANIES:
            for target in targets:
                try:
                    lines += _target(workspace, data, target)
                except DataRefused as err:
                    lacking.append(f"- Not measured: {data} {target}: {err}")
    return "\n".join(
        [
            "# Older origins: quick and full fits",
            "",
            "A quick fit learns from at most 20,000 rows with a third of the rounds. Both are "
            "calibrated by the recipe; seconds include the folds of the calibration, on 2 cores.",
            "",
            "| company | target | tested from | rows learnt | metric | full | quick | mean full "
            "| mean quick | actual | full, s | quick, s |",
            "|---|---|---|--:|---|--:|--:|--:|--:|--:|--:|--:|",
            *lines,
            "",
            *lacking,
        ]
    )


def _target(workspace: Workspace, data: str, name: str) -> list[str]:
    company, target = with_training_sets(workspace, data), TARGETS[name]
    rows = load_rows(company, workspace, name)
    trained = train(target, company, rows)
    quick, full = trained.recipe.quick(), trained.recipe
    metric, lines = PRIMARY[target.kind], []
    for origin in older_origins(target, company.target(name), rows.cutoff, trained.split):
        learn, test = rows.take(origin.learn), rows.take(origin.test)
        begun = time.perf_counter()
        slow = _predict(full.fit(learn), test)
        between = time.perf_counter()
        fast = _predict(quick.fit(quick_rows(learn)), test)
        ended = time.perf_counter()
        scores = [METRICS[metric].function(test.label, p, test.weight) for p in (slow, fast)]
        means = [
            float(np.average(_level(p), weights=test.weight)) for p in (slow, fast, test.label)
        ]
        cells = [f"{v:,.4g}" for v in (*scores, *means)]
        lines.append(
            f"| {data} | {name} | {origin.start:%Y-%m-%d} | {len(learn.label):,} | {metric} | "
            + " | ".join(cells)
            + f" | {between - begun:.1f} | {ended - between:.1f} |"
        )
    return lines


def _predict(fitted: FittedModel, test: TrainingRows) -> NDArray[np.float64]:
    plain = fitted.estimator.predict(test.features)
    return fitted.calibrator.apply(
        plain * fitted.spend.of(test.features) if fitted.spend else plain
    )


def _level(prediction: NDArray[np.float64]) -> NDArray[np.float64]:
    classes = prediction.ndim == 2
    return prediction @ np.arange(prediction.shape[1]) if classes else prediction
