"""The border of the house: every row is held against the contract before it becomes history.

A broken rule is reported with table, column, row count and remedy. Broken rows go to a quarantine
file; more than the company's `max_bad_share` of a table stops the run.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from features.company import Company
from features.errors import DataRefused
from features.rules import Rule, rules_of
from features.sources import Mapped


@dataclass(frozen=True)
class Finding:
    """A broken rule, with how many rows of how many break it."""

    table: str
    rule: Rule
    rows: int
    total: int

    def __str__(self) -> str:
        return (
            f"table {self.table}, column {self.rule.column}: {self.rule.name} in {self.rows:,} of "
            f"{self.total:,} rows; {self.rule.remedy}"
        )


def check_table(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    mapped: Mapped,
    limit: datetime,
    quarantine: Path,
) -> list[Finding]:
    """Hold `typed_<table>` against the contract; leave `good_<table>` without the broken rows.

    Raises DataRefused for an empty table, and when too large a share is broken (then
    every finding is in the message). `limit` is the instant after which a record is from the future.
    """
    name = mapped.contract.name
    total = _count(con, f"typed_{name}")
    _refuse_empty(company, mapped, total)
    rules = list(rules_of(con, company, mapped, limit))
    flags = ", ".join(f"coalesce({r.broken}, false) as broken_{i}" for i, r in enumerate(rules))
    con.execute(f"create temp table flagged as select *, {flags} from typed_{name}")
    counts = con.execute(
        f"select {', '.join(f'count(*) filter (broken_{i})' for i in range(len(rules)))} from flagged"
    ).fetchall()[0]
    findings = [Finding(name, r, n, total) for r, n in zip(rules, counts, strict=True) if n]
    bad = " or ".join(f"broken_{i}" for i in range(len(rules)))
    broken = con.execute(f"select count(*) from flagged where {bad}").fetchall()[0][0]
    quarantine.unlink(missing_ok=True)  # a former run's rows
    if broken:
        _write_quarantine(con, rules, bad, quarantine)
    _refuse_broken(company, findings, (broken, total), quarantine)
    extra = ", ".join([*(f"broken_{i}" for i in range(len(rules))), *_raw(mapped)])
    filled = "replace (coalesce(known_at, occurred_at) as known_at)" if name == "events" else ""
    con.execute(
        f"create temp table good_{name} as select * exclude ({extra}) {filled} "
        f"from flagged where not ({bad})"
    )
    con.execute(f"drop table flagged; drop table typed_{name}")
    return findings


def _refuse_empty(company: Company, mapped: Mapped, total: int) -> None:
    if total:
        return
    name, left_out = mapped.contract.name, sum(mapped.dropped.values())
    also = f" ({left_out:,} left out by drop rules)" if left_out else ""
    raise DataRefused(
        f"table {name} is empty: 0 rows{also}; "
        f"check its files, or remove tables.{name} from {company.path.name}"
    )


def _refuse_broken(
    company: Company, findings: list[Finding], counted: tuple[int, int], quarantine: Path
) -> None:
    """Stop when more rows are broken than the company allows, or none is left."""
    broken, total = counted
    if not broken:
        return
    name, share = findings[0].table, broken / total
    if share > company.about.max_bad_share:
        lines = "\n".join(f"  - {f}" for f in findings)
        raise DataRefused(
            f"{broken:,} of {total:,} rows of table {name} break the contract "
            f"({share:.2%}; max_bad_share allows {company.about.max_bad_share:.2%}):\n{lines}\n"
            f"  the rows are in {quarantine}; mend them, leave them out with a rule under "
            f"tables.{name}.drop, or raise company.max_bad_share in {company.path.name}"
        )
    if broken == total:
        raise DataRefused(
            f"no row of table {name} is left: all {total:,} rows break the contract, see "
            f"{quarantine}; mend them, or remove tables.{name} from {company.path.name}"
        )


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {table}").fetchall()[0][0])


def _raw(mapped: Mapped) -> list[str]:
    return [f'"raw_{c}"' for c in mapped.converted]


def _write_quarantine(
    con: duckdb.DuckDBPyConnection, rules: list[Rule], bad: str, path: Path
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    named = ", ".join(
        f"case when broken_{i} then '{r.column}: {r.name}' end" for i, r in enumerate(rules)
    )
    flags = ", ".join(f"broken_{i}" for i in range(len(rules)))
    target = str(path).replace("'", "''")
    con.execute(
        f"copy (select concat_ws('; ', {named}) as broken_rules, * exclude ({flags}) "
        f"from flagged where {bad}) to '{target}' (format parquet)"
    )
