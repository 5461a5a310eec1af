"""Corrections that a company's file asks for: values changed by rule, duplicates removed."""

import duckdb

from features.config.company import Company
from features.config.table_mapping import Correction, TableMapping
from features.ingest.read_table import SourceTable
from features.ingest.sql import quote_identifier, run_company_sql
from features.row_audit import RowAudit

_TYPES = {"text": "varchar", "number": "double", "flag": "double", "time": "timestamptz"}


def audit_reading(
    con: duckdb.DuckDBPyConnection, mapping: TableMapping, source: SourceTable, audit: RowAudit
) -> None:
    """Record in the audit the rows of the sources, of the query, and those removed by drop rules.

    The sources must still be bound as views, as `read_table` leaves them.
    """
    name = source.contract.name
    reshaped = _rows(con, f"typed_{name}") + sum(source.dropped.values())
    if mapping.query is None:
        audit.add_read(name, mapping.read_rules["source"], reshaped)
    else:
        for alias, rule in mapping.read_rules.items():
            audit.add_read(name, rule, _rows(con, alias))
        audit.add_query(name, f"tables.{name}.query joins, groups or filters", reshaped)
    for rule, rows in source.dropped.items():
        audit.add_removed(name, "drop", rule, rows)


def apply_corrections(
    con: duckdb.DuckDBPyConnection, company: Company, source: SourceTable, audit: RowAudit
) -> None:
    """Apply the table's corrections in their order, then remove duplicates if the file asks for it.

    Raises DataRefused for SQL that cannot be used.
    """
    name = source.contract.name
    mapping = company.tables[name]  # type: ignore[index]
    for rule, correction in mapping.correct.items():
        rows = _apply(con, company, source, rule, correction)
        audit.add_changed(name, "correct", f"{rule}: {correction.column}", rows)
    if mapping.duplicates == "remove":
        rows = _remove_duplicates(con, source)
        audit.add_removed(name, "duplicates", "equal in every contract column, one is kept", rows)


def _apply(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    source: SourceTable,
    rule: str,
    correction: Correction,
) -> int:
    """Apply one correction; returns the number of rows that changed."""
    name, column = source.contract.name, correction.column
    becomes = f"({correction.becomes})::{_type(source, column)}"
    unmapped = [c for c in source.contract.columns if c.name not in source.columns]
    same = [column, *(c.name for c in unmapped if c.default == column)]  # known_at is occurred_at
    changes = [f'"{each}" = {becomes}' for each in same]
    if column in source.converted:
        changes.append(f'"raw_{column}" = null')
    sql = (
        f"update typed_{name} set {', '.join(changes)} "
        f'where coalesce(({correction.when}), false) and "{column}" is distinct from {becomes}'
    )
    place = f"tables.{name}.correct.{rule}"
    for part, given in (("when", correction.when), ("becomes", correction.becomes)):
        run_company_sql(con, "select 1", company, f"{place}.{part}", given)
    return int(run_company_sql(con, sql, company, place)[0][0])


def _type(source: SourceTable, column: str) -> str:
    declared = source.contract.column(column)
    return _TYPES[declared.kind if declared else source.attributes[column]]


def _remove_duplicates(con: duckdb.DuckDBPyConnection, source: SourceTable) -> int:
    """Keep one of several equal rows (unreadable texts count as values); returns the number removed."""
    name = source.contract.name
    before = _rows(con, f"typed_{name}")
    columns = [quote_identifier(c) for c in (*source.contract.names, *source.attributes)]
    unreadable = [f'case when "{c}" is null then "raw_{c}" end' for c in source.converted]
    con.execute(
        f"create temp table single as select distinct on ({', '.join([*columns, *unreadable])}) * "
        f"from typed_{name}"
    )
    con.execute(f"drop table typed_{name}; alter table single rename to typed_{name}")
    return before - _rows(con, f"typed_{name}")


def audit_scales(con: duckdb.DuckDBPyConnection, audit: RowAudit) -> None:
    """Record the answers that the common scale 0 to 100 changes, by instrument and scale."""
    for instrument, low, high, rows in con.execute(
        "select instrument, scale_low, scale_high, count(*) from good_surveys "
        "where score is not null and (scale_low <> 0 or scale_high <> 100) group by all order by all"
    ).fetchall():
        rule = f"{instrument} {low:g} to {high:g}: levels on the common scale 0 to 100"
        audit.add_changed("surveys", "scale", rule, rows)


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return int(con.execute(f"select count(*) from {quote_identifier(table)}").fetchall()[0][0])
