"""Migration between tiers and between stages since the month before, with its causes."""

import pandas as pd

from features.errors import DataRefused
from features.json_values import finite_or_none
from insight.calls.call_ranking import NO_CUSTOMERS
from insight.evaluation.evaluation_schema import MigrationCause, MigrationMatrix
from insight.evaluation.evaluation_settings import EvaluationSettings
from insight.evaluation.reference_scales import ReferenceScales
from insight.evaluation.tier_history import TierMonth
from insight.segments.lifecycle_stages import count_transitions
from insight.segments.migrations import count_causes, find_migrations, migration_matrix
from insight.segments.tier_hysteresis import changed_share
from insight.segments.tier_thresholds import classify_tiers, fit_thresholds

NO_MONTH = "the history is too short to compare with an earlier month; evaluate again next month"


def summarise_tier_migration(
    months: list[TierMonth], scales: ReferenceScales, settings: EvaluationSettings
) -> tuple[MigrationMatrix, pd.DataFrame]:
    """Return the migration matrix since the month before with its causes, and one row per move.

    Raises DataRefused without a month before.
    """
    before, now = _last_two(months)
    stored = scales.stored
    then, today = _customers(before), _customers(now)
    moves = find_migrations(then, today, stored.weights.share, stored.thresholds, stored.thresholds)
    counts = migration_matrix(then["tier"], today["tier"], stored.thresholds.names)
    causes = [
        MigrationCause(
            cause=str(cause), up=int(row["up"]), down=int(row["down"]), other=int(row["other"])
        )
        for cause, row in count_causes(moves, stored.thresholds.names).iterrows()
    ]
    plain = [_tiers_of_month_alone(month, settings) for month in (before, now)]
    return _matrix(before, now, counts).model_copy(
        update={
            "moved": finite_or_none(changed_share(before.table["tier"], now.table["tier"])),
            "plain": finite_or_none(changed_share(*plain)),
            "causes": causes,
        }
    ), moves


def summarise_stage_migration(months: list[TierMonth]) -> MigrationMatrix:
    """Return the migration matrix of the stages since the month before.

    Raises DataRefused without a month before, and for an impossible transition.
    """
    before, now = _last_two(months)
    one, other = before.table["stage"], now.table["stage"]
    customers = one[~one.isin(NO_CUSTOMERS)]  # who had left already could not change much
    return _matrix(before, now, count_transitions(one, other)).model_copy(
        update={"moved": finite_or_none(changed_share(customers, other))}
    )


def _customers(month: TierMonth) -> pd.DataFrame:
    """The month without those who had no tier as they were no customers: they enter and leave."""
    outside = month.table["tier"].isna() & month.table["stage"].isin(["lost", "prospect"])
    return month.table[~outside]


def _last_two(months: list[TierMonth]) -> tuple[TierMonth, TierMonth]:
    if len(months) < 2:
        raise DataRefused(NO_MONTH)
    return months[-2], months[-1]


def _matrix(before: TierMonth, now: TierMonth, counts: pd.DataFrame) -> MigrationMatrix:
    return MigrationMatrix(
        since=before.as_of,
        until=now.as_of,
        before=[str(n) for n in counts.index],
        after=[str(n) for n in counts.columns],
        customers=counts.to_numpy(int).tolist(),
        moved=None,
        rebuilt=before.rebuilt,
    )


def _tiers_of_month_alone(month: TierMonth, settings: EvaluationSettings) -> pd.Series:
    """The tiers by thresholds of that month alone, for comparison."""
    score = month.table["value_score"]
    try:
        return classify_tiers(score, fit_thresholds(score, settings.tiers))
    except DataRefused:  # too many equal scores in that month: no comparison
        return pd.Series(None, score.index, dtype=object)
