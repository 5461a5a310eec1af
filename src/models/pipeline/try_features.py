"""Try out features: train a target with and without them, compare, and promote nothing.

A feature defined in a notebook cell is registered in that process only, so a model that reads it
cannot serve. It can as soon as its function is in a family file.
"""

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from features.config.company import Company
from features.config.toml_section import did_you_mean
from features.errors import ConfigRefused
from features.execution.partitions import LOCAL, split_customers
from features.feature_table import is_in_family, plan_for
from features.history_store import Manifest, customer_ids
from features.progress import Steps, silent_steps
from features.settings import Workspace
from features.text.comment_score_model import CommentScoreModel
from models.evaluation.metrics import judged_by
from models.pipeline.champion_rule import ChampionComparison, compare_with_champion
from models.targets.registry import TARGETS
from models.targets.target import Target
from models.training.train import (
    TrainedTarget,
    TrainingRows,
    point_metrics,
    to_training_rows,
    train,
)
from models.training_set.build_training_sets import FeatureRowBuilder
from models.training_set.labels import label_rows


@dataclass(frozen=True)
class FeatureTrial:
    """A target trained with and without the trial columns, on the same rows."""

    columns: tuple[str, ...]
    with_them: TrainedTarget
    without: TrainedTarget
    comparison: ChampionComparison

    def table(self) -> pd.DataFrame:
        """One row for each measure on the test rows: with the columns, without, the business rule."""
        ours, plain = self.with_them.evaluation.metrics, self.without.evaluation.metrics
        made = {"with": ours["model"], "without": plain["model"], "rule": ours["rule"]}
        return pd.DataFrame({who: {n: i.value for n, i in m.items()} for who, m in made.items()})

    def importance(self) -> pd.Series:
        """The share of the trees' gain of each trial column, in percent."""
        gain = pd.Series(self.with_them.estimator.importance())
        return (100 * gain / gain.sum()).reindex(self.columns).fillna(0.0)


def try_features(
    company: Company,
    workspace: Workspace,
    target: str,
    columns: tuple[str, ...] | None = None,
    steps: Steps | None = None,
) -> FeatureTrial:
    """Train a target with all registered features and without `columns`; log both in MLflow.

    `columns` default to those of features declared outside the family files, as in a notebook. No
    model is registered. Raises ConfigRefused when there are no trial columns or one is unknown.
    """
    steps = steps or silent_steps()
    manifest = Manifest.read(workspace, company.name)
    plan = plan_for(
        manifest.schema, comment_model=CommentScoreModel.read(workspace.features(company.name))
    )
    on_trial = columns or tuple(c.name for c in plan.columns if not is_in_family(c))
    _refuse_unknown(on_trial, plan.names)
    rows = _rows(TARGETS[target], company, workspace, manifest, steps)
    plain = replace(rows, features=rows.features.drop(list(on_trial)))
    with_them, without = (train(TARGETS[target], company, r) for r in (rows, plain))
    test = with_them.test
    comparison = compare_with_champion(
        with_them.target.kind,
        test.label,
        judged_by(with_them.evaluation.primary, with_them.predictions),
        judged_by(with_them.evaluation.primary, without.predictions),
        test.weight,
        test.customer,
    )
    trial = FeatureTrial(on_trial, with_them, without, comparison)
    _log(company, workspace, trial)
    return trial


def _refuse_unknown(on_trial: tuple[str, ...], known: tuple[str, ...]) -> None:
    if not on_trial:
        raise ConfigRefused(
            "no trial columns: every column comes from a family file; define a feature with "
            "@feature in a cell, or pass `columns`"
        )
    for name in on_trial:
        if name not in known:
            raise ConfigRefused(f"no feature column {name!r}{did_you_mean(name, list(known))}")


def _rows(
    target: Target, company: Company, workspace: Workspace, manifest: Manifest, steps: Steps
) -> TrainingRows:
    """Build the training set with all registered features, without changing the stored one."""
    plan = plan_for(
        manifest.schema, comment_model=CommentScoreModel.read(workspace.features(company.name))
    )
    builder = FeatureRowBuilder(workspace.history(company.name), plan, LOCAL.threads)
    ids = customer_ids(workspace, company.name)
    labels = label_rows(target, company, workspace, manifest).table
    condition = target.population(company.target(target.name))
    with tempfile.TemporaryDirectory(dir=workspace.company(company.name)) as folder:
        labels_path, path = Path(folder) / "labels.parquet", Path(folder) / "rows.parquet"
        pq.write_table(labels, labels_path)
        pieces = split_customers(ids, LOCAL.size(len(ids)))
        LOCAL.write(partial(builder.training_rows, labels_path, condition), pieces, path, steps)
        return to_training_rows(pq.read_table(path))


def _log(company: Company, workspace: Workspace, trial: FeatureTrial) -> None:
    """Log a separate run in the company's experiment, with both sets of measures."""
    from models.bundles.mlflow_registry import Registry

    registry = Registry(workspace)
    target = trial.with_them.target.name
    with registry.run(company.name, f"try {target} {datetime.now(UTC):%Y-%m-%d %H:%M}") as run_id:
        without = point_metrics(trial.without.evaluation)
        registry.log(
            run_id,
            {
                "target": target,
                "on_trial": ", ".join(trial.columns),
                "verdict": trial.comparison.reason,
            },
            point_metrics(trial.with_them.evaluation)
            | {f"without_{name}": value for name, value in without.items()},
            {"comparison.txt": trial.table().to_string()},
            description=f"{target} with and without {', '.join(trial.columns)}, on the same rows; no "
            f"model is registered.\n\n{trial.comparison.reason}",
        )
