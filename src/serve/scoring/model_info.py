"""What a loaded model says about itself, out of the manifest of its bundle."""

from datetime import datetime

from models.bundles.bundle import Bundle
from serve.scoring.scorer import ModelDetails, ModelInfo


def describe_model(bundle: Bundle) -> ModelInfo:
    """How a model was trained and how good it is."""
    facts = bundle.manifest
    return ModelInfo(
        target=bundle.target,
        version=bundle.version,
        trained_at=datetime.fromisoformat(facts["trained_at"]),
        cutoffs=[datetime.fromisoformat(c) for c in facts["cutoffs"]],
        horizon_days=int(facts["horizon_days"]),
        metrics=dict(facts["metrics"]),
        grade=str(facts["grade"]),
        features=len(facts["features"]),
        label_counts=dict(facts["label_counts"]),
        currency=str(facts.get("currency") or ""),
    )


def model_details(bundle: Bundle) -> ModelDetails:
    """All there is to know of a model; a bundle of an older version has no card, only its metrics."""
    about = bundle.about or {"primary": "", "measures": {}, "calibration": [], "coverage": None}
    return ModelDetails(info=describe_model(bundle), **{"card": "", **about})
