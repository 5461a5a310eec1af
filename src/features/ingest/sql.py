"""SQL helpers: quoting, and running SQL from a company's file with errors that name the place in it."""

import re
from collections.abc import Iterator, Mapping
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


def check_bare_names(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    place: str,
    expressions: Mapping[str, str],
    base: str,
) -> None:
    """Raise for the bare name of a column that SQL does not read as that column.

    Names with blanks and reserved words are no valid SQL; `net-tax` beside the columns `net` and `tax`
    is both a column and a difference, and nobody but the company can say which is meant.
    """
    described = con.execute(f"describe select * from {base}").fetchall()
    keywords = {
        row[0] for row in con.execute("select keyword_name from duckdb_keywords()").fetchall()
    }
    names = {
        name.lower(): name
        for name in (str(row[0]) for row in described)
        if name.lower() in keywords or not re.fullmatch(r"[^\W\d]\w*", name)
    }
    for column, sql in expressions.items():
        name = names.get(sql.strip().lower())
        if name is None or not _is_read_otherwise(con, name, base):
            continue
        quoted = quote_identifier(name)
        means = f"for the column {name!r} write it in double quotes: {column} = '{quoted}'"
        if _is_expression(con, sql, base):
            means += f'; for the expression write it in parentheses: {column} = "({sql.strip()})"'
        raise DataRefused(
            f"{company.path.name}: {place}.{column} is {sql.strip()!r}, which SQL does not read as the "
            f"column of that name; {means}"
        )


def _is_read_otherwise(con: duckdb.DuckDBPyConnection, name: str, base: str) -> bool:
    """Whether the name, without quotes, is anything but the column of that name."""
    try:
        both = con.execute(
            f"select * from (select ({name}) is distinct from {quote_identifier(name)} as other "
            f"from {base}) where other limit 1"
        ).fetchall()
    except duckdb.Error:
        return True
    return bool(both)


def _is_expression(con: duckdb.DuckDBPyConnection, sql: str, base: str) -> bool:
    """Whether the text is a valid expression over the columns."""
    try:
        con.execute(f"describe select ({sql}) from {base}")
    except duckdb.Error:
        return False
    return True


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
