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
from features.data_quality.checked_table import Subject
from features.data_quality.daily_counts import Timeline
from features.data_quality.finding import SEVERITIES, Finding, ranked
from features.import_history.import_table import Taken, span_of
from features.ingest.validate import Broken
from features.row_audit import Change, RowAudit
from features.settings import Workspace

Check = Callable[[Subject], Iterator[Finding]]

#: Checks of every table, of tables with a clock, and of the customers all tables know.
ANY_TABLE: tuple[Check, ...] = (
    missing_values.values,
    missing_values.naming,
    missing_values.missing,
    duplicates.duplicates,
    outliers.outliers,
    category_drift.spellings,
)
CLOCKED: tuple[Check, ...] = (
    timestamps.order_of_times, timestamps.before_first_version, timestamps.signs, timestamps.clock,
    category_drift.paused, units.units, survey_scales.surveys, activity.only_answered,
)  # fmt: skip
CUSTOMERS: tuple[Check, ...] = (
    activity.surges, activity.same_customer, activity.collective,
)  # fmt: skip


@dataclass(frozen=True)
class Usability:
    """How usable a company's tables are: findings, the ledger, and what pictures are drawn of.

    `refusals` say which tables cannot be imported as they are.
    """

    company: str
    data_start: str
    data_end: str
    rows: dict[str, int]
    findings: list[Finding]
    ledger: list[Change]
    refusals: list[str] = field(default_factory=list)
    profile: dict[str, Any] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """How many findings of each severity there are."""
        return {s: sum(f.severity == s for f in self.findings) for s in SEVERITIES}

    def write(self, workspace: Workspace) -> Path:
        """Write `usability.json` into the folder of the company, whole or not at all."""
        path = usability_file(workspace, self.company)
        content = {
            **vars(self),
            "findings": [f.to_dict() for f in self.findings],
            "ledger": [vars(line) for line in self.ledger],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, json.dumps(content, indent=1, ensure_ascii=False))
        return path

    @classmethod
    def read(cls, workspace: Workspace, company: str) -> "Usability | None":
        """What was found when the tables were last read; None if they never were."""
        path = usability_file(workspace, company)
        if not path.is_file():
            return None
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["findings"] = [Finding(**f) for f in raw["findings"]]
        raw["ledger"] = [Change(**line) for line in raw["ledger"]]
        return cls(**raw)


def usability_file(workspace: Workspace, company: str) -> Path:
    """Where the findings of a company are kept."""
    return workspace.company(company) / "usability.json"


def examine(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    taken: list[Taken],
    ledger: RowAudit,
) -> Usability:
    """Run every check over the tables as they were taken in (`good_<table>` in DuckDB)."""
    mapped = {t.mapped.contract.name: t.mapped for t in taken}
    span = span_of(con, company, mapped)
    subjects = [Subject(con, company, m, ledger.now(n), span[1]) for n, m in mapped.items()]
    subjects = [s for s in subjects if s.rows]
    findings = of_rules([b for t in taken for b in t.verdict.broken]) + of_idle_rules(ledger)
    findings += [f for t in taken for f in t.repeated]
    drawn: dict[str, Any] = {"tables": {}}
    if subjects:
        activity.lay_out(con, subjects)
    for subject in subjects:
        found, drawn["tables"][subject.name] = _table(subject)
        findings += found
    main = next((s for s in subjects if s.name == "events"), subjects[-1] if subjects else None)
    if main:
        findings += [f for check in CUSTOMERS for f in made(check, main)]
        drawn["customers"] = [list(month) for month in activity.by_month(main)]
    findings += [f for s in subjects for f in made(activity.never_active, s)]
    return Usability(
        company.name, span[0].isoformat(), span[1].isoformat(),
        {n: ledger.now(n) for n in mapped}, ranked(findings), ledger.lines,
        [t.verdict.refusal for t in taken if t.verdict.refusal], drawn,
    )  # fmt: skip


def _table(subject: Subject) -> tuple[list[Finding], dict[str, Any]]:
    """The findings of one table and its profile."""
    line: Timeline | None = None
    if subject.clock:
        daily_counts.lay_out(subject)
        line = daily_counts.timeline(subject)
    checks = (*ANY_TABLE, *(CLOCKED if line and subject.name != "customers" else ()))
    found = [f for check in checks for f in made(check, subject)]
    found += made(timestamps.ages, subject, line)
    if line and subject.name != "customers":
        found += made(completeness.drops, subject, line)
        found += made(category_drift.churned, subject, line)
    return found, profile.of(subject, line)


def made(check: Callable[..., Iterator[Finding]], subject: Subject, *more: Any) -> list[Finding]:
    """The findings of a check. One that cannot be made says so: it must not stop an import."""
    try:
        return list(check(subject, *more))
    except (duckdb.Error, ArithmeticError, ValueError, OSError) as err:
        return [
            Finding(
                subject.name, "", "not checked", "warning", subject.rows, subject.rows,
                f"the check {check.__module__.rsplit('.', 1)[-1]}.{check.__name__} could not be "
                f"made: {str(err).splitlines()[0]}",
                "look for values beyond what a date or a number can be",
            )
        ]  # fmt: skip


def of_rules(broken: list[Broken]) -> list[Finding]:
    """The contract's broken rules as findings: errors, for their rows do not reach the history."""
    return [
        Finding(
            b.table, b.rule.column, "contract", "error", b.rows, b.total,
            f"{b.rule.name} in {b.rows:,} of {b.total:,} rows", b.rule.remedy,
        )
        for b in broken
    ]  # fmt: skip


def of_idle_rules(ledger: RowAudit) -> list[Finding]:
    """Drop rules and corrections that no row met: misspelt, or no longer needed."""
    return [
        Finding(
            line.table, "", "idle rule", "advice", 0, line.before,
            f"the {line.step} rule {line.rule!r} met no row",
            "check its condition, or take it out",
        )
        for line in ledger.lines
        if line.step in ("drop", "correct") and not line.rows
    ]  # fmt: skip
