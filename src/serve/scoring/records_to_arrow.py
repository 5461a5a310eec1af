"""Converts the rows of a request to Arrow tables, from which a history is built."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from features.contract import KINDS, TABLES, ContractColumn, near_kind
from features.definitions.company_schema import CompanySchema
from serve.schemas.record_schemas import CustomerRow, Records, SurveyRow

TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "flag": pa.float64(),
    "time": pa.timestamp("us", "UTC"),
}


def records_to_tables(records: Records, schema: CompanySchema) -> dict[str, pa.Table]:
    """Build the contract tables of a request; a table without rows is left out.

    Attributes take their type from the company's CRM: a number sent for a text attribute is read as
    text, a text sent for a number as missing. Unknown attributes are ignored (`record_warnings`
    reports both).
    """
    tables: dict[str, pa.Table] = {}
    if records.customers:
        tables["customers"] = _customers(records.customers, schema)
    for name in ("events", "surveys", "tickets"):
        rows: Sequence[Any] = getattr(records, name)
        if name == "surveys":
            rows = [_larger_is_better(row) for row in rows]
        if rows:
            tables[name] = pa.table({c.name: _column(rows, c) for c in TABLES[name].columns})
    return tables


def record_warnings(records: Records, schema: CompanySchema) -> list[str]:
    """Describe the attributes and rows that could not be used, without repeating any value sent."""
    known = schema.attributes
    with_unknown = sum(not row.attributes.keys() <= known.keys() for row in records.customers)
    warnings = []
    if count := len(records.ids_without_customer_row):
        warnings.append(f"{count} customers have rows but none in `customers`, so no attributes")
    if with_unknown:
        warnings.append(
            f"{with_unknown} of {len(records.customers)} customers have attributes that the company "
            f"does not use; ignored; known: {', '.join(known) or 'none'}"
        )
    for name in (n for n, kind in known.items() if kind == "number"):
        texts = sum(isinstance(row.attributes.get(name), str) for row in records.customers)
        if texts:
            warnings.append(
                f"{name} is a number; for {texts} customers it was a text, read as missing"
            )
    return [*warnings, *_kind_warnings(records, schema)]


def _kind_warnings(records: Records, schema: CompanySchema) -> Iterator[str]:
    """Rows of kinds that no feature reads: 'Order' is not 'order'."""
    for table, words in KINDS.items():
        rows = getattr(records, table)
        known = {*words, *schema.kinds.get(table, ())}
        unknown = [row.kind for row in rows if row.kind not in known]
        near = sorted({word for kind in unknown if (word := near_kind(kind, table))})
        if unknown:
            meant = f"; some differ from {', '.join(near)} only in spelling" if near else ""
            yield (
                f"{len(unknown)} of {len(rows)} {table} are of a kind that the company does not have, "
                f"so features of known kinds ignore them; known: {', '.join(sorted(known))}{meant}"
            )


def _larger_is_better(row: SurveyRow) -> SurveyRow:
    """An answer on a scale from 5 (worst) to 1 (best), turned around as the import does."""
    low, high = row.scale_low, row.scale_high
    if low <= high:
        return row
    turned = {
        name: None if value is None else low + high - value
        for name, value in (("score", row.score), ("expectation", row.expectation))
    }
    return row.model_copy(update={**turned, "scale_low": high, "scale_high": low})


def _column(rows: Sequence[Any], column: ContractColumn) -> pa.Array:
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
