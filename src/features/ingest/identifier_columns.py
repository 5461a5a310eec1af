"""Attributes that name a customer: a text with nearly one value each is a name, not a property.

Nothing can be learnt from a word that no other customer has, and a model that keeps its words keeps
the names. So such an attribute becomes no feature, whatever it is called.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from features.ingest.sql import quote_identifier

#: Fewer customers say nothing about how many share a value.
FEWEST_CUSTOMERS = 20
#: From so many values a customer on, an attribute names him.
NEARLY_ONE_EACH = 0.5


@dataclass(frozen=True)
class IdentifierColumn:
    """A text attribute with so many values among the customers that have one."""

    attribute: str
    values: int
    customers: int


def find_identifier_columns(
    con: duckdb.DuckDBPyConnection, table: str, attributes: Mapping[str, str]
) -> list[IdentifierColumn]:
    """The text attributes of a table of customers that name them.

    `attributes` maps each to "text" or "number".
    """
    texts = [name for name, kind in attributes.items() if kind == "text"]
    if not texts:
        return []
    asked = ", ".join(
        f"count(distinct {c}), count(distinct customer_id) filter ({c} is not null)"
        for c in map(quote_identifier, texts)
    )
    counted = con.execute(f"select {asked} from {table}").fetchall()[0]
    found = map(IdentifierColumn, texts, counted[::2], counted[1::2])
    return [
        a
        for a in found
        if a.customers >= FEWEST_CUSTOMERS and a.values >= NEARLY_ONE_EACH * a.customers
    ]
