"""SQL casts from the type of a mapped expression to the type of its contract column."""

from features.config.company import Company
from features.contract import ContractColumn
from features.errors import DataRefused
from features.ingest.sql import quote_literal
from features.ingest.time_texts import time_sql


def default_sql(column: ContractColumn, typed: dict[str, str]) -> str:
    """SQL for a column that the mapping leaves out: another typed column, or a constant."""
    sql = {"text": "varchar", "number": "double", "flag": "double", "time": "timestamptz"}
    return typed.get(column.default, f"({column.default})::{sql[column.kind]}")


def is_number(kind: str) -> bool:
    """Whether a DuckDB type holds numbers (flags count as 0 and 1)."""
    plain = kind.split("(")[0]
    return plain in {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
        "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN",
    }  # fmt: skip


def cast_to_contract(
    company: Company, table: str, column: ContractColumn, kind: str, sql: str
) -> tuple[str, bool]:
    """SQL that casts an expression to its contract type, and whether the cast may fail.

    Raises DataRefused for a type that cannot be cast.
    """
    place = f"table {table}, column {column.name}"
    if column.kind == "text":
        return f"({sql})::varchar", False
    if column.kind in {"number", "flag"}:
        if is_number(kind):
            return f"({sql})::double", False
        if kind == "VARCHAR":
            cast = "try_cast(trim({0}) as boolean)::double" if column.kind == "flag" else "null"
            text = f"({sql})"
            return f"coalesce(try_cast({text} as double), {cast.format(text)})", True
        raise DataRefused(f"{place}: all rows are of type {kind}; cast it to a number in {sql!r}")
    if kind in {"TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ", "TIMESTAMPTZ_NS"}:
        return f"({sql})::timestamptz", False
    zone = quote_literal(company.info.time_zone)
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        return f"timezone({zone}, ({sql})::timestamp)", False
    if kind == "VARCHAR":
        return time_sql(f"({sql})", company.info.time_zone), True
    raise DataRefused(
        f"{place}: all rows are of type {kind}, which is not a time; convert it in the expression"
    )
