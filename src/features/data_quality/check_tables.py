"""All data quality checks of a company's tables, and the report they make."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.data_quality import (
    activity,
    category_drift,
    completeness,
    daily_counts,
    duplicates,
    event_kinds,
    missing_values,
    outliers,
    profile,
    survey_scales,
    timestamps,
    units,
)
from features.data_quality.checked_table import CheckedTable
from features.data_quality.daily_counts import DailyCounts
from features.data_quality.feedback_findings import check_feedback
from features.data_quality.finding import SEVERITIES, TableFinding, rank_findings
from features.data_quality.imported_table import ImportedTable
from features.ingest.reversed_scales import TURNED_AROUND
from features.ingest.time_bounds import data_bounds
from features.ingest.validate import RuleViolation
from features.row_audit import AuditLine, RowAudit
from features.settings import Workspace

Check = Callable[[CheckedTable], Iterator[TableFinding]]

#: Checks of every table, of tables with a time column, and of the customers across tables.
ANY_TABLE: tuple[Check, ...] = (
    missing_values.check_empty_columns,
    missing_values.check_identifying_attributes,
    missing_values.check_missing_values,
    duplicates.check_duplicates,
    outliers.check_outliers,
    category_drift.check_spellings,
    event_kinds.check_kinds,
)
CLOCKED: tuple[Check, ...] = (
    timestamps.check_time_order,
    timestamps.check_rows_before_crm,
    timestamps.check_amount_signs,
    timestamps.check_time_of_day,
    category_drift.check_paused_values,
    units.check_units,
    survey_scales.check_survey_scales,
    activity.check_answer_rate,
)
CUSTOMERS: tuple[Check, ...] = (
    activity.check_newcomer_surges,
    activity.check_id_spellings,
    activity.check_collective_id,
)


@dataclass(frozen=True)
class DataQualityReport:
    """Data quality of a company's tables: findings, row audit, and the profile that is plotted.

    `refusals` are messages about tables that cannot be imported.
    """

    company: str
    data_start: str
    data_end: str
    rows: dict[str, int]
    findings: list[TableFinding]
    row_audit: list[AuditLine]
    refusals: list[str] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Number of findings by severity."""
        return {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}

    def write(self, workspace: Workspace) -> Path:
        """Write `data-quality.json` into the company's folder, atomically."""
        path = data_quality_file(workspace, self.company)
        content = {
            "company": self.company,
            "data_start": self.data_start,
            "data_end": self.data_end,
            "rows": self.rows,
            "findings": [f.to_dict() for f in self.findings],
            "ledger": [vars(line) for line in self.row_audit],
            "refusals": self.refusals,
            "profile": self.profile,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, json.dumps(content, indent=1, ensure_ascii=False))
        return path

    @classmethod
    def read(cls, workspace: Workspace, company: str) -> "DataQualityReport | None":
        """Read the stored report; None if the tables have never been checked."""
        path = data_quality_file(workspace, company)
        if not path.is_file():
            return None
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["findings"] = [TableFinding(**f) for f in raw["findings"]]
        raw["row_audit"] = [AuditLine(**line) for line in raw.pop("ledger")]
        return cls(**raw)


def data_quality_file(workspace: Workspace, company: str) -> Path:
    """Path of a company's data quality report."""
    return workspace.company(company) / "data-quality.json"


