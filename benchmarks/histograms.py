"""Histograms of the trees by row and by column: training time for each target of the sample company."""

import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.reasons import sample
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.settings import Workspace
from models.learners import lightgbm
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.targets.target import Target
from models.training.hyperparameters import default_params, learner_kind
from models.training.train import TrainingRows, load_rows
from models.training_set.build_training_sets import build_features

ROUNDS = 60
REPEATS = 5


def measure() -> str:
    """Train the first rounds of each target by row and by column, on one thread, interleaved."""
    lines = [
        "# Histograms by row and by column",
        "",
        f"Measured on {datetime.now(UTC).date().isoformat()}.",
        "",
        f"CPU time of {ROUNDS} rounds of each target of the sample company by row, divided by the time "
        f"by column: ratio of the medians of {REPEATS} interleaved runs on one thread, and what the "
        "product uses.",
        "",
        "| target | rows | columns in a tree | by row / by column | used | same predictions |",
        "|---|--:|--:|--:|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(Path(folder))
        company = sample(workspace)
        import_history(company, workspace, silent_steps())
        build_features(company, workspace, silent_steps())
        lines += [
            _row(target, load_rows(company, workspace, target.name)) for target in TARGETS.values()
        ]
    return "\n".join(lines)


def _row(target: Target, rows: TrainingRows) -> str:
    params = replace(default_params(target), max_rounds=ROUNDS, threads=1)
    by_row, by_column, same = _times(learner_kind(target), rows, params)
    used = "column" if params.feature_fraction < lightgbm.MANY_COLUMNS else "row"
    return (
        f"| {target.name} | {len(rows.label):,} | {params.feature_fraction:.0%} | "
        f"{by_row / by_column:.2f} | {used} | {'yes' if same else 'no'} |"
    )


def _times(kind: str, rows: TrainingRows, params: Params) -> tuple[float, float, bool]:
    """Median CPU seconds by row and by column, and whether both predict the same."""
    learnt = LabelledRows(rows.features, rows.label, rows.weight)
    limit = lightgbm.MANY_COLUMNS
    spent: dict[float, list[float]] = {0.0: [], 2.0: []}  # from no share on by row, or never
    predicted = {}
    try:
        for _ in range(REPEATS):
            for share, seconds in spent.items():
                lightgbm.MANY_COLUMNS = share
                start = time.process_time()
                model = Estimator.fit(kind, learnt, None, params)
                seconds.append(time.process_time() - start)
                predicted[share] = model.predict(rows.features.slice(0, 1000))
    finally:
        lightgbm.MANY_COLUMNS = limit
    same = bool(np.array_equal(predicted[0.0], predicted[2.0]))
    return float(np.median(spent[0.0])), float(np.median(spent[2.0])), same
