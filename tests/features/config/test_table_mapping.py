"""The sources of a table: files, PostgreSQL queries, or both."""

import pytest
from pydantic import ValidationError

from features.config.table_mapping import TableMapping

COLUMNS = {"customer_id": "id"}
TWO = {"a": "a.csv", "b": ["b.csv", "c.csv"]}


@pytest.mark.parametrize(
    ("given", "origins"),
    [
        ({"files": "a.csv"}, {"source": "a.csv"}),
        ({"files": ["a.csv", "b.csv"]}, {"source": "a.csv, b.csv"}),
        ({"sources": TWO, "query": "q"}, {"a": "a.csv", "b": "b.csv, c.csv"}),
        ({"postgres": "shop.orders"}, {"source": "PostgreSQL: shop.orders"}),
        ({"postgres": {"o": "select 1\nas a"}, "query": "q"}, {"o": "PostgreSQL: select 1 as a"}),
        ({"postgres": {"o": "orders"}, "sources": TWO, "query": "q"},
         {"a": "a.csv", "b": "b.csv, c.csv", "o": "PostgreSQL: orders"}),
    ],
)  # fmt: skip
def test_origins_describe_each_source(given, origins):
    mapping = TableMapping(columns=COLUMNS, **given)
    assert mapping.origins == origins
    assert set(mapping.file_sources) | set(mapping.queries) == set(origins)


def test_a_long_query_is_shortened():
    origin = TableMapping(columns=COLUMNS, postgres="select a, " * 100 + "b from c").origins[
        "source"
    ]
    assert origin.startswith("PostgreSQL: select a, select a,")
    assert len(origin) < 80


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "give either files or sources"),
        ({"postgres": ""}, "give either files or sources"),
        (
            {"sources": TWO, "query": "q", "may_be_empty": ["c"]},
            "may_be_empty: c is not a source; known: a, b",
        ),
        ({"postgres": {}}, "give either files or sources"),
        ({"postgres": {"a": ""}, "query": "q"}, "give either files or sources"),
        ({"files": "a.csv", "postgres": "orders"}, "give either files or sources"),
        (
            {"files": "a.csv", "postgres": {"o": "orders"}, "query": "q"},
            "give either files or sources",
        ),
        ({"sources": TWO, "postgres": "orders", "query": "q"}, "give either files or sources"),
        ({"postgres": {"o": "orders"}}, "named sources need a query"),
        (
            {"sources": TWO, "postgres": {"a": "orders"}, "query": "q"},
            "occurs under both sources and postgres",
        ),
        ({"files": "a.csv", "csv": {"delimeter": ";"}}, "delimeter"),
        ({"files": "a.csv", "csv": {"encoding": "utf-9"}}, "'utf-9' is no encoding"),
    ],
)
def test_invalid_mappings_are_refused(given, message):
    with pytest.raises(ValidationError) as refused:
        TableMapping(columns=COLUMNS, **given)
    assert message in str(refused.value)
