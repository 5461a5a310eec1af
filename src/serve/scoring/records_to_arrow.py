"""A request's raw rows as the Arrow tables a history is built from."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from features.contract import TABLES, Column
from features.definitions.company_schema import CompanySchema
from serve.schemas.record_schemas import CustomerRow, Records

TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "flag": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}


def records_to_tables(records: Records, schema: CompanySchema) -> dict[str, pa.Table]:
    """Contract tables of a request; a table without rows is left out.

    Attributes take the type the company's own CRM gives them: a number sent for a text attribute
    is read as text, a text sent for a number as missing. Unknown attributes are left aside
    (`misfits` tells of both).
    """
    tables: dict[str, pa.Table] = {}
    if records.customers:
        tables["customers"] = _customers(records.customers, schema)
    for name in ("events", "surveys", "tickets"):
        rows: Sequence[Any] = getattr(records, name)
        if rows:
            tables[name] = pa.table({c.name: _column(rows, c) for c in TABLES[name].columns})
    return tables


def record_warnings(records: Records, schema: CompanySchema) -> list[str]:
    """What of the attributes could not be used, in sentences that repeat nothing of what was sent."""
    known = schema.attributes
    strange = sum(not row.attributes.keys() <= known.keys() for row in records.customers)
    told = []
    if strangers := len(records.strangers):
        told.append(f"{strangers} customers have rows but none under customers: no attributes")
    if strange:
        told.append(
            f"{strange} of {len(records.customers)} customers carry attributes the company does not "
            f"have; they were left aside; known: {', '.join(known) or 'none'}"
        )
    for name in (n for n, kind in known.items() if kind == "number"):
        texts = sum(isinstance(row.attributes.get(name), str) for row in records.customers)
        if texts:
            told.append(f"{name} is a number; {texts} customers sent a text, read as missing")
    return told


def _column(rows: Sequence[Any], column: Column) -> pa.Array:
    values = [getattr(row, column.name) for row in rows]
    if column.kind == "flag":
        values = [None if v is None else float(v) for v in values]
    return pa.array(values, TYPES[column.kind])


def _customers(rows: Sequence[CustomerRow], schema: CompanySchema) -> pa.Table:
    columns = {c.name: _column(rows, c) for c in TABLES["customers"].columns}
    for name, kind in schema.attributes.items():
        values = [_attribute(row.attributes.get(name), kind) for row in rows]
        columns[name] = pa.array(values, TYPES[kind])
    return pa.table(columns)


def _attribute(value: Any, kind: str) -> str | float | None:
    if value is None or (kind == "number" and isinstance(value, str)):
        return None
    return str(value) if kind == "text" else float(value)
