"""A table after its import: its rows in DuckDB, and what the import found."""

from dataclasses import dataclass

from features.data_quality.finding import TableFinding
from features.ingest.applied_feedback import AppliedFeedback
from features.ingest.read_table import SourceTable
from features.ingest.validate import ValidationResult


@dataclass(frozen=True)
class ImportedTable:
    """An imported table, whose rows are in the DuckDB table `good_<name>`.

    `repeated_rows` are rows that several files hold. `source_types` are the columns of its daily
    sources with their SQL types. `feedback` is what became of the feedback, in events only.
    """

    source: SourceTable
    validation: ValidationResult
    repeated_rows: list[TableFinding]
    source_types: dict[str, dict[str, str]]
    feedback: AppliedFeedback | None = None
