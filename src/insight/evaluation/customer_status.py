"""Everybody's standing with his group and his move, as files and segments tell it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pandas as pd

from features.atomic_write import atomic_path
from features.errors import DataRefused
from features.execution.partitions import ROW_GROUP_SIZE, write_parquet
from insight.evaluation.assign_status import StatusAssignment, assign_status
from insight.evaluation.customer_groups import CustomerGroups, group_customers
from insight.evaluation.customer_metrics import MetricCalculator
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder
from insight.evaluation.evaluation_schema import MigrationMatrix
from insight.evaluation.migration_summary import summarise_stage_migration, summarise_tier_migration
from insight.evaluation.parquet_types import arrow
from insight.evaluation.scores_file import PredictedScores, add_status

Part = TypeVar("Part")


@dataclass
class EvaluationParts:
    """Makes the parts of an evaluation; one that the data do not allow is skipped with the reason."""

    skipped: dict[str, str] = field(default_factory=dict)

    def make(self, name: str, make: Callable[[], Part]) -> Part | None:
        """The part, or None where it is skipped."""
        try:
            return make()
        except DataRefused as err:
            self.skipped[name] = str(err)
            return None


@dataclass(frozen=True)
class StatusResult:
    """Where everybody stands: `table` is a row a customer, `tiers` and `stages` who moved."""

    place: StatusAssignment
    table: pd.DataFrame
    groups: CustomerGroups | None
    tiers: MigrationMatrix | None
    stages: MigrationMatrix | None

    def by_day(self) -> pd.DataFrame:
        """The standings of every month kept: `customer_id`, `period` (from when on), tier, stage."""
        parts = [
            month.table[["tier", "stage"]].assign(period=pd.Timestamp(month.as_of)).reset_index()
            for month in self.place.months
        ]
        return pd.concat(parts, ignore_index=True)


def compute_status(measurer: MetricCalculator, scored: PredictedScores | None, parts: EvaluationParts, redraw: bool = False) -> StatusResult:
    """Place everybody, write `standing.parquet` and the columns of the scores file.

    Raises DataRefused where no value can be told.
    """
    folder = evaluation_folder(measurer.workspace, measurer.company.name)
    scores, versions = (scored.table, scored.versions) if scored else (None, {})
    place = assign_status(measurer, scores, versions, redraw)
    parts.skipped |= place.skipped
    names = list(place.yardsticks.settings.dimensions)
    groups = parts.make("groups", lambda: group_customers(place.months[-1].table[names], folder))
    moved = parts.make(
        "tiers", lambda: summarise_tier_migration(place.months, place.yardsticks, measurer.choices)
    )
    stages = parts.make("stages", lambda: summarise_stage_migration(place.months))
    table = place.table.assign(as_of=pd.Timestamp(place.today.as_of))
    table["group"] = groups.of if groups else None
    table = table.join(place.fuzzy_grades(measurer.choices.value.grades))
    table["tier_before"], table["moved_because"] = None, None
    if moved:
        table["tier_before"] = place.months[-2].table["tier"].reindex(table.index)
        table["moved_because"] = moved[1]["cause"].reindex(table.index)
    _write(table, folder / STATUS_FILE)
    if scored:
        add_status(measurer.workspace.scores(measurer.company.name), table)
    return StatusResult(place, table, groups, moved[0] if moved else None, stages)


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write the standing in the order of the ids, whole or not at all."""
    with atomic_path(path) as temporary:
        write_parquet(temporary, [arrow(table.sort_index())], ROW_GROUP_SIZE)
