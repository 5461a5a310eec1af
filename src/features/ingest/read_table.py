"""Read a company's table through its mapping: from source files to typed contract columns in DuckDB.

Every problem raises a DataRefused that names table, column and remedy.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from features.config.company import Company
from features.config.table_mapping import TableMapping
from features.contract import TABLES, ContractColumn, TableContract
from features.errors import ConfigRefused, DataRefused
from features.ingest.casts import cast_to_contract, default_sql, is_number
from features.ingest.currencies import check_one_currency
from features.ingest.every_column import spell_out_columns
from features.ingest.source_views import bind_sources, spill_folder
from features.ingest.sql import check_bare_names, quote_literal, run_company_sql
from features.ingest.time_texts import describe_counted_times
from features.settings import Workspace


@dataclass(frozen=True)
class SourceTable:
    """A company's table as it was read, after its drop rules.

    The DuckDB table `typed_<name>` holds the contract columns. For each column in `converted` it also
    holds `raw_<column>`, the original text, so that failed conversions can be counted and shown.
    `attributes` are the CRM attributes of customers with "text" or "number"; `dropped` counts the
    rows removed by each drop rule.
    """

    contract: TableContract
    columns: tuple[str, ...]
    converted: tuple[str, ...]
    attributes: dict[str, str]
    dropped: dict[str, int]


def connect_for_import(workspace: Workspace, company: Company) -> duckdb.DuckDBPyConnection:
    """Open DuckDB for an import: times in UTC, bounded memory, spilling to the company's folder."""
    spill = spill_folder(workspace, company)
    shutil.rmtree(spill, ignore_errors=True)  # left by an import that was killed
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"SET memory_limit = '{_memory_limit()}MB'")
    con.execute("SET preserve_insertion_order = false")
    con.execute("SET enable_progress_bar = false")
    con.execute(f"SET temp_directory = {quote_literal(str(spill))}")
    return con


