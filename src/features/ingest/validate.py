"""The border of the house: every row is held against the contract before it becomes history.

A broken rule is reported with table, column, row count and remedy. Broken rows go to a quarantine
file; more than the company's `max_bad_share` of a table stops the run.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from features.config.company import Company
from features.ingest.read_table import SourceTable
from features.ingest.validation_rules import ContractRule, contract_rules
from features.ingest.sql import quote_literal
from features.row_audit import RowAudit


@dataclass(frozen=True)
class RuleViolation:
    """A broken rule, with how many rows of how many break it."""

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
class ValidationResult:
    """What the rules found in a table: the broken ones, and why it cannot be used, if it cannot."""

    broken: list[RuleViolation]
    refusal: str | None


def validate_table(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    mapped: SourceTable,
    limit: datetime,
    quarantine: Path,
    ledger: RowAudit,
) -> ValidationResult:
    """Hold `typed_<table>` against the contract; leave `good_<table>` without the broken rows.

    A table is refused when it is empty or when too large a share of it is broken (the refusal then
    names every broken rule). `limit` is the instant after which a record is from the future.
    """
    name = mapped.contract.name
    total = _count(con, f"typed_{name}")
    rules = list(contract_rules(con, company, mapped, limit))
    flags = ", ".join(f"coalesce({r.broken}, false) as broken_{i}" for i, r in enumerate(rules))
    con.execute(f"create temp table flagged as select *, {flags} from typed_{name}")
    broken, bad, leaving = _count_broken(con, name, rules, total)
    quarantine.unlink(missing_ok=True)  # a former run's rows
    if leaving:
        _write_quarantine(con, rules, bad, quarantine)
    for rule, rows in leaving.items():
        ledger.add_removed(name, "quarantine", rule, rows)
    _keep_good(con, mapped, rules, bad, ledger)
    if not total:
        return ValidationResult([], _empty(company, mapped))
    return ValidationResult(broken, _too_broken(company, broken, (sum(leaving.values()), total), quarantine))


def _count_broken(
    con: duckdb.DuckDBPyConnection, name: str, rules: list[ContractRule], total: int
) -> tuple[list[RuleViolation], str, dict[str, int]]:
    """Rows breaking each rule, the condition of a broken row, rows leaving by the first they break."""
    names = [f"{rule.column}: {rule.name}" for rule in rules]
    first = " ".join(f"when broken_{i} then {i}" for i in range(len(rules)))
    counts = con.execute(
        f"select {', '.join(f'count(*) filter (broken_{i})' for i in range(len(rules)))} from flagged"
    ).fetchall()[0]
    leaving = con.execute(
        f"select case {first} end as rule, count(*) from flagged where rule is not null "
        "group by 1 order by 1"
    ).fetchall()
    broken = [RuleViolation(name, r, n, total) for r, n in zip(rules, counts, strict=True) if n]
    bad = " or ".join(f"broken_{i}" for i in range(len(rules)))
    return broken, bad, {names[i]: rows for i, rows in leaving}


def _keep_good(
    con: duckdb.DuckDBPyConnection, mapped: SourceTable, rules: list[ContractRule], bad: str, ledger: RowAudit
) -> None:
    name = mapped.contract.name
    extra = ", ".join([*(f"broken_{i}" for i in range(len(rules))), *_raw(mapped)])
    filled = "replace (coalesce(known_at, occurred_at) as known_at)" if name == "events" else ""
    if "known_at" in mapped.columns:
        rows = _count(con, f"flagged where known_at is null and not ({bad})")
        if rows:
            ledger.add_changed(name, "fill", "known_at is empty: occurred_at stands in", rows)
    con.execute(
        f"create temp table good_{name} as select * exclude ({extra}) {filled} "
        f"from flagged where not ({bad})"
    )
    con.execute(f"drop table flagged; drop table typed_{name}")


def _empty(company: Company, mapped: SourceTable) -> str:
    name, left_out = mapped.contract.name, sum(mapped.dropped.values())
    also = f" ({left_out:,} left out by drop rules)" if left_out else ""
    return (
        f"table {name} is empty: 0 rows{also}; "
        f"check its files, or remove tables.{name} from {company.path.name}"
    )


def _too_broken(
    company: Company, found: list[RuleViolation], counted: tuple[int, int], quarantine: Path
) -> str | None:
    """Why a table is refused: more rows are broken than the company allows, or none is left."""
    broken, total = counted
    if not broken:
        return None
    name, share = found[0].table, broken / total
    if share > company.info.max_bad_share:
        lines = "\n".join(f"  - {f}" for f in found)
        return (
            f"{broken:,} of {total:,} rows of table {name} break the contract "
            f"({share:.2%}; max_bad_share allows {company.info.max_bad_share:.2%}):\n{lines}\n"
            f"  the rows are in {quarantine}; mend them, leave them out with a rule under "
            f"tables.{name}.drop, or raise company.max_bad_share in {company.path.name}"
        )
    if broken == total:
        return (
            f"no row of table {name} is left: all {total:,} rows break the contract, see "
            f"{quarantine}; mend them, or remove tables.{name} from {company.path.name}"
        )
    return None


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def _raw(mapped: SourceTable) -> list[str]:
    return [f'"raw_{c}"' for c in mapped.converted]


def _write_quarantine(
    con: duckdb.DuckDBPyConnection, rules: list[ContractRule], bad: str, path: Path
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    named = ", ".join(
        f"case when broken_{i} then '{r.column}: {r.name}' end" for i, r in enumerate(rules)
    )
    flags = ", ".join(f"broken_{i}" for i in range(len(rules)))
    con.execute(
        f"copy (select concat_ws('; ', {named}) as broken_rules, * exclude ({flags}) "
        f"from flagged where {bad}) to {quote_literal(str(path))} (format parquet)"
    )
