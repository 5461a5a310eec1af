"""The rules of the data contract: the SQL condition of a row that breaks each, and the remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from textwrap import shorten
from zoneinfo import ZoneInfo

import duckdb

from features.config.company import Company
from features.contract import INSTRUMENTS, ContractColumn, TableContract
from features.ingest.read_table import SourceTable
from features.ingest.sql import quote_identifier
from features.ingest.time_texts import zone_sql

#: No record of a customer is older.
EARLIEST = 1900


@dataclass(frozen=True)
class ContractRule:
    """A rule of the contract: `condition` is the SQL condition of a row that breaks it."""

    name: str
    column: str
    condition: str
    remedy: str


def contract_rules(
    con: duckdb.DuckDBPyConnection, company: Company, source: SourceTable, limit: datetime
) -> Iterator[ContractRule]:
    """The rules that apply to a table."""
    contract = source.contract
    yield from _conversions(con, company, source)
    for column in contract.columns:
        always = column.required and column.revealed_by is None
        if always or (column.name == contract.clock and column.name in source.columns):
            yield ContractRule(
                "no value", column.name, f'"{column.name}" is null', "every row needs one"
            )
    latest = f"timestamptz '{limit.isoformat()}'"
    for column in contract.columns:
        if column.kind == "time":
            yield ContractRule(
                "infinite dates",
                column.name,
                f'not isfinite("{column.name}")',
                "map 'infinity' to null, such as nullif(x, 'infinity')",
            )
        if column.kind == "time" and (column.name in source.columns or column.default == "null"):
            yield _too_early(contract, column)
        if column.kind == "time" and column.name != "due_at":
            yield ContractRule(
                f"future dates, after {limit:%Y-%m-%d %H:%M} UTC",
                column.name,
                f'"{column.name}" > {latest}',
                "records cannot come from the future: correct the clock, the zone or company.data_end",
            )
    if "customers" in company.tables and contract.name != "customers":
        yield ContractRule(
            "unknown customers",
            "customer_id",
            "customer_id is not null and customer_id not in (select customer_id from good_customers)",
            f"add them to the customers table, or drop their rows{_other_spelling(con, contract.name)}",
        )
    yield from _table_rules(source, company.tables[contract.name].columns)  # type: ignore[index]


def _too_early(contract: TableContract, column: ContractColumn) -> ContractRule:
    """No record of a customer is that old: a year without its century, or a sign for no date."""
    when = f"{column.name} < timestamptz '{EARLIEST}-01-01'"
    if contract.name == "customers":
        remedy = (
            f"write years with four digits; for 'since ever', under tables.customers.correct: since = "
            f'{{ column = "{column.name}", when = "{when}", '
            f"becomes = \"timestamptz '{EARLIEST}-01-01'\" }}"
        )
    elif column.required and column.revealed_by is None:
        remedy = (
            "write years with four digits; rows without a date are dropped by a rule under "
            f"tables.{contract.name}.drop on the column it is read from"
        )
    else:
        remedy = (
            f"write years with four digits; for 'no date', under tables.{contract.name}.correct: none = "
            f'{{ column = "{column.name}", when = "{when}", becomes = "null" }}'
        )
    return ContractRule(f"dates before {EARLIEST}", column.name, when, remedy)


def _other_spelling(con: duckdb.DuckDBPyConnection, table: str) -> str:
    """An unknown customer whose id is a known one but for zeros, blanks or case; empty without one."""
    plain = "lower(regexp_replace(regexp_replace(trim(customer_id), '[.]0+$', ''), '^0+', ''))"
    found = con.execute(
        f"select u.customer_id, c.customer_id from (select distinct customer_id, {plain} as p "
        f"from typed_{table} where customer_id not in (select customer_id from good_customers)) u "
        f"join (select distinct customer_id, {plain} as p from good_customers) c using (p) "
        "order by all limit 1"
    ).fetchall()
    if not found:
        return ""
    unknown, known = found[0]
    return f"; {unknown!r} may be {known!r}: write ids the same way in all tables"


def _conversions(
    con: duckdb.DuckDBPyConnection, company: Company, source: SourceTable
) -> Iterator[ContractRule]:
    """Rules for values that could not be cast to their type, and for times with mixed zones."""
    for name in source.converted:
        column = source.contract.column(name)
        is_time = column is not None and column.kind == "time"
        what = "unparsable dates" if is_time else "wrong type, not a number"
        remedy = (
            "write them as 2024-05-31 13:45:00, alone or with an offset or zone (+02:00, UTC, "
            "Europe/Berlin), or parse them in the expression with strptime"
            if is_time
            else "correct the values, cast them in the expression, or declare the marks of numbers "
            'under csv: decimal = "," and thousands = "." for 1.234,56; thousands = "," for 1,234.56'
        )
        condition = f'"raw_{name}" is not null and "{name}" is null'
        example = con.execute(
            f'select min("raw_{name}") from typed_{source.contract.name} where {condition}'
        ).fetchall()[0][0]
        such = "" if example is None else f"such as {shorten(example, 40)!r}: "
        yield ContractRule(what, name, condition, such + remedy)
        if is_time:
            yield from _mixed_zones(con, company, source.contract.name, name)


def _mixed_zones(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, name: str
) -> Iterator[ContractRule]:
    """A rule if a column mixes zones: some texts have an offset and some none, or the offsets differ
    by more than the daylight saving time of the company's zone."""
    text, offset = f'"raw_{name}"', zone_sql(f'"raw_{name}"')
    counted = con.execute(
        f"select {offset}, count(*) from typed_{table} where {text} is not null "
        "group by 1 order by 2 desc, 1"
    ).fetchall()
    found = [row[0] for row in counted]
    if len(found) < 2 or set(found) <= _offsets_of(company.info.time_zone):
        return
    yield ContractRule(
        f"mixed time zones ({', '.join(o or 'none' for o in found[:4])})",
        name,
        f"{text} is not null and {offset} <> '{found[0]}'",
        "give every time an offset or none (then company.time_zone, now "
        f"{company.info.time_zone}, holds), or convert in the expression, such as x::timestamptz",
    )


