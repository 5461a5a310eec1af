"""Changes a company's file asks for: rows counted as they came, values corrected, duplicates removed."""

import duckdb

from features.config.company import Company
from features.config.table_mapping import Correction, TableMapping
from features.ingest.read_table import SourceTable
from features.ingest.sql import quote_identifier, run_company_sql
from features.row_audit import RowAudit

_TYPES = {"text": "varchar", "number": "double", "flag": "double", "time": "timestamptz"}


def audit_reading(
    con: duckdb.DuckDBPyConnection, mapping: TableMapping, mapped: SourceTable, ledger: RowAudit
) -> None:
    """Write down what the sources held, what the query made of it and what drop rules left out.

    The sources must still be bound, as `map_table` leaves them.
    """
    name = mapped.contract.name
    reshaped = _rows(con, f"typed_{name}") + sum(mapped.dropped.values())
    if mapping.query is None:
        ledger.add_read(name, mapping.origins["source"], reshaped)
    else:
        for source, origin in mapping.origins.items():
            ledger.add_read(name, f"{source}: {origin}", _rows(con, source))
        ledger.add_query(name, f"tables.{name}.query joins, groups or filters", reshaped)
    for rule, rows in mapped.dropped.items():
        ledger.add_removed(name, "drop", rule, rows)


def apply_corrections(
    con: duckdb.DuckDBPyConnection, company: Company, mapped: SourceTable, ledger: RowAudit
) -> None:
    """Apply the table's corrections in their order, then remove duplicates if the file says so.

    Raises DataRefused for SQL that cannot be used.
    """
    name = mapped.contract.name
    mapping = company.tables[name]  # type: ignore[index]
    for rule, correction in mapping.correct.items():
        rows = _apply(con, company, mapped, rule, correction)
        ledger.add_changed(name, "correct", f"{rule}: {correction.column}", rows)
    if mapping.duplicates == "remove":
        rows = _remove_duplicates(con, mapped)
        ledger.add_removed(name, "duplicates", "equal in every contract column, one is kept", rows)


def _apply(
    con: duckdb.DuckDBPyConnection, company: Company, mapped: SourceTable, rule: str, asked: Correction
) -> int:
    """Change the values a correction is about; the number of rows that really changed."""
    name, column = mapped.contract.name, asked.column
    becomes = f"({asked.becomes})::{_type(mapped, column)}"
    unmapped = [c for c in mapped.contract.columns if c.name not in mapped.columns]
    same = [column, *(c.name for c in unmapped if c.default == column)]  # known_at is occurred_at
    changes = [f'"{each}" = {becomes}' for each in same]
    if column in mapped.converted:
        changes.append(f'"raw_{column}" = null')
    sql = (
        f"update typed_{name} set {', '.join(changes)} "
        f'where coalesce(({asked.when}), false) and "{column}" is distinct from {becomes}'
    )
    place = f"tables.{name}.correct.{rule}"
    for part, given in (("when", asked.when), ("becomes", asked.becomes)):
        run_company_sql(con, "select 1", company, f"{place}.{part}", given)
    return int(run_company_sql(con, sql, company, place)[0][0])


def _type(mapped: SourceTable, column: str) -> str:
    declared = mapped.contract.column(column)
    return _TYPES[declared.kind if declared else mapped.attributes[column]]


def _remove_duplicates(con: duckdb.DuckDBPyConnection, mapped: SourceTable) -> int:
    """Keep one of several equal rows; texts that could not be read count as values of their own."""
    name = mapped.contract.name
    before = _rows(con, f"typed_{name}")
    columns = [quote_identifier(c) for c in (*mapped.contract.names, *mapped.attributes)]
    unread = [f'case when "{c}" is null then "raw_{c}" end' for c in mapped.converted]
    con.execute(
        f"create temp table single as select distinct on ({', '.join([*columns, *unread])}) * "
        f"from typed_{name}"
    )
    con.execute(f"drop table typed_{name}; alter table single rename to typed_{name}")
    return before - _rows(con, f"typed_{name}")


def audit_scales(con: duckdb.DuckDBPyConnection, ledger: RowAudit) -> None:
    """Write down the answers that the common scale 0 to 100 changes, by instrument and scale."""
    for instrument, low, high, rows in con.execute(
        "select instrument, scale_low, scale_high, count(*) from good_surveys "
        "where score is not null and (scale_low <> 0 or scale_high <> 100) group by all order by all"
    ).fetchall():
        rule = f"{instrument} {low:g} to {high:g}: levels on the common scale 0 to 100"
        ledger.add_changed("surveys", "scale", rule, rows)


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {quote_identifier(table)}").fetchall()[0][0])
