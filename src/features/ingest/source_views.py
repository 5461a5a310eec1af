"""The sources of a table as DuckDB views: files, and the results of PostgreSQL queries."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import duckdb

from features.config.company import Company
from features.config.postgres_settings import find_postgres_address
from features.config.table_mapping import CsvFormat, TableMapping
from features.contract import TABLES
from features.ingest.excel import sheets_as_csv, split_sheet
from features.ingest.files import csv_sql, file_kind, find_files, parquet_sql
from features.ingest.json_lines import json_lines_sql
from features.ingest.postgres import PostgresExtract, extract_queries
from features.ingest.sql import (
    quote_identifier,
    quote_literal,
    run_company_sql,
    translate_sql_errors,
)
from features.ingest.type_inference import NUMBERS, cast_sql, infer_text_types
from features.progress import Steps
from features.settings import Workspace


def read_postgres_queries(
    con: duckdb.DuckDBPyConnection, company: Company, workspace: Workspace, steps: Steps
) -> None:
    """Read every PostgreSQL query of the company in one snapshot, for `bind_sources` to use.

    Does nothing for a company without queries. Raises EnvironmentFailed when the server is
    unavailable, DataRefused when it refuses a query.
    """
    named = {(t, n): q for t, m in company.tables.items() for n, q in m.queries.items()}
    if not named:
        return
    toml = company.path.name
    places = {key: f"{toml}: tables.{key[0]}.postgres ({key[1]})" for key in named}
    found = extract_queries(
        find_postgres_address(company.postgres, toml),
        company.postgres,
        {places[key]: query for key, query in named.items()},
        spill_folder(workspace, company) / "postgres",
        steps,
    )
    for key, place in places.items():
        sql = extract_sql(con, found[place])
        run_company_sql(con, f"create temp view {_postgres_view(*key)} as {sql}", company, place)


def extract_sql(con: duckdb.DuckDBPyConnection, extract: PostgresExtract) -> str:
    """SQL that reads an extract; numbers without a declared precision get a type by their values."""
    relation = f"read_parquet({quote_literal(str(extract.path))}, hive_partitioning = false)"
    undeclared = [column for column, kind in extract.types.items() if kind is None]
    declared = {column: kind for column, kind in extract.types.items() if kind}
    by_values = infer_text_types(con, relation, undeclared, NUMBERS)
    return cast_sql(relation, {**dict.fromkeys(undeclared, "DOUBLE"), **by_values, **declared})


def _postgres_view(table: str, source: str) -> str:
    return quote_identifier(f"postgres.{table}.{source}")


def spill_folder(workspace: Workspace, company: Company) -> Path:
    """The folder for an import's temporary files, removed when it ends."""
    return workspace.company(company.name) / "spill"


def bind_sources(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    table: str,
    mapping: TableMapping,
    workspace: Workspace,
    types: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Create a view for each source of a table, of its files or of the PostgreSQL extract.

    A source without files becomes an empty view with the columns in `types`.
    """
    root = company.root(workspace)
    for name, patterns in mapping.file_sources.items():
        given = [patterns] if isinstance(patterns, str) else patterns
        if not given and types:
            columns = ", ".join(
                f"null::{kind} as {quote_identifier(c)}" for c, kind in types[name].items()
            )
            con.execute(
                f"create or replace temp view {quote_identifier(name)} as select {columns} limit 0"
            )
            continue
        paths = find_files(company, table, root, given)
        place = f"tables.{table}: file {paths[0].name}"
        spill = spill_folder(workspace, company)
        with translate_sql_errors(con, company, place):
            sheet = split_sheet(given[0])[1] if given else None
            form = mapping.format_of(name)
            form = form.model_copy(update={"texts": _columns_of_texts(table, mapping, form)})
            is_used = partial(_mentions, mapping)
            sql = files_sql(con, paths, form, sheet, spill, f"tables.{table}", is_used)
        if types and name in types:
            sql = f"select {_promoted(con, sql, types[name])} from ({sql})"
        run_company_sql(
            con, f"create or replace temp view {quote_identifier(name)} as {sql}", company, place
        )
    for name in mapping.queries:
        sql = f"select * from {_postgres_view(table, name)}"
        run_company_sql(
            con,
            f"create or replace temp view {quote_identifier(name)} as {sql}",
            company,
            f"tables.{table}",
        )


def files_sql(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    form: CsvFormat,
    sheet: str | None,
    spill: Path,
    place: str,
    is_used: Callable[[str], bool] = lambda column: False,
) -> str:
    """SQL that reads the files of one source, whatever their kind; `sheet` is that of a workbook.

    Numbers that can be read in two ways are refused in the columns for which `is_used` is true.
    """
    kind = file_kind(paths[0])
    if kind == "parquet":
        return parquet_sql(paths)
    if kind == "json":
        return json_lines_sql(con, paths)
    if kind == "excel":
        paths, form = sheets_as_csv(paths, sheet, spill), CsvFormat(delimiter=",", texts=form.texts)
    return csv_sql(con, paths, form, spill, place, is_used)


def _columns_of_texts(table: str, mapping: TableMapping, form: CsvFormat) -> tuple[str, ...]:
    """The columns of CSV files that stay texts: those declared, and those mapped as they are to texts.

    So ids that look like decimal numbers (1000.1 and 1000.10) stay two ids.
    """
    if mapping.query:
        return form.texts
    contract = TABLES[table]
    texts = {c.name for c in contract.columns if c.kind == "text"}
    bare = {
        sql.strip().strip('"') for name, sql in mapping.columns.items()
        if name in texts and re.fullmatch(r'\s*("[^"]+"|\w+)\s*', sql)
    }  # fmt: skip
    others = [
        sql for name, sql in [*mapping.columns.items(), *mapping.drop.items()]
        if name not in texts or sql.strip().strip('"') not in bare
    ]  # fmt: skip
    kept = sorted(column for column in bare if not any(_holds(sql, column) for sql in others))
    return (*form.texts, *kept)


def _mentions(mapping: TableMapping, column: str) -> bool:
    """Whether the query, the drop rules or an expression of a table use a column."""
    sql = [mapping.query or "", *mapping.columns.values(), *mapping.drop.values()]
    return any(_holds(text, column) for text in sql)


def _holds(sql: str, column: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(column)}(?!\w)", sql, re.IGNORECASE) is not None


#: Types that a few rows may be read as, and the type they have together with earlier rows.
PROMOTED = {("BIGINT", "DOUBLE"), ("DATE", "TIMESTAMP")}


def _promoted(con: duckdb.DuckDBPyConnection, sql: str, types: Mapping[str, str]) -> str:
    """SQL of the columns of new files, cast to the type they have together with earlier files.

    A day of whole amounts, of dates, or without any value of a column gets the earlier type.
    """
    described = con.execute(f"describe {sql}").fetchall()
    columns = []
    for name, kind in ((row[0], row[1]) for row in described):
        wanted = types.get(name, kind)
        other = kind != wanted and (
            (kind, wanted) in PROMOTED
            or not con.execute(f"select count({quote_identifier(name)}) from ({sql})").fetchall()[
                0
            ][0]
        )
        columns.append(
            f"{quote_identifier(name)}::{wanted} as {quote_identifier(name)}"
            if other
            else quote_identifier(name)
        )
    return ", ".join(columns)
