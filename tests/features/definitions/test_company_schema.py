"""The company schema decides which features are offered."""

from dataclasses import replace

import pytest

from features.contract import TABLES
from features.definitions.company_schema import CompanySchema
from features.definitions.expressions import Constant, Past
from features.feature_table import plan_for

PAST = Past()
FULL = CompanySchema(
    tables={n: (*t.names, *(("size", "industry") if n == "customers" else ()))
            for n, t in TABLES.items()},
    attributes={"size": "number", "industry": "text"},
    dimensions=("price",),
    horizons=(90,),
)  # fmt: skip


def without(table: str, *columns: str) -> CompanySchema:
    """The full schema without a table, or without some of its columns."""
    tables = dict(FULL.tables)
    kept = tuple(c for c in tables.pop(table) if c not in columns)
    return replace(FULL, tables={**tables, table: kept} if columns else tables)


@pytest.mark.parametrize(
    ("table", "columns", "expression"),
    [
        ("tickets", (), PAST.tickets.count()),
        ("events", ("amount",), PAST.events.sum("amount")),
        ("events", ("amount",), PAST.events.at_least(amount=5).count()),
        ("events", ("category",), PAST.events.known("category").count()),
        ("events", ("channel",), PAST.events.where(channel="web").count()),
        ("events", ("due_at",), PAST.events.mean("late")),
        ("surveys", ("answered_at",), PAST.answers.count()),
        ("surveys", ("expectation",), PAST.answers.mean("gap")),
        ("customers", ("valid_from",), PAST.customers.count()),
        ("customers", ("size",), PAST.customers.last("size")),
        ("tickets", (), PAST.events.count() / PAST.tickets.count()),
        ("tickets", (), Constant(1) - PAST.tickets.count()),
    ],
)
def test_an_expression_needs_its_table_and_columns(table, columns, expression):
    assert FULL.offers(expression)
    assert not without(table, *columns).offers(expression)


def test_a_constant_attribute_needs_no_valid_from():
    assert without("customers", "valid_from").offers(PAST.customers.last("size"))


def test_month_and_constants_are_always_offered():
    nothing = CompanySchema({}, {}, ())
    assert nothing.offers(PAST.month)
    assert nothing.offers(Constant(1) + PAST.month)
    assert plan_for(nothing).names == ("season",)


def test_expressions_that_are_texts():
    for expression in (PAST.events.last("category"), PAST.customers.first("industry")):
        assert FULL.is_text(expression)
    for expression in (
        PAST.events.last("amount"), PAST.customers.last("size"), PAST.events.distinct("category"),
        PAST.events.count(), PAST.month, PAST.customers.last("unheard of"),
    ):  # fmt: skip
        assert not FULL.is_text(expression)


@pytest.mark.parametrize("table", TABLES)
def test_features_of_a_missing_table_are_not_offered(table):
    full, less = plan_for(FULL), plan_for(without(table))
    lost = set(full.names) - set(less.names)
    assert lost
    assert not set(less.names) - set(full.names)
    assert all(stream.view.table != table for stream, _ in less.streams)


def test_json_round_trip():
    assert CompanySchema.from_json(FULL.to_json()) == FULL


def test_values_of_each():
    assert FULL.values("attribute") == ("size", "industry")
    assert FULL.values("dimension") == ("price",)
