"""Describe a trained target: the manifest of its model and its results on the test rows."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from features.config.company import Company
from features.definitions.catalog import describe_features
from features.definitions.feature_registry import FeatureColumn
from features.history_store import Manifest
from features.settings import Workspace
from models.bundles.model_manifest import HoldoutSummary, ModelManifest, code_revision
from models.bundles.unknown_categories import unknown_shares
from models.evaluation.grade import ModelEvaluation
from models.evaluation.origin_evaluation import OriginsEvaluation
from models.model_card.render_card import Card
from models.targets.outputs import segment_bounds
from models.training.train import TrainedTarget, flatten_metrics, training_set_path
from models.training_set.build_training_sets import LabelCounts
from models.validation.holdout_evaluation import HoldoutResult


def describe_model(
    trained: TrainedTarget,
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    counts: LabelCounts,
    used: list[FeatureColumn],
    comment_model: str | None,
) -> ModelManifest:
    """Describe a trained target: its origin, the columns it reads, its measures; no version yet.

    `comment_model` is the digest of the model that reads the comments, None where it reads none.
    """
    target, config, split = trained.target, trained.config, trained.split
    training = training_set_path(company, workspace, target.name)
    population = target.population(config)
    return ModelManifest(
        company=company.name,
        target=target.name,
        kind=target.kind,
        classes=list(target.classes),
        currency=company.info.currency,
        trained_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cutoffs=list(counts.cutoffs),
        valid_start=split.valid_start.isoformat(),
        test_start=split.test_start.isoformat(),
        gap_days=config.gap_days,
        horizon_days=config.horizon_days,
        definition=config.definition,
        population=asdict(population) if population else None,
        spend_level=asdict(trained.spend) if trained.spend else None,
        also_reads=list(trained.also_reads),
        ranges=trained.ranges,
        support=trained.support.to_dict(),
        survival=trained.survival.to_dict() if trained.survival else None,
        never_negative=trained.never_negative,
        sums=trained.sums.to_dict() if trained.sums else None,
        segments=segment_bounds(trained.predictions["model"]) if trained.spend else None,
        schema=json.loads(manifest.schema.to_json()),
        features=[asdict(d) for d in describe_features(used, training)],
        dropped_features=list(trained.dropped),
        unknown_categories=unknown_shares(trained.estimator.encoder, trained.test.features),
        label_counts=trained.label_counts,
        labels_until=trained.labels.until.isoformat(),
        labels_digest=trained.labels.digest,
        fingerprint=manifest.fingerprint,
        data_end=manifest.data_end,
        code_revision=code_revision(workspace),
        tone=comment_model,
        **_judgement(trained),
    )


def _judgement(trained: TrainedTarget) -> dict[str, Any]:
    """The fields of the manifest about how the judged model did."""
    return {
        "metrics": flatten_metrics(trained.evaluation),
        "origins": trained.origins.to_dict(),
        "origin_limits": list(trained.limits),
        "grade": trained.evaluation.grade,
        "grade_reason": trained.evaluation.reason,
    }


def summarise_holdout(
    evaluation: ModelEvaluation, origins: OriginsEvaluation, holdout: HoldoutResult, card: Card
) -> HoldoutSummary:
    """Summarise the results of a model on its test rows, with its card, as JSON can hold them.

    A metric that was measured at all origins is their mean, with the interval that holds the spread
    between them.
    """
    results = json.loads(evaluation.to_json())
    for who, found in origins.to_dict()["metrics"].items():
        results["metrics"][who] |= found
    coverage = {name: c.share for name, c in holdout.coverage_apart.items()}
    return HoldoutSummary(
        card=card.markdown(),
        primary=results["primary"],
        origins=len(origins.each),
        measures=results["metrics"],
        calibration=[
            {"case": case, **{k: each[k] for k in ("predicted", "observed", "low", "high", "rows")}}
            for case, bins in holdout.bins().items()
            for each in bins
        ],
        coverage=coverage.get("others"),
        coverage_nothing=coverage.get("nothing"),
    )
