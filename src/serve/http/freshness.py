"""The age of the features: part of every answer, with a warning or a refusal past a limit."""

from datetime import UTC, datetime
from typing import Any

from features.config.company import ServingSettings
from serve.errors import StaleFeatures
from serve.scoring.scorer import ScoreBatch, Scorer

HOUR = 3600.0


def describe_freshness(batch: ScoreBatch, limits: ServingSettings) -> dict[str, Any]:
    """Build the fields of an answer on the age of its features, with a warning past the limit."""
    age = age_seconds(batch.as_of)
    warnings = []
    if limits.warn_after_hours is not None and age > limits.warn_after_hours * HOUR:
        warnings.append(
            f"the features are {_format_age(age)} old; the company's limit is "
            f"{_format_age(limits.warn_after_hours * HOUR)}"
        )
    return {
        "as_of": batch.as_of,
        "feature_age_seconds": age,
        "warnings": [*warnings, *batch.warnings],
    }


def refuse_stale_snapshot(scorer: Scorer) -> None:
    """Raise StaleFeatures when the snapshot is older than the company permits."""
    limit = scorer.limits.refuse_after_hours
    age = age_seconds(scorer.as_of())
    if limit is not None and age > limit * HOUR:
        raise StaleFeatures(
            f"the features are {_format_age(age)} old; the company permits at most "
            f"{_format_age(limit * HOUR)}; run `goodwill retrain` or `goodwill features`"
        )


def age_seconds(as_of: datetime) -> float:
    """Return the seconds since a cutoff; 0 for one in the future."""
    return max(0.0, (datetime.now(UTC) - as_of).total_seconds())


def _format_age(seconds: float) -> str:
    hours = seconds / HOUR
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
