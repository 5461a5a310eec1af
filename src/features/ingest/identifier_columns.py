"""Attributes that identify a customer: texts with nearly one value per customer, such as names.

Nothing can be learnt from a value that no other customer has, and a model that stores its categories
would store the names. So such an attribute is not used as a feature, whatever it is called.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from features.ingest.column_blocks import column_blocks
from features.ingest.sql import quote_identifier

#: With fewer customers it is unclear how many share a value.
MIN_CUSTOMERS = 20
#: The number of values per customer from which an attribute identifies them.
MIN_VALUES_PER_CUSTOMER = 0.5


@dataclass(frozen=True)
class IdentifierColumn:
    """A text attribute with its number of values and of customers that have one."""

    attribute: str
    values: int
    customers: int


def find_identifier_columns(
    con: duckdb.DuckDBPyConnection, table: str, attributes: Mapping[str, str]
) -> list[IdentifierColumn]:
    """Find the text attributes of a table of customers that identify them.

    `attributes` maps each to "text" or "number".
    """
    texts = [name for name, kind in attributes.items() if kind == "text"]
    found = []
    for relation, block in column_blocks(con, table, texts, ["customer_id"]):
        found += _count_values(con, relation, _with_many_values(con, relation, block))
    return [
        a
        for a in found
        if a.customers >= MIN_CUSTOMERS and a.values >= MIN_VALUES_PER_CUSTOMER * a.customers
    ]


def _with_many_values(
    con: duckdb.DuckDBPyConnection, table: str, texts: Sequence[str]
) -> list[str]:
    """The texts that may identify customers: counting their values alone is far cheaper."""
    asked = ", ".join(f"count(distinct {c}), count({c})" for c in map(quote_identifier, texts))
    counted = con.execute(f"select {asked} from {table}").fetchall()[0]
    versions = con.execute(
        f"select coalesce(max(n), 1) from (select count(*) as n from {table} group by customer_id)"
    ).fetchall()[0][0]
    return [
        text
        for text, values, rows in zip(texts, counted[::2], counted[1::2], strict=True)
        if values >= MIN_VALUES_PER_CUSTOMER * max(rows / versions, MIN_CUSTOMERS)
    ]


def _count_values(
    con: duckdb.DuckDBPyConnection, table: str, texts: Sequence[str]
) -> list[IdentifierColumn]:
    if not texts:
        return []
    asked = ", ".join(
        f"count(distinct {c}), count(distinct customer_id) filter ({c} is not null)"
        for c in map(quote_identifier, texts)
    )
    counted = con.execute(f"select {asked} from {table}").fetchall()[0]
    return list(map(IdentifierColumn, texts, counted[::2], counted[1::2]))
