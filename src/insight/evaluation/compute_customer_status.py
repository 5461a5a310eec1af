"""Compute the status of all customers, with groups and migrations, and write it to the files."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pandas as pd

from features.atomic_write import atomic_path
from features.config.company import Company
from features.config.snapshot_settings import NO_DATES
from features.errors import DataRefused
from features.execution.partitions import ROW_GROUP_SIZE, write_parquet
from insight.evaluation.assign_status import StatusAssignment, assign_status
from insight.evaluation.customer_groups import CustomerGroups, group_customers
from insight.evaluation.customer_metrics import MetricCalculator
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder
from insight.evaluation.evaluation_schema import MigrationMatrix
from insight.evaluation.migration_summary import (
    summarise_stage_migration,
    summarise_tier_migration,
)
from insight.evaluation.scores_file import PredictedScores, add_status
from insight.evaluation.tier_history import to_arrow

Part = TypeVar("Part")


@dataclass
class EvaluationParts:
    """Computes the parts of an evaluation; a part that the data do not allow is skipped.

    `obstacle` is the reason behind all skipped parts, where there is a single one.
    """

    skipped: dict[str, str] = field(default_factory=dict)
    obstacle: str | None = None

    @classmethod
    def of(cls, company: Company) -> "EvaluationParts":
        """The parts of a company; nothing that compares times can be made of a snapshot."""
        return cls(obstacle=NO_DATES if company.snapshot else None)

    def compute(self, name: str, compute: Callable[[], Part]) -> Part | None:
        """Return the part, or None if it is skipped; `skipped` then has the reason."""
        try:
            return compute()
        except DataRefused as err:
            self.skipped[name] = self.obstacle or str(err)
            return None


@dataclass(frozen=True)
class StatusResult:
    """Status of all customers: `table` has one row per customer, `tiers` and `stages` the migrations."""

    assignment: StatusAssignment
    table: pd.DataFrame
    groups: CustomerGroups | None
    tiers: MigrationMatrix | None
    stages: MigrationMatrix | None

    def by_date(self) -> pd.DataFrame:
        """Return the status of the stored months: `customer_id`, `period` (its start), tier, stage."""
        parts = [
            month.table[["tier", "stage"]].assign(period=pd.Timestamp(month.as_of)).reset_index()
            for month in self.assignment.months
        ]
        return pd.concat(parts, ignore_index=True)


def compute_status(
    calculator: MetricCalculator,
    scored: PredictedScores | None,
    parts: EvaluationParts,
    redraw: bool = False,
) -> StatusResult:
    """Compute every customer's status; write `customer_status.parquet` and columns of the scores.

    Raises DataRefused where no value score can be computed.
    """
    folder = evaluation_folder(calculator.workspace, calculator.company.name)
    scores, versions = (scored.table, scored.versions) if scored else (None, {})
    assignment = assign_status(calculator, scores, versions, redraw)
    parts.skipped |= assignment.skipped
    months, scales = assignment.months, assignment.scales
    names = list(scales.settings.dimensions)
    groups = parts.compute(
        "groups", lambda: group_customers(months[-1].table[names].dropna(how="all"), folder)
    )
    tiers = parts.compute(
        "tiers", lambda: summarise_tier_migration(months, scales, calculator.settings)
    )
    stages = parts.compute("stages", lambda: summarise_stage_migration(months))
    table = assignment.table.assign(as_of=pd.Timestamp(assignment.today.as_of))
    table["group"] = groups.of if groups else None
    table = table.join(assignment.fuzzy_grades(calculator.settings.value.grades))
    table["tier_before"], table["moved_because"] = None, None
    if tiers:
        table["tier_before"] = months[-2].table["tier"].reindex(table.index)
        table["moved_because"] = tiers[1]["cause"].reindex(table.index)
    _write(table, folder / STATUS_FILE)
    if scored:
        add_status(calculator.workspace.scores(calculator.company.name), table)
    return StatusResult(assignment, table, groups, tiers[0] if tiers else None, stages)


def _write(table: pd.DataFrame, path: Path) -> None:
    """Write the status atomically, sorted by customer."""
    with atomic_path(path) as temporary:
        write_parquet(temporary, [to_arrow(table.sort_index())], ROW_GROUP_SIZE)
