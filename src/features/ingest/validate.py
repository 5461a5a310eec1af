"""Validate a table against the contract before it becomes part of the history.

A violated rule is reported with table, column, row count and remedy. Rows that break a rule go to a
quarantine file; more than the company's `max_bad_share` of a table stops the run.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from features.config.company import Company
from features.ingest.read_table import SourceTable
from features.ingest.sql import quote_literal
from features.ingest.validation_rules import ContractRule, contract_rules
from features.row_audit import RowAudit


@dataclass(frozen=True)
class RuleViolation:
    """A violated rule, with how many of the table's rows break it."""

    table: str
    rule: ContractRule
    rows: int
    total: int

    def __str__(self) -> str:
        return (
            f"table {self.table}, column {self.rule.column}: {self.rule.name} in {self.rows:,} of "
            f"{self.total:,} rows; {self.rule.remedy}"
        )


@dataclass(frozen=True)
class InvalidRowFiles:
    """Where a table's rows that break the contract are written.

    `quarantine` belongs to the results of an import. `refused` does not, so that the rows of a table
    that stopped its run can be looked at afterwards.
    """

    quarantine: Path
    refused: Path

    def clear(self) -> None:
        """Remove the rows of a former run."""
        for path in (self.quarantine, self.refused):
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class ValidationResult:
    """The violated rules of a table, and why the table cannot be used (None if it can)."""

    violations: list[RuleViolation]
    refusal: str | None


def validate_table(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    source: SourceTable,
    limit: datetime,
    files: InvalidRowFiles,
    audit: RowAudit,
) -> ValidationResult:
    """Validate `typed_<table>` against the contract; creates `good_<table>` with the valid rows.

    A table is refused when it is empty or when too large a share of it is invalid (the refusal then
    names every violated rule). `limit` is the time after which a record is in the future.
    """
    name = source.contract.name
    total = _count(con, f"typed_{name}")
    rules = list(contract_rules(con, company, source, limit))
    flags = ", ".join(f"coalesce({r.condition}, false) as broken_{i}" for i, r in enumerate(rules))
    con.execute(f"create temp table flagged as select *, {flags} from typed_{name}")
    violations, is_invalid, removed = _count_violations(con, name, rules, total)
    refusal = _refusal(company, violations, (sum(removed.values()), total), files.refused)
    files.clear()
    if removed:
        _write_invalid_rows(con, rules, is_invalid, files.refused if refusal else files.quarantine)
    for rule, rows in removed.items():
        audit.add_removed(name, "quarantine", rule, rows)
    _create_valid_table(con, source, rules, is_invalid, audit)
    if not total:
        return ValidationResult([], _explain_empty(company, source))
    return ValidationResult(violations, refusal)


def _count_violations(
    con: duckdb.DuckDBPyConnection, name: str, rules: list[ContractRule], total: int
) -> tuple[list[RuleViolation], str, dict[str, int]]:
    """The violated rules, the SQL condition of an invalid row, and the rows removed by each rule.

    A row counts as removed by the first rule that it breaks.
    """
    names = [f"{rule.column}: {rule.name}" for rule in rules]
    first = " ".join(f"when broken_{i} then {i}" for i in range(len(rules)))
    counts = con.execute(
        f"select {', '.join(f'count(*) filter (broken_{i})' for i in range(len(rules)))} from flagged"
    ).fetchall()[0]
    removed = con.execute(
        f"select case {first} end as rule, count(*) from flagged where rule is not null "
        "group by 1 order by 1"
    ).fetchall()
    violations = [RuleViolation(name, r, n, total) for r, n in zip(rules, counts, strict=True) if n]
    is_invalid = " or ".join(f"broken_{i}" for i in range(len(rules)))
    return violations, is_invalid, {names[i]: rows for i, rows in removed}


def _create_valid_table(
    con: duckdb.DuckDBPyConnection,
    source: SourceTable,
    rules: list[ContractRule],
    is_invalid: str,
    audit: RowAudit,
) -> None:
    name = source.contract.name
    extra = ", ".join([*(f"broken_{i}" for i in range(len(rules))), *_raw(source)])
    filled = "replace (coalesce(known_at, occurred_at) as known_at)" if name == "events" else ""
    if "known_at" in source.columns:
        rows = _count(con, f"flagged where known_at is null and not ({is_invalid})")
        if rows:
            audit.add_changed(name, "fill", "known_at is empty: occurred_at is used", rows)
    con.execute(
        f"create temp table good_{name} as select * exclude ({extra}) {filled} "
        f"from flagged where not ({is_invalid})"
    )
    con.execute(f"drop table flagged; drop table typed_{name}")


def _explain_empty(company: Company, source: SourceTable) -> str:
    name, dropped = source.contract.name, sum(source.dropped.values())
    also = f" ({dropped:,} removed by drop rules)" if dropped else ""
    return (
        f"table {name} is empty: 0 rows{also}; "
        f"check its files, or remove tables.{name} from {company.path.name}"
    )


def _refusal(
    company: Company, violations: list[RuleViolation], counted: tuple[int, int], refused: Path
) -> str | None:
    """Why a table is refused: more rows are invalid than the company allows, or none is valid."""
    invalid, total = counted
    if not invalid:
        return None
    name, share = violations[0].table, invalid / total
    if share > company.info.max_bad_share:
        lines = "\n".join(f"  - {v}" for v in violations)
        return (
            f"{invalid:,} of {total:,} rows of table {name} break the contract "
            f"({share:.2%}; max_bad_share allows {company.info.max_bad_share:.2%}):\n{lines}\n"
            f"  the rows are in {refused}; fix them, remove them with a rule under "
            f"tables.{name}.drop, or raise company.max_bad_share in {company.path.name}"
        )
    if invalid == total:
        return (
            f"no valid row of table {name} is left: all {total:,} rows break the contract, see "
            f"{refused}; fix them, or remove tables.{name} from {company.path.name}"
        )
    return None


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def _raw(source: SourceTable) -> list[str]:
    return [f'"raw_{c}"' for c in source.converted]


def _write_invalid_rows(
    con: duckdb.DuckDBPyConnection, rules: list[ContractRule], is_invalid: str, path: Path
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    named = ", ".join(
        f"case when broken_{i} then '{r.column}: {r.name}' end" for i, r in enumerate(rules)
    )
    flags = ", ".join(f"broken_{i}" for i in range(len(rules)))
    con.execute(
        f"copy (select concat_ws('; ', {named}) as broken_rules, * exclude ({flags}) "
        f"from flagged where {is_invalid}) to {quote_literal(str(path))} (format parquet)"
    )