def check_tables(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    taken: list[ImportedTable],
    audit: RowAudit,
) -> DataQualityReport:
    """Run every check on the imported tables (`good_<table>` in DuckDB)."""
    mapped = {t.source.contract.name: t.source for t in taken}
    span = data_bounds(con, company, mapped)
    tables = [CheckedTable(con, company, m, audit.row_count(n), span[1]) for n, m in mapped.items()]
    tables = [t for t in tables if t.rows]
    findings = report_broken_rules([b for t in taken for b in t.validation.violations])
    findings += report_idle_rules(audit)
    findings += report_turned_scales(audit)
    findings += [f for t in taken for f in t.repeated_rows]
    findings += [f for t in taken if t.feedback for f in check_feedback(t.feedback)]
    profiles: dict[str, Any] = {"tables": {}}
    if tables:
        activity.create_activity_table(con, tables)
    for table in tables:
        found, profiles["tables"][table.name] = _check_table(table)
        findings += found
    main = next((t for t in tables if t.name == "events"), tables[-1] if tables else None)
    if main:
        findings += [f for check in CUSTOMERS for f in run_check(check, main)]
        profiles["customers"] = [list(month) for month in activity.count_first_and_last_seen(main)]
    if not company.snapshot:  # which has no other tables
        findings += [f for t in tables for f in run_check(activity.check_never_active, t)]
    return DataQualityReport(
        company.name, span[0].isoformat(), span[1].isoformat(),
        {n: audit.row_count(n) for n in mapped}, rank_findings(findings), audit.lines,
        [t.validation.refusal for t in taken if t.validation.refusal], profiles,
    )  # fmt: skip


def _check_table(table: CheckedTable) -> tuple[list[TableFinding], dict[str, Any]]:
    """The findings of one table and its profile."""
    daily: DailyCounts | None = None
    if table.clock:
        daily_counts.count_time_slots(table)
        daily = daily_counts.count_days(table)
    checks = (*ANY_TABLE, *(CLOCKED if daily and table.name != "customers" else ()))
    found = [f for check in checks for f in run_check(check, table)]
    found += run_check(timestamps.check_date_range, table, daily)
    if daily and table.name != "customers":
        found += run_check(completeness.check_volume_drops, table, daily)
        found += run_check(completeness.check_late_rows, table, daily)
        found += run_check(category_drift.check_vanished_and_new_values, table, daily)
    return found, profile.build_profile(table, daily)


def run_check(
    check: Callable[..., Iterator[TableFinding]], table: CheckedTable, *more: Any
) -> list[TableFinding]:
    """The findings of a check; a failed check becomes a finding itself, so that it stops no import."""
    try:
        return list(check(table, *more))
    except (duckdb.Error, ArithmeticError, ValueError, OSError) as err:
        return [
            TableFinding(
                table.name, "", "not checked", "warning", table.rows, table.rows,
                f"the check {check.__module__.rsplit('.', 1)[-1]}.{check.__name__} failed: "
                f"{str(err).splitlines()[0]}",
                "look for values outside the range of a date or a number",
            )
        ]  # fmt: skip


def report_broken_rules(broken: list[RuleViolation]) -> list[TableFinding]:
    """Violations of contract rules as findings of severity error: their rows are excluded."""
    return [
        TableFinding(
            b.table, b.rule.column, "contract", "error", b.rows, b.total,
            f"{b.rule.name} in {b.rows:,} of {b.total:,} rows", b.rule.remedy,
        )
        for b in broken
    ]  # fmt: skip


def report_idle_rules(audit: RowAudit) -> list[TableFinding]:
    """Drop rules and corrections that matched no row: wrong, or no longer needed."""
    return [
        TableFinding(
            line.table, "", "idle rule", "advice", 0, line.before,
            f"the {line.step} rule {line.rule!r} matched no row",
            "check its condition, or remove it",
        )
        for line in audit.lines
        if line.step in ("drop", "correct") and not line.rows
    ]  # fmt: skip


def report_turned_scales(audit: RowAudit) -> list[TableFinding]:
    """Answers on scales whose best answer is mapped below the worst: meant, or two columns swapped."""
    return [
        TableFinding(
            line.table, "score", "scale", "advice", line.rows, line.before,
            f"{line.rows:,} answers to {line.rule}",
            "nothing if the lower number is the best answer, such as a school mark; if it is the worst, "
            "swap scale_low and scale_high",
        )
        for line in audit.lines
        if line.step == "scale" and TURNED_AROUND in line.rule
    ]  # fmt: skip
