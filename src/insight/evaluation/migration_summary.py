"""Who moved since the month before, between tiers and between stages, and what moved him."""

import math

import pandas as pd

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import MigrationCause, MigrationMatrix
from insight.evaluation.evaluation_settings import Choices
from insight.evaluation.reference_scales import Yardsticks
from insight.evaluation.tier_history import Month
from insight.segments.lifecycle_stages import transitions
from insight.segments.migrations import causes, matrix, migrations
from insight.segments.tier_hysteresis import moved_share
from insight.segments.tier_thresholds import borders, tiers

NO_MONTH = (
    "there is no month before to compare with: the history is too short; evaluate again next month"
)


def tier_moves(
    months: list[Month], yardsticks: Yardsticks, choices: Choices
) -> tuple[MigrationMatrix, pd.DataFrame]:
    """The migration matrix since the month before with its causes, and every move, a row each.

    Raises DataRefused where there is no month before.
    """
    before, now = _pair(months)
    kept = yardsticks.kept
    moves = migrations(before.table, now.table, kept.weights.share, kept.borders, kept.borders)
    counts = matrix(before.table["tier"], now.table["tier"], kept.borders.names)
    told = [
        MigrationCause(cause=str(cause), up=int(row["up"]), down=int(row["down"]), other=int(row["other"]))
        for cause, row in causes(moves, kept.borders.names).iterrows()
    ]
    plain = [_plainly(month, choices) for month in (before, now)]
    return _moves(before, now, counts).model_copy(
        update={
            "moved": _known(moved_share(before.table["tier"], now.table["tier"])),
            "plain": _known(moved_share(*plain)),
            "causes": told,
        }
    ), moves


def stage_moves(months: list[Month]) -> MigrationMatrix:
    """Customers by stage the month before and now.

    Raises DataRefused where there is no month before, or one became what he cannot become.
    """
    before, now = _pair(months)
    one, other = before.table["stage"], now.table["stage"]
    return _moves(before, now, transitions(one, other)).model_copy(
        update={"moved": _known(moved_share(one, other))}
    )


def _pair(months: list[Month]) -> tuple[Month, Month]:
    if len(months) < 2:
        raise DataRefused(NO_MONTH)
    return months[-2], months[-1]


def _moves(before: Month, now: Month, counts: pd.DataFrame) -> MigrationMatrix:
    return MigrationMatrix(
        since=before.as_of,
        until=now.as_of,
        before=[str(n) for n in counts.index],
        after=[str(n) for n in counts.columns],
        customers=counts.to_numpy(int).tolist(),
        moved=None,
        rebuilt=before.rebuilt,
    )


def _plainly(month: Month, choices: Choices) -> pd.Series:
    """The tiers by borders drawn on that month alone, as they are drawn elsewhere."""
    figure = month.table["value_score"]
    try:
        return tiers(figure, borders(figure, choices.tiers))
    except DataRefused:  # too many alike that month; there is nothing to set beside
        return pd.Series(None, figure.index, dtype=object)


def _known(share: float) -> float | None:
    return share if math.isfinite(share) else None
