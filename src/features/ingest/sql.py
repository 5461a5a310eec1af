"""SQL helpers: quoting, and running SQL from a company's file with errors that name the place in it."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from features.config.company import Company
from features.disk_failures import disk_failure
from features.errors import DataRefused, EnvironmentFailed


def quote_identifier(name: str) -> str:
    """Quote the name of a table or column as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """Quote a text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def run_company_sql(
    con: duckdb.DuckDBPyConnection, sql: str, company: Company, place: str, *given: str
) -> list[tuple]:  # type: ignore[type-arg]
    """Run one statement that contains `given`, single expressions of the company's file.

    Raises DataRefused for whatever DuckDB rejects.
    """
    with translate_sql_errors(con, company, place):
        texts = (*(f"select {expression}" for expression in given), sql)
        if any(len(con.extract_statements(text)) != 1 for text in texts):
            raise duckdb.ParserException("it holds several statements; write only one")
        return list(con.execute(sql).fetchall())


@contextmanager
def translate_sql_errors(
    con: duckdb.DuckDBPyConnection, company: Company, place: str
) -> Iterator[None]:
    """Translate DuckDB's errors into a DataRefused that names the place in the company's file.

    A full or failing disk, or a file that may not be read, becomes EnvironmentFailed.
    """
    where = f"{company.path.name}: {place}"
    try:
        yield
    except duckdb.BinderException as err:
        raise DataRefused(
            f"{where} uses a name that the data do not have: {_first(err)}{_columns_hint(con)}"
        ) from None
    except duckdb.ParserException as err:
        raise DataRefused(f"{where} is not a valid SQL expression: {_first(err)}") from None
    except duckdb.Error as err:
        if reason := disk_failure(err):
            raise EnvironmentFailed(f"{where}: {reason}") from None
        raise DataRefused(f"{where} cannot be read: {_first(err)}") from None


def _first(err: Exception) -> str:
    lines = [line for line in str(err).splitlines() if line.strip()]
    return " ".join(lines[:2])


def _columns_hint(con: duckdb.DuckDBPyConnection) -> str:
    try:
        names = [row[0] for row in con.execute("describe reshaped").fetchall()]
    except duckdb.Error:
        return ""
    return f"; the columns are: {', '.join(names)}"
