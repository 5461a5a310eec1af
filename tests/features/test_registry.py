"""`@feature`: names, windows, repetition, and what is refused."""

import re

import pytest

from features.errors import ConfigRefused
from features.expressions import Constant, Past
from features.registry import HORIZON, REGISTRY, columns, feature
from features.schema import Schema
from features.storage import Manifest
from features.table import FAMILIES, plan_for

SCHEMA = Schema(
    tables={"events": ("customer_id", "occurred_at", "kind", "amount"),
            "customers": ("customer_id", "valid_from", "size", "industry"),
            "surveys": ("customer_id", "sent_at", "answered_at", "instrument", "dimension", "score")},
    attributes={"size": "number", "industry": "text"},
    dimensions=("price", "staff"),
    horizons=(30, 90),
)  # fmt: skip


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch):
    """A registry with nothing in it, the real one back afterwards."""
    before = dict(REGISTRY)
    REGISTRY.clear()
    yield REGISTRY
    REGISTRY.clear()
    REGISTRY.update(before)


def names() -> list[str]:
    return [c.name for c in columns(SCHEMA)]


def test_a_single_column_has_the_name_of_its_function():
    @feature(unit="orders")
    def purchases(past):
        """Orders so far

        And more that nobody reads in a report.
        """
        return past.events.count()

    (column,) = columns(SCHEMA)
    assert (column.name, column.meaning, column.unit) == ("purchases", "Orders so far", "orders")
    assert not column.is_text
    assert purchases(Past()) == Past().events.count(), "the function stays what it was"


def test_windows_are_in_the_name_and_in_the_meaning():
    @feature(unit="orders", windows=(30, 365, None))
    def purchases(past):
        """Orders in the last {window} days"""
        return past.events.count()

    assert [(c.name, c.meaning, c.expression.view.window) for c in columns(SCHEMA)] == [
        ("purchases_30d", "Orders in the last 30 days", 30),
        ("purchases_365d", "Orders in the last 365 days", 365),
        ("purchases_all", "Orders so far", None),
    ]


def test_the_horizon_stands_for_those_of_the_company_and_makes_no_column_twice():
    @feature(unit="orders", windows=(7, HORIZON, 90))
    def purchases(past):
        """Orders in the last {window} days"""
        return past.events.count()

    assert names() == ["purchases_7d", "purchases_30d", "purchases_90d"]


def test_each_attribute_and_each_dimension():
    @feature(unit="attribute", each="attribute")
    def record(past, attribute):
        """{value} in the CRM"""
        return past.customers.last(attribute)

    @feature(unit="points", each="dimension", windows=(30, 90))
    def joy(past, dimension):
        """Joy about {value} in the last {window} days"""
        return past.answers.where(dimension=dimension).mean("score")

    made = {c.name: c for c in columns(SCHEMA)}
    assert list(made) == [
        "record_size", "record_industry",
        "joy_price_30d", "joy_price_90d", "joy_staff_30d", "joy_staff_90d",
    ]  # fmt: skip
    assert made["joy_staff_90d"].meaning == "Joy about staff in the last 90 days"
    assert [made[n].is_text for n in ("record_size", "record_industry")] == [False, True]


def test_what_a_feature_is_without_is_refused():
    with pytest.raises(ConfigRefused, match="feature mute has no docstring"):

        @feature(unit="orders")
        def mute(past):
            return past.events.count()

    nameless = lambda past: past.events.count()  # noqa: E731
    nameless.__doc__ = "Has a meaning but no name"
    with pytest.raises(ConfigRefused, match="becomes the column's name"):
        feature(unit="orders")(nameless)
    assert names() == []


def test_defining_a_feature_again_replaces_it():
    """A notebook cell is run twice."""
    for number in (1.0, 2.0):

        @feature(unit="number")
        def constant(past, number=number):
            """A number"""
            return Constant(number)

    (column,) = columns(SCHEMA)
    assert column.expression == Constant(2.0)


def test_two_features_of_one_column_are_refused():
    """An attribute may be called so that its column is another feature's."""

    @feature(unit="days")
    def record_size(past):
        """Days since the record first changed"""
        return past.customers.days_since_first()

    @feature(unit="attribute", each="attribute")
    def record(past, attribute):
        """{value} in the CRM"""
        return past.customers.last(attribute)

    with pytest.raises(ConfigRefused, match="two features make a column 'record_size'"):
        columns(SCHEMA)


def test_what_the_company_has_no_data_for_is_not_made():
    @feature(unit="tickets")
    def tickets(past):
        """Tickets so far"""
        return past.tickets.count()

    @feature(unit="units")
    def units(past):
        """Units so far"""
        return past.events.sum("quantity") / past.events.count()

    assert names() == []


def test_the_shipped_features_are_documented(tiny_company, registry):
    """At least 60 columns in the sample; every meaning a sentence, every unit given."""
    company, workspace = tiny_company
    registry.update({f.name: f for f in _shipped()})
    plan = plan_for(Manifest.read(workspace, company.name).schema)
    assert len(plan.names) >= 60
    assert len(set(plan.names)) == len(plan.names)
    for column in plan.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert len(column.meaning) > 10
        assert not re.search(r"[{}]|None", column.meaning), column.meaning
        assert column.meaning[0].isupper() or column.name.startswith("crm_"), column.meaning
        assert not column.meaning.endswith("."), f"{column.meaning}: one style, no full stop"
        assert column.unit.strip()


def _shipped():
    """The features of the shipped families, without those other tests define."""
    modules = {family.__name__ for family in FAMILIES}
    return [f for f in _REGISTERED.values() if f.build.__module__ in modules]


_REGISTERED = dict(REGISTRY)
