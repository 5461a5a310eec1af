"""Import the tables of a company: read through the mapping, correct, validate against the contract."""

from collections.abc import Callable
from dataclasses import replace

import duckdb

from features.config.company import Company
from features.data_quality.duplicates import check_duplicates_in_sources
from features.data_quality.imported_table import ImportedTable
from features.errors import DataRefused
from features.import_history.incremental import (
    FullImportNeeded,
    IncrementalImport,
    check_no_lost_customers,
    check_same_types,
    merge_row_audits,
    prepend_stored_rows,
    source_types,
)
from features.ingest.applied_feedback import AppliedFeedback
from features.ingest.corrections import apply_corrections, audit_reading, audit_scales
from features.ingest.feedback_calls import read_calls
from features.ingest.feedback_import import FeedbackRules, add_feedback
from features.ingest.read_table import SourceTable, count_query_rows, read_table
from features.ingest.reversed_scales import turn_reversed_scales
from features.ingest.source_views import read_postgres_queries
from features.ingest.time_bounds import latest_allowed
from features.ingest.validate import InvalidRowFiles, validate_table
from features.progress import Steps
from features.row_audit import RowAudit
from features.settings import Workspace

#: The order of import: customers come first, as rows of unknown customers are refused elsewhere.
ORDER = ("customers", "events", "surveys", "tickets")


def import_tables(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    workspace: Workspace,
    audit: RowAudit,
    steps: Steps,
    store: Callable[[SourceTable], int] | None = None,
    incremental: IncrementalImport | None = None,
) -> list[ImportedTable]:
    """Import every table of a company, in order; `store` writes one and returns its row count.

    With `store`, the first refused table raises DataRefused. Without, all tables are imported, and
    refusals are in their validation results. With `incremental`, only new files of daily tables are
    read; raises FullImportNeeded where that would differ from reading everything.
    """
    read_postgres_queries(con, company, workspace, steps)
    imported = []
    for name in (n for n in ORDER if n in company.tables):
        with steps.step(f"check {name}") as done:
            is_incremental = incremental is not None and name in incremental.new_files
            if incremental and is_incremental:
                table = _import_new_files(con, company, name, workspace, audit, incremental)
            else:
                table = import_table(con, company, name, workspace, audit)
            if name == "events":
                table = replace(table, feedback=_apply_feedback(con, company, workspace, audit))
            if incremental and name == "customers":
                check_no_lost_customers(con, incremental)
            imported.append(table)
            if store and table.validation.refusal and not is_incremental:
                raise DataRefused(table.validation.refusal)
            done(rows=store(table.source) if store else audit.row_count(name),
                 dropped=sum(table.source.dropped.values()),
                 quarantined=sum(v.rows for v in table.validation.violations),
                 **(table.feedback.figures() if table.feedback else {}))  # fmt: skip
        if table.feedback:
            steps.note(table.feedback.note())
    return imported


def _apply_feedback(
    con: duckdb.DuckDBPyConnection, company: Company, workspace: Workspace, audit: RowAudit
) -> AppliedFeedback | None:
    """Apply the feedback to the company's own events."""
    rules = FeedbackRules(
        company.feedback,
        company.info.time_zone,
        latest_allowed(company),
        workspace.company(company.name) / "quarantine" / "feedback.parquet",
    )
    return add_feedback(con, read_calls(workspace.feedback(company.name)), rules, audit)


def _import_new_files(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    workspace: Workspace,
    audit: RowAudit,
    incremental: IncrementalImport,
) -> ImportedTable:
    """Import the new files of a daily table and prepend the stored rows."""
    _check_rows_need_new_files(con, company, name, workspace, incremental)
    new_audit = RowAudit()
    table = import_table(con, company, name, workspace, new_audit, incremental)
    times = {c.name for c in table.source.contract.columns if c.kind == "time"}
    text_times = tuple(c for c in table.source.converted if c in times)
    check_same_types(table.source_types, incremental, name, text_times)
    if table.validation.violations:
        violation = table.validation.violations[0]
        raise FullImportNeeded(f"new rows break the contract: {violation}")
    prepend_stored_rows(con, incremental, name)
    daily = tuple(incremental.new_files[name])
    merged = merge_row_audits(incremental.row_audit, new_audit, name, daily).lines
    audit.lines += merged
    dropped = {line.rule: line.rows for line in merged if line.step == "drop"}
    return replace(table, source=replace(table.source, dropped=dropped))


def _check_rows_need_new_files(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    workspace: Workspace,
    incremental: IncrementalImport,
) -> None:
    """Raise FullImportNeeded when the query gives rows without any file of the daily sources.

    Such rows, of a union with another source, are stored already and would be added every night.
    """
    mapping = company.tables[name]  # type: ignore[index]
    if set(mapping.origins) == set(mapping.daily_sources):
        return
    nothing: dict[str, list[str]] = {source: [] for source in mapping.daily_sources}
    without = replace(incremental, new_files={**incremental.new_files, name: nothing})
    reading = without.with_new_files(company)
    if rows := count_query_rows(con, reading, name, workspace, incremental.types[name]):
        raise FullImportNeeded(
            f"the query of tables.{name} gives {rows:,} rows without any file of its daily sources "
            f"({', '.join(mapping.daily_sources)})"
        )


def import_table(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    workspace: Workspace,
    audit: RowAudit,
    incremental: IncrementalImport | None = None,
) -> ImportedTable:
    """Read, correct and validate one table; the audit records every row removed or changed.

    With `incremental`, only the new files of its daily sources are read. Raises DataRefused or
    ConfigRefused when it cannot be read; rows that break the contract are in the validation result.
    """
    mapping = company.tables[name]  # type: ignore[index]
    reading = incremental.with_new_files(company) if incremental else company
    known_types = incremental.types[name] if incremental else None
    source = read_table(con, reading, name, workspace, known_types)
    repeated_rows = list(check_duplicates_in_sources(con, name, mapping))
    audit_reading(con, mapping, source, audit)
    apply_corrections(con, company, source, audit)
    if name == "surveys":
        turn_reversed_scales(con, audit)
    files = InvalidRowFiles(
        workspace.company(company.name) / "quarantine" / f"{name}.parquet",
        workspace.refused_rows(company.name) / f"{name}.parquet",
    )
    validation = validate_table(con, company, source, latest_allowed(company), files, audit)
    if name == "surveys":
        audit_scales(con, audit)
    types = source_types(con, mapping.daily_sources)
    return ImportedTable(source, validation, repeated_rows, types)
