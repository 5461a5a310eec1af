"""The border of the house: every row is held against the contract before it becomes history.

A broken rule is reported with table, column, row count and remedy. Broken rows go to a quarantine
file; more than the company's `max_bad_share` of a table stops the run.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from features.company import Company
from features.contract import INSTRUMENTS
from features.errors import DataRefused
from features.sources import OFFSET, Mapped


@dataclass(frozen=True)
class Rule:
    """A rule of the contract: the SQL condition of a row that breaks it, and the remedy."""

    name: str
    column: str
    broken: str
    remedy: str


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
    if total == 0:
        left_out = sum(mapped.dropped.values())
        also = f" ({left_out:,} left out by drop rules)" if left_out else ""
        raise DataRefused(
            f"table {name} is empty: 0 rows{also}; "
            f"check its files, or remove tables.{name} from {company.path.name}"
        )
    rules = list(_rules(con, company, mapped, limit))
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
    share = broken / total
    if broken and share > company.about.max_bad_share:
        lines = "\n".join(f"  - {f}" for f in findings)
        raise DataRefused(
            f"{broken:,} of {total:,} rows of table {name} break the contract "
            f"({share:.2%}; max_bad_share allows {company.about.max_bad_share:.2%}):\n{lines}\n"
            f"  the rows are in {quarantine}; mend them, leave them out with a rule under "
            f"tables.{name}.drop, or raise company.max_bad_share in {company.path.name}"
        )
    if broken == total:
        raise DataRefused(
            f"no row of table {name} is left: all {total:,} rows break the contract, see {quarantine}; "
            f"mend them, or remove tables.{name} from {company.path.name}"
        )
    extra = ", ".join([*(f"broken_{i}" for i in range(len(rules))), *_raw(mapped)])
    filled = "replace (coalesce(known_at, occurred_at) as known_at)" if name == "events" else ""
    con.execute(
        f"create temp table good_{name} as select * exclude ({extra}) {filled} "
        f"from flagged where not ({bad})"
    )
    con.execute(f"drop table flagged; drop table typed_{name}")
    return findings


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


def _rules(
    con: duckdb.DuckDBPyConnection, company: Company, mapped: Mapped, limit: datetime
) -> Iterator[Rule]:
    """Every rule that holds for a table of this contract."""
    contract = mapped.contract
    yield from _conversions(con, company, mapped)
    for column in contract.columns:
        always = column.required and column.revealed_by is None
        if always or (column.name == contract.clock and column.name in mapped.columns):
            yield Rule("no value", column.name, f'"{column.name}" is null', "every row needs one")
    latest = f"timestamptz '{limit.isoformat()}'"
    for column in contract.columns:
        if column.kind == "time" and column.name != "due_at":
            yield Rule(
                f"future dates, after {limit:%Y-%m-%d %H:%M} UTC",
                column.name,
                f'"{column.name}" > {latest}',
                "records cannot come from the future: mend the clock, the zone or company.data_end",
            )
    if "customers" in company.tables and contract.name != "customers":
        yield Rule(
            "unknown customers",
            "customer_id",
            "customer_id is not null and customer_id not in (select customer_id from good_customers)",
            "add them to the customers table, or drop their rows",
        )
    yield from _table_rules(contract.name, mapped)


def _conversions(
    con: duckdb.DuckDBPyConnection, company: Company, mapped: Mapped
) -> Iterator[Rule]:
    """What could not be read as its type, and times of which only some carry a zone."""
    for name in mapped.converted:
        column = mapped.contract.column(name)
        is_time = column is not None and column.kind == "time"
        what = "unparsable dates" if is_time else "wrong type, not a number"
        remedy = (
            "write them as 2024-05-31 13:45:00, or parse them in the expression with strptime"
            if is_time
            else "mend the values, or cast them in the expression"
        )
        yield Rule(what, name, f'"raw_{name}" is not null and "{name}" is null', remedy)
        if is_time:
            yield from _mixed_zones(con, company, mapped.contract.name, name)


def _mixed_zones(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, name: str
) -> Iterator[Rule]:
    """A column mixes zones when some texts carry an offset and some none, or the offsets differ
    other than by the summer time of the company's own zone."""
    text = f'trim("raw_{name}")'
    offset = f"case when contains({text}, ':') then regexp_extract({text}, '{OFFSET}') else '' end"
    counted = con.execute(
        f"select {offset}, count(*) from typed_{table} where {text} is not null "
        "group by 1 order by 2 desc, 1"
    ).fetchall()
    found = [row[0] for row in counted]
    if len(found) < 2 or set(found) <= _offsets_of(company.about.time_zone):
        return
    yield Rule(
        f"mixed time zones ({', '.join(o or 'none' for o in found[:4])})",
        name,
        f"{text} is not null and {offset} <> '{found[0]}'",
        "give every time an offset or none (then company.time_zone, now "
        f"{company.about.time_zone}, holds), or convert in the expression, such as x::timestamptz",
    )


def _offsets_of(zone: str) -> set[str]:
    """The offsets a zone has in summer and winter, in the spellings a text may use."""
    moments = (datetime(2024, month, 1, tzinfo=ZoneInfo(zone)) for month in (1, 7))
    plain = {moment.strftime("%z") for moment in moments}
    spelt = plain | {f"{o[:3]}:{o[3:]}" for o in plain} | {o[:3] for o in plain if o[3:] == "00"}
    return spelt | {"Z"} if "+0000" in plain else spelt


def _table_rules(name: str, mapped: Mapped) -> Iterator[Rule]:
    """What only this table must obey."""
    if name == "customers":
        key = "customer_id, valid_from" if "valid_from" in mapped.columns else "customer_id"
        yield Rule(
            "duplicate customer versions",
            key.split(", ")[-1],
            f"count(*) over (partition by {key}) > 1",
            f"keep one row for each {key.replace(', ', ' and ')}",
        )
    elif name == "events":
        for column in ("amount", "quantity"):
            broken = f'"{column}" is not null and not isfinite("{column}")'
            yield Rule("not a finite number", column, broken, "mend the values")
    elif name == "surveys":
        yield from _survey_rules()
    else:
        for later in ("first_reply_at", "closed_at"):
            broken = f'"{later}" < opened_at'
            yield Rule(f"{later} before opened_at", later, broken, "mend the order of the times")


def _survey_rules() -> Iterator[Rule]:
    yield Rule(
        "negative scale, its top is not above its bottom",
        "scale_high",
        "not (scale_high > scale_low)",
        "map scale_low to the worst and scale_high to the best answer",
    )
    for column in ("score", "expectation"):
        yield Rule(
            f"{column} outside its scale",
            column,
            f"scale_high > scale_low and ({column} < scale_low or {column} > scale_high"
            f" or not isfinite({column}))",
            "mend the scale, or map codes such as 'not used' to null",
        )
    yield Rule(
        "a score without the time of the answer",
        "answered_at",
        "score is not null and answered_at is null",
        "map answered_at, the moment from which the answer was known",
    )
    yield Rule("answered before it was sent", "answered_at", "answered_at < sent_at",
               "mend the order of the times")  # fmt: skip
    known = ", ".join(f"'{i}'" for i in INSTRUMENTS)
    yield Rule("unknown instrument", "instrument", f"instrument not in ({known})",
               f"map it to one of {', '.join(INSTRUMENTS)}")  # fmt: skip
    yield Rule("weight is not positive", "weight", "not (weight > 0 and isfinite(weight))",
               "a weight says how many customers the row stands for")  # fmt: skip
