"""Who moved since the month before, between tiers and between stages, and what moved him."""

import math

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import MigrationCause, MigrationMatrix
from insight.evaluation.evaluation_settings import EvaluationSettings
from insight.evaluation.reference_scales import ReferenceScales
from insight.evaluation.tier_history import TierMonth
from insight.segments.lifecycle_stages import count_transitions
from insight.segments.migrations import count_causes, find_migrations, migration_matrix
from insight.segments.tier_hysteresis import changed_share
from insight.segments.tier_thresholds import classify_tiers, fit_thresholds

NO_MONTH = (
    "there is no month before to compare with: the history is too short; evaluate again next month"
)


def summarise_tier_migration(
    months: list[TierMonth], yardsticks: ReferenceScales, choices: EvaluationSettings
) -> tuple[MigrationMatrix, pd.DataFrame]:
    """The migration matrix since the month before with its causes, and every move, a row each.

    Raises DataRefused where there is no month before.
    """
    before, now = _pair(months)
    kept = yardsticks.kept
    moves = find_migrations(before.table, now.table, kept.weights.share, kept.borders, kept.borders)
    counts = migration_matrix(before.table["tier"], now.table["tier"], kept.borders.names)
    told = [
        MigrationCause(cause=str(cause), up=int(row["up"]), down=int(row["down"]), other=int(row["other"]))
        for cause, row in count_causes(moves, kept.borders.names).iterrows()
    ]
    plain = [_plainly(month, choices) for month in (before, now)]
    return _moves(before, now, counts).model_copy(
        update={
            "moved": _known(changed_share(before.table["tier"], now.table["tier"])),
            "plain": _known(changed_share(*plain)),
            "causes": told,
        }
    ), moves


def summarise_stage_migration(months: list[TierMonth]) -> MigrationMatrix:
    """Customers by stage the month before and now.

    Raises DataRefused where there is no month before, or one became what he cannot become.
    """
    before, now = _pair(months)
    one, other = before.table["stage"], now.table["stage"]
    return _moves(before, now, count_transitions(one, other)).model_copy(
        update={"moved": _known(changed_share(one, other))}
    )


def _pair(months: list[TierMonth]) -> tuple[TierMonth, TierMonth]:
    if len(months) < 2:
        raise DataRefused(NO_MONTH)
    return months[-2], months[-1]


def _moves(before: TierMonth, now: TierMonth, counts: pd.DataFrame) -> MigrationMatrix:
    return MigrationMatrix(
        since=before.as_of,
        until=now.as_of,
        before=[str(n) for n in counts.index],
        after=[str(n) for n in counts.columns],
        customers=counts.to_numpy(int).tolist(),
        moved=None,
        rebuilt=before.rebuilt,
    )


def _plainly(month: TierMonth, choices: EvaluationSettings) -> pd.Series:
    """The tiers by borders drawn on that month alone, as they are drawn elsewhere."""
    figure = month.table["value_score"]
    try:
        return classify_tiers(figure, fit_thresholds(figure, choices.tiers))
    except DataRefused:  # too many alike that month; there is nothing to set beside
        return pd.Series(None, figure.index, dtype=object)


def _known(share: float) -> float | None:
    return share if math.isfinite(share) else None
