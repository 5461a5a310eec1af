"""Tune hyperparameters on rolling-origin validations before the test.

Each validation starts a label window after the rows it is fitted on, and ends before the test.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from features.config.company import Company, TargetConfig
from features.errors import DataRefused
from features.history.history_table import DAY
from features.progress import Steps
from features.settings import Workspace
from models.evaluation.metrics import METRICS, PRIMARY
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.targets.spend_level import SpendLevel
from models.targets.target import Target
from models.training.distribution_shift import shifted_columns
from models.training.fit_model import to_labelled
from models.training.hyperparameters import TuningResult, learner_kind, search_params, write_tuned
from models.training.train import TrainingRows, check_split, load_rows, split_rows
from models.training_set.build_training_sets import read_counts
from models.training_set.splits import Split, instant

Mask = NDArray[np.bool_]
FOLDS = 3
#: Fewest rows to fit a validation on, and their least share of the rows of the final fit: what is
#: best for a third of the rows (a short history) says little about all of them.
MIN_ROWS, MIN_SHARE = 500, 0.5


def rolling_validations(
    cutoff: NDArray[np.int64], split: Split, span_days: int
) -> Iterator[tuple[Mask, Mask]]:
    """Yield up to three (fit, validation) masks, the latest first, each a step further back.

    A step is as long as the validation part of `split`, at least one cutoff.
    """
    span = span_days * DAY
    seen = cutoff[split.valid]
    width = int(seen.max() - seen.min())
    start = int(seen.min())
    for _ in range(FOLDS):
        valid = (cutoff >= start) & (cutoff <= start + width)
        fit = cutoff + span <= start
        if fit.sum() < max(MIN_ROWS, MIN_SHARE * split.refit.sum()) or not valid.any():
            return
        yield fit, valid
        earlier = cutoff[cutoff < start - width]
        if not len(earlier):
            return
        start = int(earlier.max()) - width if width else int(earlier.max())


def rolling_loss(
    target: Target, config: TargetConfig, rows: TrainingRows, split: Split, params: Params
) -> float:
    """The mean primary measure over the rolling validations, with its sign such that lower is better."""
    metric, losses = METRICS[PRIMARY[target.kind]], []
    for fit, valid in rolling_validations(rows.cutoff, split, target.span_days(config)):
        part = Split(
            fit, valid, valid, fit, split.valid_start, instant(int(rows.cutoff[valid].min()))
        )
        without = shifted_columns(learner_kind(target), rows.features, rows.cutoff, part)
        known, later = rows.take(fit), rows.take(valid)
        spend = None
        if target.kind == "regression":
            spend = SpendLevel.fit(known.features, config.horizon_days)
        data: tuple[LabelledRows, LabelledRows] = (
            to_labelled(known, spend),
            to_labelled(later, spend),
        )
        grown = Estimator.fit(learner_kind(target), *data, params, without)
        predicted = grown.predict(later.features)
        predicted = predicted * spend.of(later.features) if spend else predicted
        value = metric.function(later.label, predicted, later.weight)
        losses.append(-value if metric.higher_is_better else value)
    return float(np.mean(losses)) if losses else float("inf")


def tune(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    minutes: float,
    trials: int = 40,
    seed: int = 7,
) -> dict[str, TuningResult]:
    """Tune every target that can be trained, and write the parameters that beat the defaults.

    The test rows are never used. The targets share the minutes. Raises DataRefused without training
    sets.
    """
    counts, _ = read_counts(company, workspace)
    found: dict[str, TuningResult] = {}
    for name in counts:
        target, config = TARGETS[name], company.target(name)
        with steps.step(f"tune {name}") as done:
            rows = load_rows(company, workspace, name)
            split = split_rows(target, config, rows)
            try:
                check_split(target, rows, split)
            except DataRefused as err:
                done(left_out=str(err))
                continue
            if not any(
                True for _ in rolling_validations(rows.cutoff, split, target.span_days(config))
            ):
                done(left_out="the history is too short for rolling validations; the defaults stay")
                continue

            def loss(params: Params, target: Target = target, config: TargetConfig = config,
                     rows: TrainingRows = rows, split: Split = split) -> float:  # fmt: skip
                return rolling_loss(target, config, rows, split, params)

            tuned = search_params(target, loss, trials, 60 * minutes / len(counts), seed)
            found[name] = tuned
            done(trials=tuned.trials, loss=tuned.loss, default=tuned.default_loss)
    write_tuned(company, workspace, found)
    return found
