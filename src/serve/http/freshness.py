"""How old the features of an answer are, and what that means for it."""

from datetime import UTC, datetime
from typing import Any

from serve.errors import StaleFeatures
from serve.scoring.scorer import AgeLimits, ScoreBatch, Scorer

HOUR = 3600.0


def describe_freshness(batch: ScoreBatch, limits: AgeLimits) -> dict[str, Any]:
    """The part of an answer that says how old its features are, with a warning past the limit."""
    age = age_seconds(batch.as_of)
    warnings = []
    if limits.warn_after_hours is not None and age > limits.warn_after_hours * HOUR:
        warnings.append(
            f"the features are {_told(age)} old; the company wants them at most "
            f"{_told(limits.warn_after_hours * HOUR)} old"
        )
    return {
        "as_of": batch.as_of,
        "feature_age_seconds": age,
        "warnings": [*warnings, *batch.warnings],
    }


def refuse_stale_snapshot(scorer: Scorer) -> None:
    """Raise StaleFeatures when the snapshot is older than the company allows to answer from."""
    most = scorer.limits.refuse_after_hours
    age = age_seconds(scorer.as_of())
    if most is not None and age > most * HOUR:
        raise StaleFeatures(
            f"the features are {_told(age)} old, more than the {_told(most * HOUR)} the company allows; "
            "run `goodwill retrain` or `goodwill features`"
        )


def age_seconds(as_of: datetime) -> float:
    """Seconds since a cutoff; 0 for one to come."""
    return max(0.0, (datetime.now(UTC) - as_of).total_seconds())


def _told(seconds: float) -> str:
    hours = seconds / HOUR
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"
