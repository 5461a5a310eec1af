"""All checks over all tables of a company, and what the report draws of them."""

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
    missing_values,
    outliers,
    profile,
    survey_scales,
    timestamps,
    units,
)
from features.data_quality.checked_table import CheckedTable
from features.data_quality.daily_counts import DailyCounts
from features.data_quality.finding import SEVERITIES, TableFinding, rank_findings
from features.import_history.import_table import ImportedTable, data_bounds
from features.ingest.validate import RuleViolation
from features.row_audit import AuditLine, RowAudit
from features.settings import Workspace

Check = Callable[[CheckedTable], Iterator[TableFinding]]

#: Checks of every table, of tables with a clock, and of the customers all tables know.
ANY_TABLE: tuple[Check, ...] = (
    missing_values.check_empty_columns,
    missing_values.check_identifying_attributes,
    missing_values.check_missing_values,
    duplicates.check_duplicates,
    outliers.check_outliers,
    category_drift.check_spellings,
)
CLOCKED: tuple[Check, ...] = (
    timestamps.check_time_order, timestamps.check_rows_before_crm, timestamps.check_amount_signs, timestamps.check_time_of_day,
    category_drift.check_paused_values, units.check_units, survey_scales.check_survey_scales, activity.check_answer_rate,
)  # fmt: skip
CUSTOMERS: tuple[Check, ...] = (
    activity.check_newcomer_surges, activity.check_id_spellings, activity.check_collective_id,
)  # fmt: skip


@dataclass(frozen=True)
class DataQualityReport:
    """How usable a company's tables are: findings, the ledger, and what pictures are drawn of.

    `refusals` say which tables cannot be imported as they are.
    """

    company: str
    data_start: str
    data_end: str
    rows: dict[str, int]
    findings: list[TableFinding]
    ledger: list[AuditLine]
    refusals: list[str] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many findings of each severity there are."""
        return {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}

    def write(self, workspace: Workspace) -> Path:
        """Write `usability.json` into the folder of the company, whole or not at all."""
        path = data_quality_file(workspace, self.company)
        content = {
            **vars(self),
            "findings": [f.to_dict() for f in self.findings],
            "ledger": [vars(line) for line in self.ledger],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, json.dumps(content, indent=1, ensure_ascii=False))
        return path

    @classmethod
    def read(cls, workspace: Workspace, company: str) -> "DataQualityReport | None":
        """What was found when the tables were last read; None if they never were."""
        path = data_quality_file(workspace, company)
        if not path.is_file():
            return None
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["findings"] = [TableFinding(**f) for f in raw["findings"]]
        raw["ledger"] = [AuditLine(**line) for line in raw["ledger"]]
        return cls(**raw)


def data_quality_file(workspace: Workspace, company: str) -> Path:
    """Where the findings of a company are kept."""
    return workspace.company(company) / "usability.json"


def check_tables(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    taken: list[ImportedTable],
    ledger: RowAudit,
) -> DataQualityReport:
    """Run every check over the tables as they were taken in (`good_<table>` in DuckDB)."""
    mapped = {t.mapped.contract.name: t.mapped for t in taken}
    span = data_bounds(con, company, mapped)
    tables = [CheckedTable(con, company, m, ledger.row_count(n), span[1]) for n, m in mapped.items()]
    tables = [s for s in tables if s.rows]
    findings = report_broken_rules([b for t in taken for b in t.verdict.broken]) + report_idle_rules(ledger)
    findings += [f for t in taken for f in t.repeated]
    drawn: dict[str, Any] = {"tables": {}}
    if tables:
        activity.create_activity_table(con, tables)
    for table in tables:
        found, drawn["tables"][table.name] = _table(table)
        findings += found
    main = next((s for s in tables if s.name == "events"), tables[-1] if tables else None)
    if main:
        findings += [f for check in CUSTOMERS for f in run_check(check, main)]
        drawn["customers"] = [list(month) for month in activity.count_first_and_last_seen(main)]
    findings += [f for s in tables for f in run_check(activity.check_never_active, s)]
    return DataQualityReport(
        company.name, span[0].isoformat(), span[1].isoformat(),
        {n: ledger.row_count(n) for n in mapped}, rank_findings(findings), ledger.lines,
        [t.verdict.refusal for t in taken if t.verdict.refusal], drawn,
    )  # fmt: skip


def _table(table: CheckedTable) -> tuple[list[TableFinding], dict[str, Any]]:
    """The findings of one table and its profile."""
    line: DailyCounts | None = None
    if table.clock:
        daily_counts.count_time_slots(table)
        line = daily_counts.count_days(table)
    checks = (*ANY_TABLE, *(CLOCKED if line and table.name != "customers" else ()))
    found = [f for check in checks for f in run_check(check, table)]
    found += run_check(timestamps.check_date_range, table, line)
    if line and table.name != "customers":
        found += run_check(completeness.check_volume_drops, table, line)
        found += run_check(category_drift.check_vanished_and_new_values, table, line)
    return found, profile.build_profile(table, line)


def run_check(check: Callable[..., Iterator[TableFinding]], table: CheckedTable, *more: Any) -> list[TableFinding]:
    """The findings of a check. One that cannot be made says so: it must not stop an import."""
    try:
        return list(check(table, *more))
    except (duckdb.Error, ArithmeticError, ValueError, OSError) as err:
        return [
            TableFinding(
                table.name, "", "not checked", "warning", table.rows, table.rows,
                f"the check {check.__module__.rsplit('.', 1)[-1]}.{check.__name__} could not be "
                f"made: {str(err).splitlines()[0]}",
                "look for values beyond what a date or a number can be",
            )
        ]  # fmt: skip


def report_broken_rules(broken: list[RuleViolation]) -> list[TableFinding]:
    """The contract's broken rules as findings: errors, for their rows do not reach the history."""
    return [
        TableFinding(
            b.table, b.rule.column, "contract", "error", b.rows, b.total,
            f"{b.rule.name} in {b.rows:,} of {b.total:,} rows", b.rule.remedy,
        )
        for b in broken
    ]  # fmt: skip


def report_idle_rules(ledger: RowAudit) -> list[TableFinding]:
    """Drop rules and corrections that no row met: misspelt, or no longer needed."""
    return [
        TableFinding(
            line.table, "", "idle rule", "advice", 0, line.before,
            f"the {line.step} rule {line.rule!r} met no row",
            "check its condition, or take it out",
        )
        for line in ledger.lines
        if line.step in ("drop", "correct") and not line.rows
    ]  # fmt: skip
