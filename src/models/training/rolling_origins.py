"""Train and test a target's recipe at older origins, beside its rule and a linear model."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING

from features.config.snapshot_settings import WEAKER_EVIDENCE
from features.errors import DataRefused
from models.evaluation.origin_evaluation import OriginRows
from models.learners.labelled_rows import LabelledRows
from models.training.baseline_comparison import predict_with_baselines
from models.training.fit_model import Recipe, quick_rows
from models.training_set.origins import (
    ENOUGH_ORIGINS,
    Origin,
    older_origins,
    windows_overlap,
)

if TYPE_CHECKING:
    from features.config.company import TargetConfig
    from models.targets.target import Target
    from models.training.train import TrainingRows
    from models.training_set.splits import Split


def predict_origins(
    target: "Target", config: "TargetConfig", rows: "TrainingRows", split: "Split", recipe: Recipe
) -> tuple[OriginRows, ...]:
    """Predict the tested rows of each origin before the test of `split`, the latest first.

    Each origin has models of its own that learnt what was ripe then, by quick fits; an origin whose
    labels cannot be trained is left out. Origins run side by side.
    """
    from threadpoolctl import threadpool_limits

    origins = older_origins(target, config, rows.cutoff, split)
    # Without the limit, the linear algebra of each thread would start as many threads again.
    with threadpool_limits(1), ThreadPoolExecutor(recipe.params.threads) as pool:
        found = pool.map(lambda origin: _predict(target, config, rows, origin, recipe), origins)
        return tuple(one for one in found if one)


def _predict(
    target: "Target", config: "TargetConfig", rows: "TrainingRows", origin: Origin, recipe: Recipe
) -> OriginRows | None:
    """Learn and predict at one origin; None where its labels cannot be trained."""
    learn, test = quick_rows(rows.take(origin.learn)), rows.take(origin.test)
    known = LabelledRows(learn.features, learn.label, learn.weight)
    try:
        fitted = recipe.quick().fit(learn)
        predictions = predict_with_baselines(target, config, fitted, known, test.features)
    except DataRefused:  # such as a single class among the first labels
        return None
    return OriginRows(
        origin.start.isoformat(), int(origin.learn.sum()), test.label, predictions, test.weight,
        test.customer,
    )  # fmt: skip


def origin_limits(origins: tuple[OriginRows, ...], config: "TargetConfig") -> list[str]:
    """What limits a judgement over these origins: no dates, too few, or label windows that overlap."""
    if config.is_snapshot:
        return [WEAKER_EVIDENCE]
    limits = []
    if len(origins) < ENOUGH_ORIGINS:
        limits.append(
            f"Judged at {len(origins)} moments only, for want of history; {ENOUGH_ORIGINS} show how "
            "much a judgement depends on its moment."
        )
    if windows_overlap([datetime.fromisoformat(o.start) for o in origins], config.horizon_days):
        limits.append(
            "The label windows of the moments of judgement overlap, for want of history: the spread "
            "between them is larger than it looks."
        )
    return limits
