"""Spell a mapping out: `columns = "*"`, and the label of a snapshot, as one expression a column."""

import re
from collections.abc import Iterable

import duckdb

from features.config.company import Company
from features.config.snapshot_settings import LABEL
from features.config.table_mapping import EVERY_COLUMN, TableMapping
from features.config.toml_section import did_you_mean
from features.contract import TABLES
from features.errors import ConfigRefused, DataRefused
from features.ingest.casts import is_number
from features.ingest.sql import quote_identifier, run_company_sql

#: Values of a wrong label that its message shows.
SHOWN = 5


def spell_out_columns(
    con: duckdb.DuckDBPyConnection, company: Company, name: str, mapping: TableMapping, base: str
) -> TableMapping:
    """The mapping with an expression for each column of `base`, as `"*"` promises, and for the label.

    A column of the source that an expression or the label names gets no line of its own, nor does one
    under `except`. An attribute is called as its column, with `_` for what no name may hold.
    """
    columns = {k: sql for k, sql in mapping.columns.items() if k != EVERY_COLUMN}
    label = company.snapshot.label if company.snapshot and name == "customers" else None
    if mapping.has_every_column:
        given = [*columns.values(), *([label] if label else [])]
        columns |= _other_columns(con, company, name, mapping, base, given)
    if label:
        _check_label(con, company, label, base)
        columns[LABEL] = label
    return mapping.model_copy(update={"columns": columns})


def _other_columns(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    mapping: TableMapping,
    base: str,
    given: Iterable[str],
) -> dict[str, str]:
    """The columns of the source that nothing names, by the name of their attribute."""
    source = [str(row[0]) for row in con.execute(f"describe {base}").fetchall()]
    file, place = company.path.name, f"tables.{name}"
    for left_out in mapping.left_out:
        if left_out not in source:
            raise ConfigRefused(
                f"{file}: {place}.except: {left_out} is not a column{did_you_mean(left_out, source)}"
            )
    named = _named_in(given)
    found: dict[str, str] = {}
    for column in source:
        if column in mapping.left_out or column.lower() in named:
            continue
        attribute = re.sub(r"\W+", "_", column).strip("_") or "column"
        if attribute.lower() in TABLES[name].names:
            attribute = attribute.lower()
        taken = {a.lower(): sql for a, sql in {**mapping.columns, **found}.items()}
        if attribute.lower() in taken:
            raise ConfigRefused(
                f"{file}: {place}.columns: {column} and {taken[attribute.lower()]} would both be "
                f"{attribute}; name one of them in a line of its own, or list it under except"
            )
        found[attribute] = quote_identifier(column)
    for needed in TABLES[name].columns:
        if needed.required and needed.name not in {**mapping.columns, **found}:
            raise ConfigRefused(
                f"{file}: {place}.columns lacks {needed.name}, which is required, and the source has no "
                f'column of that name; write columns = {{ {needed.name} = "...", "*" = "*" }} with one '
                f"of: {', '.join(source)}"
            )
    return found


def _named_in(expressions: Iterable[str]) -> set[str]:
    """The words of SQL expressions that may be names of columns, in lower case."""
    named: set[str] = set()
    for sql in expressions:
        without_texts = re.sub(r"'(?:[^']|'')*'", " ", sql)
        named |= {name.lower() for name in re.findall(r'"([^"]+)"', without_texts)}
        named |= {word.lower() for word in re.findall(r"\w+", without_texts)}
    return named


def _check_label(con: duckdb.DuckDBPyConnection, company: Company, label: str, base: str) -> None:
    """Raise DataRefused unless the label of a snapshot is true or false, 1 or 0."""
    described = run_company_sql(
        con, f"describe select ({label}) as x from {base}", company, "snapshot.label", label
    )
    counted = run_company_sql(
        con,
        f"select x, count(*) from (select ({label}) as x from {base}) where x is not null "
        "group by 1 order by 2 desc, 1",
        company, "snapshot.label", label,
    )  # fmt: skip
    if is_number(str(described[0][1])) and all(float(value) in (0.0, 1.0) for value, _ in counted):
        return
    values = ", ".join(f"{value!r} ({rows:,} rows)" for value, rows in counted[:SHOWN])
    more = f" and {len(counted) - SHOWN} more" if len(counted) > SHOWN else ""
    example = str(counted[0][0]) if counted else "Yes"
    raise DataRefused(
        f"{company.path.name}: snapshot.label: {label} has the values {values}{more}; it must be true "
        f"for customers who left and false for those who stayed: compare it with the value of those "
        f"who left, such as label = \"{label} = '{example}'\""
    )