def _memory_limit() -> int:
    """DuckDB's memory limit in megabytes: 4,000, but at most half of the machine's memory."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2_000_000
    return min(4_000, machine)


def read_table(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    workspace: Workspace,
    known_types: Mapping[str, Mapping[str, str]] | None = None,
) -> SourceTable:
    """Read one table's files, apply its query, drop rules and expressions; creates `typed_<name>`.

    `known_types` are the columns and types of sources that may have no files.
    """
    mapping = company.tables[name]  # type: ignore[index]
    contract = TABLES[name]
    bind_sources(con, company, name, mapping, workspace, known_types)
    run_company_sql(con, f"create temp view reshaped as {mapping.query or 'select * from source'}",
         company, f"tables.{name}.query")  # fmt: skip
    kept, dropped = _drop(con, company, name, mapping)
    mapping = spell_out_columns(con, company, name, mapping, kept)
    check_one_currency(con, company, name, mapping, kept)
    check_bare_names(con, company, f"tables.{name}.columns", mapping.columns, kept)
    types = _types_of(con, company, name, mapping.columns, kept)
    attributes = _attributes(company, mapping, types) if contract.open_ended else {}
    selected, converted = [], []
    typed: dict[str, str] = {}
    for column in _all_columns(contract, attributes):
        expression = mapping.columns.get(column.name)
        if expression is None:
            selected.append(f'{default_sql(column, typed)} as "{column.name}"')
            continue
        if column.kind == "time" and is_number(types[column.name]):
            _refuse_counted_times(con, name, column.name, expression, kept)
        if column.name == "customer_id" and is_number(types[column.name]):
            _refuse_rounded_ids(con, company, name, types[column.name], expression, kept)
        sql, keep_raw = cast_to_contract(company, name, column, types[column.name], expression)
        typed[column.name] = sql
        selected.append(f'{sql} as "{column.name}"')
        if keep_raw:
            converted.append(column.name)
            selected.append(f'({expression})::varchar as "raw_{column.name}"')
    run_company_sql(con, f"create temp table typed_{name} as select {', '.join(selected)} from {kept}",
         company, f"tables.{name}.columns")  # fmt: skip
    con.execute("drop view if exists kept; drop view reshaped")
    return SourceTable(contract, tuple(mapping.columns), tuple(converted), attributes, dropped)


def count_query_rows(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    workspace: Workspace,
    known_types: Mapping[str, Mapping[str, str]],
) -> int:
    """Count the rows that the query of a table gives, before its drop rules."""
    mapping = company.tables[name]  # type: ignore[index]
    bind_sources(con, company, name, mapping, workspace, known_types)
    query = mapping.query or "select * from source"
    counted = run_company_sql(
        con, f"select count(*) from ({query})", company, f"tables.{name}.query"
    )
    return int(counted[0][0])


def _drop(
    con: duckdb.DuckDBPyConnection, company: Company, name: str, mapping: TableMapping
) -> tuple[str, dict[str, int]]:
    """Apply the drop rules: the remaining relation, and the rows removed by each rule (first match)."""
    if not mapping.drop:
        return "reshaped", {}
    earlier, hits = "false", []
    for rule, condition in mapping.drop.items():
        hit = f"coalesce(({condition}), false)"
        place = f"tables.{name}.drop.{rule!r}"
        run_company_sql(con, f"describe select {hit} from reshaped", company, place, condition)
        hits.append(f"count(*) filter ({hit} and not ({earlier}))")
        earlier = f"{earlier} or {hit}"
    counted = run_company_sql(
        con, f"select {', '.join(hits)} from reshaped", company, f"tables.{name}.drop"
    )
    con.execute(f"create temp view kept as select * from reshaped where not ({earlier})")
    return "kept", dict(zip(mapping.drop, counted[0], strict=True))


def _refuse_rounded_ids(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, kind: str, sql: str, base: str
) -> None:
    """Raise for ids that are decimal numbers, or too large for the numbers they are stored as."""
    rounded = "x <> trunc(x)" + (" or abs(x) >= 1e15" if kind in ("DOUBLE", "FLOAT") else "")
    found = run_company_sql(
        con,
        f"select min(x)::varchar from (select ({sql}) as x from {base}) where {rounded}",
        company,
        f"tables.{table}.columns.customer_id",
    )[0][0]
    if found is not None:
        raise DataRefused(
            f"table {table}, column customer_id: {found} is a decimal number, and ids that differ in "
            f"their digits, such as 1000.1 and 1000.10, would become one; keep them as texts: for CSV "
            f'with tables.{table}.csv, texts = ["the column"], elsewhere by a cast in the source'
        )


def _refuse_counted_times(
    con: duckdb.DuckDBPyConnection, table: str, column: str, sql: str, base: str
) -> None:
    """Raise for numbers in a time column, with what they may count."""
    raise DataRefused(
        f"table {table}, column {column}: {sql} gives numbers, not times; "
        f"{describe_counted_times(con, base, sql)}"
    )


def _types_of(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    table: str,
    expressions: Mapping[str, str],
    base: str,
) -> dict[str, str]:
    """The SQL types of the expressions of a table's columns."""
    asked = ", ".join(f"({sql}) as x{i}" for i, sql in enumerate(expressions.values()))
    try:
        described = run_company_sql(
            con, f"describe select {asked} from {base}", company, f"tables.{table}.columns",
            *expressions.values(),
        )  # fmt: skip
        return {c: str(row[1]) for c, row in zip(expressions, described, strict=True)}
    except DataRefused:  # one by one, so that the error names its column
        pass
    return {c: _type_of(con, company, table, c, sql, base) for c, sql in expressions.items()}


def _type_of(
    con: duckdb.DuckDBPyConnection, company: Company, table: str, column: str, sql: str, base: str
) -> str:
    """The SQL type of one expression, evaluated alone so that an error names its column."""
    described = run_company_sql(
        con,
        f"describe select ({sql}) as x from {base}",
        company,
        f"tables.{table}.columns.{column}",
        sql,
    )
    return str(described[0][1])


def _attributes(company: Company, mapping: TableMapping, types: dict[str, str]) -> dict[str, str]:
    """The CRM attributes that may be used: all with `valid_from`, otherwise only the constant ones.

    In a snapshot, all of them: it is read as it stands.
    """
    names = [c for c in mapping.columns if c not in {"customer_id", "valid_from"}]
    if "valid_from" not in mapping.columns and not company.snapshot:
        changing = [n for n in names if n not in mapping.constant]
        if changing:
            raise ConfigRefused(
                f"{company.path.name}: customers has no valid_from, so {', '.join(changing)} would "
                "show today's state in the past; map valid_from, or list columns that never change "
                "under tables.customers.constant"
            )
    return {n: "number" if is_number(types[n]) else "text" for n in names}


def _all_columns(contract: TableContract, attributes: dict[str, str]) -> list[ContractColumn]:
    extra = [ContractColumn(n, "text" if k == "text" else "number") for n, k in attributes.items()]
    return [*contract.columns, *extra]