def _offsets_of(zone: str) -> set[str]:
    """The offsets of a zone in summer and winter, in all spellings that a text may use."""
    moments = (datetime(2024, month, 1, tzinfo=ZoneInfo(zone)) for month in (1, 7))
    offsets = {moment.strftime("%z") for moment in moments}
    with_colon = {f"{o[:3]}:{o[3:]}" for o in offsets}
    spellings = offsets | with_colon | {o[:3] for o in offsets if o[3:] == "00"}
    return spellings | {"Z", "UTC", "GMT"} if "+0000" in offsets else spellings


def _table_rules(source: SourceTable, mapped: Mapping[str, str]) -> Iterator[ContractRule]:
    """The rules of a single table; `mapped` are the expressions of its columns."""
    name = source.contract.name
    yield from _infinite_numbers(source, mapped)
    if name == "customers":
        key = "customer_id, valid_from" if "valid_from" in source.columns else "customer_id"
        yield ContractRule(
            "duplicate customer versions",
            key.split(", ")[-1],
            f"count(*) over (partition by {key}) > 1",
            f"keep one row for each {key.replace(', ', ' and ')}",
        )
    elif name == "events":
        for column in ("amount", "quantity"):
            condition = f'"{column}" is not null and not isfinite("{column}")'
            yield ContractRule(
                "not a finite number", column, condition,
                f"correct the values, or map them to null, {_finite_or_null(mapped, column)}",
            )  # fmt: skip
    elif name == "surveys":
        yield from _survey_rules()
    else:
        for later in ("first_reply_at", "closed_at"):
            condition = f'"{later}" < opened_at'
            yield ContractRule(
                f"{later} before opened_at", later, condition, "correct the order of the times"
            )


def _infinite_numbers(source: SourceTable, mapped: Mapping[str, str]) -> Iterator[ContractRule]:
    """Numbers without a bound, such as a ratio with a zero below; NaN in these columns is unknown."""
    numbers = [n for n, kind in source.attributes.items() if kind == "number"]
    numbers += ["severity"] if source.contract.column("severity") else []
    for column in numbers:
        yield ContractRule(
            "not a finite number",
            column,
            f"isinf({quote_identifier(column)})",
            f"correct the values, or map them to null, {_finite_or_null(mapped, column)}",
        )


def _finite_or_null(mapped: Mapping[str, str], column: str) -> str:
    """An expression that reads what is not finite as unknown."""
    given = mapped.get(column, column)
    return f'such as {column} = "case when isfinite({given}) then {given} end"'


def _survey_rules() -> Iterator[ContractRule]:
    yield ContractRule(
        "a scale without extent, its worst and its best answer are the same or not finite",
        "scale_high",
        "not (scale_high > scale_low and isfinite(scale_high) and isfinite(scale_low))",
        "map scale_low to the worst answer and scale_high to the best one, such as 5 and 1 for marks "
        "of which 1 is the best",
    )
    for column in ("score", "expectation"):
        yield ContractRule(
            f"{column} outside its scale",
            column,
            f"scale_high > scale_low and ({column} < scale_low or {column} > scale_high"
            f" or not isfinite({column}))",
            "correct the scale, or map codes such as 'not used' to null",
        )
    yield ContractRule(
        "a score without the time of the answer",
        "answered_at",
        "score is not null and answered_at is null",
        "map answered_at, the moment from which the answer was known",
    )
    yield ContractRule("answered before it was sent", "answered_at", "answered_at < sent_at",
               "correct the order of the times")  # fmt: skip
    known = ", ".join(f"'{i}'" for i in INSTRUMENTS)
    yield ContractRule("unknown instrument", "instrument", f"instrument not in ({known})",
               f"map it to one of {', '.join(INSTRUMENTS)}")  # fmt: skip
    yield ContractRule("weight is not positive", "weight", "not (weight > 0 and isfinite(weight))",
               "a weight is the number of customers that the row represents")  # fmt: skip
