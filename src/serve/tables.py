"""A request's raw rows as the Arrow tables a history is built from."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from features.contract import TABLES, Column
from features.schema import Schema
from serve.records import CustomerRow, Records

TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "flag": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}


def records_to_tables(records: Records, schema: Schema) -> dict[str, pa.Table]:
    """Contract tables of a request; a table without rows is left out.

    Attributes take the type the company's own CRM gives them: a number sent for a text attribute
    is read as text, a text sent for a number as missing. Unknown attributes are left aside.
    """
    tables: dict[str, pa.Table] = {}
    if records.customers:
        tables["customers"] = _customers(records.customers, schema)
    for name in ("events", "surveys", "tickets"):
        rows: Sequence[Any] = getattr(records, name)
        if rows:
            tables[name] = pa.table({c.name: _column(rows, c) for c in TABLES[name].columns})
    return tables


def _column(rows: Sequence[Any], column: Column) -> pa.Array:
    values = [getattr(row, column.name) for row in rows]
    if column.kind == "flag":
        values = [None if v is None else float(v) for v in values]
    return pa.array(values, TYPES[column.kind])


def _customers(rows: Sequence[CustomerRow], schema: Schema) -> pa.Table:
    columns = {c.name: _column(rows, c) for c in TABLES["customers"].columns}
    for name, kind in schema.attributes.items():
        values = [_attribute(row.attributes.get(name), kind) for row in rows]
        columns[name] = pa.array(values, TYPES[kind])
    return pa.table(columns)


def _attribute(value: Any, kind: str) -> str | float | None:
    if value is None or (kind == "number" and isinstance(value, str)):
        return None
    return str(value) if kind == "text" else float(value)
