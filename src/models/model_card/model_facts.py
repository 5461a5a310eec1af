"""Everything a bundle's manifest says about a model but its version."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from features.config.company import Company
from features.definitions.catalog import describe
from features.definitions.feature_registry import Column
from features.history_store import Manifest
from features.settings import Workspace
from models.bundles.bundle import describe_condition
from models.bundles.mlflow_registry import code_revision
from models.targets.outputs import segment_bounds
from models.bundles.unknown_categories import unknown_shares
from models.training.train import TrainedTarget, flat_metrics
from models.training_set.build_training_sets import LabelCounts


def facts_of(
    trained: TrainedTarget,
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    counts: LabelCounts,
    used: list[Column],
) -> dict[str, Any]:
    """The manifest of a trained target: where it comes from, what it reads, how good it is."""
    target, config, split = trained.target, trained.config, trained.split
    training = workspace.features(company.name) / f"{target.name}.parquet"
    values = trained.predictions["model"]
    return {
        "company": company.name,
        "target": target.name,
        "kind": target.kind,
        "classes": list(target.classes),
        "currency": company.about.currency,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cutoffs": list(counts.cutoffs),
        "valid_start": split.valid_start.isoformat(),
        "test_start": split.test_start.isoformat(),
        "gap_days": config.gap_days,
        "horizon_days": config.horizon_days,
        "definition": config.definition,
        "population": describe_condition(target.population(config)),
        "spend_level": asdict(trained.spend) if trained.spend else None,
        "also_reads": list(trained.also_reads),
        "ranges": trained.ranges,
        "support": trained.support.to_dict(),
        "survival": trained.survival.to_dict() if trained.survival else None,
        "segments": segment_bounds(values) if target.kind == "regression" else None,
        "schema": json.loads(manifest.schema.to_json()),
        "features": [asdict(d) for d in describe(used, training)],
        "dropped_features": list(trained.dropped),
        "unknown_categories": unknown_shares(trained.estimator.encoder, trained.test.features),
        "label_counts": trained.label_counts,
        "fingerprint": manifest.fingerprint,
        "data_end": manifest.data_end,
        "code_revision": code_revision(workspace),
        "metrics": flat_metrics(trained.evaluation),
        "grade": trained.evaluation.grade,
        "grade_reason": trained.evaluation.reason,
    }
