"""`@feature`: names, windows, repetition, and what is refused."""

import re
from dataclasses import replace

import pytest

from features.definitions.company_schema import CompanySchema
from features.definitions.expressions import Constant, Past
from features.definitions.feature_registry import HORIZON, REGISTRY, feature, feature_columns
from features.definitions.levers import REPLY_TIME
from features.errors import ConfigRefused
from features.feature_table import FAMILIES, plan_for
from features.history_store import Manifest

SCHEMA = CompanySchema(
    tables={"events": ("customer_id", "occurred_at", "kind", "amount"),
            "customers": ("customer_id", "valid_from", "size", "industry"),
            "surveys": ("customer_id", "sent_at", "answered_at", "instrument", "dimension", "score")},
    attributes={"size": "number", "industry": "text"},
    dimensions=("price", "staff"),
    horizons=(30, 90),
)  # fmt: skip


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch):
    """An empty registry; the real one is restored afterwards."""
    before = dict(REGISTRY)
    REGISTRY.clear()
    yield REGISTRY
    REGISTRY.clear()
    REGISTRY.update(before)


def names() -> list[str]:
    return [c.name for c in feature_columns(SCHEMA)]


def test_a_single_column_has_the_name_of_its_function():
    @feature(unit="orders")
    def purchases(past):
        """Orders so far

        And more that nobody reads in a report.
        """
        return past.events.count()

    (column,) = feature_columns(SCHEMA)
    assert (column.name, column.meaning, column.unit) == ("purchases", "Orders so far", "orders")
    assert not column.is_text
    assert purchases(Past()) == Past().events.count(), "the function stays what it was"


def test_windows_are_in_the_name_and_in_the_meaning():
    @feature(unit="orders", windows=(30, 365, None))
    def purchases(past):
        """Orders in the last {window} days"""
        return past.events.count()

    assert [(c.name, c.meaning, c.expression.view.window) for c in feature_columns(SCHEMA)] == [
        ("purchases_30d", "Orders in the last 30 days", 30),
        ("purchases_365d", "Orders in the last 365 days", 365),
        ("purchases_all", "Orders so far", None),
    ]


def test_horizon_windows_are_those_of_the_company_without_duplicates():
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

    made = {c.name: c for c in feature_columns(SCHEMA)}
    assert list(made) == [
        "record_size", "record_industry",
        "joy_price_30d", "joy_price_90d", "joy_staff_30d", "joy_staff_90d",
    ]  # fmt: skip
    assert made["joy_staff_90d"].meaning == "Joy about staff in the last 90 days"
    assert [made[n].is_text for n in ("record_size", "record_industry")] == [False, True]


def test_incomplete_features_are_refused():
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

    (column,) = feature_columns(SCHEMA)
    assert column.expression == Constant(2.0)


def test_two_features_with_the_same_column_are_refused():
    """An attribute's name may give the column of another feature."""

    @feature(unit="days")
    def record_size(past):
        """Days since the record first changed"""
        return past.customers.days_since_first()

    @feature(unit="attribute", each="attribute")
    def record(past, attribute):
        """{value} in the CRM"""
        return past.customers.last(attribute)

    with pytest.raises(ConfigRefused, match="two features have the column 'record_size'"):
        feature_columns(SCHEMA)


def test_features_without_data_are_left_out():
    @feature(unit="tickets")
    def tickets(past):
        """Tickets so far"""
        return past.tickets.count()

    @feature(unit="units")
    def units(past):
        """Units so far"""
        return past.events.sum("quantity") / past.events.count()

    assert names() == []


def test_each_top_value_and_the_hashed_rest():
    @feature(unit="orders", each="events.order.category", windows=(30,))
    def bought(past, category):
        """Orders of {value} in the last {window} days"""
        return past.events.where(kind="order", category=category).count()

    few = replace(SCHEMA, tops={"events.order.category": ("books", "Küche & Bad", "Küche Bad")},
                  tables={"events": (*SCHEMA.tables["events"], "category")})  # fmt: skip
    assert [(c.name, c.meaning) for c in feature_columns(few)] == [
        ("bought_books_30d", "Orders of books in the last 30 days"),
        ("bought_Küche_Bad_30d", "Orders of Küche & Bad in the last 30 days"),
        ("bought_Küche_Bad_2_30d", "Orders of Küche Bad in the last 30 days"),
        ("bought_hashed1_30d", "Orders of other values in the last 30 days"),
    ]
    many = replace(few, tops={"events.order.category": tuple("abcdefgh")})
    assert [c.name for c in feature_columns(many)][8:] == [
        f"bought_hashed{n}_30d" for n in (1, 2, 3, 4)
    ]
    assert feature_columns(replace(few, tops={})) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"windows": (30, "horizn")}, "unknown window 'horizn'; did you mean horizon"),
        ({"windows": (0,)}, "invalid window 0; a window is a whole number of days above 0"),
        ({"windows": (7.5,)}, "invalid window 7.5"),
        ({"windows": (True,)}, "invalid window True"),
        ({"each": "dimensoin"}, "each 'dimensoin'; did you mean dimension"),
        ({"each": "events.categry"}, "did you mean events.category"),
        ({"each": "event.order.category"}, "did you mean events.category"),
        ({"each": "events.amount"}, "cannot be made for each 'events.amount'"),
    ],
)
def test_a_misspelt_window_or_repetition_is_refused_with_similar_ones(options, message):
    with pytest.raises(ConfigRefused) as refused:

        @feature(unit="orders", **options)
        def purchases(past, *_):
            """Orders"""
            return past.events.count()

    assert message in str(refused.value)
    assert names() == []


@pytest.mark.parametrize(
    ("kind", "made"), [("order", 1), ("handover", 1), ("login", 1), ("teleport", 0)]
)
def test_features_of_a_missing_kind_are_left_out(kind, made):
    @feature(unit="orders")
    def purchases(past):
        """Orders so far"""
        return past.events.where(kind=kind).count()

    assert len(feature_columns(replace(SCHEMA, kinds={"events": ("handover", "order")}))) == made


@pytest.mark.parametrize("kind", ["ordr", "hand-over", ("order", "cancell")])
def test_a_misspelt_kind_is_refused_with_similar_ones(kind):
    @feature(unit="orders")
    def purchases(past):
        """Orders so far"""
        return past.events.where(kind=kind).count()

    with pytest.raises(ConfigRefused, match=r"purchases: events has no kind .*; did you mean"):
        feature_columns(replace(SCHEMA, kinds={"events": ("handover", "order")}))


def test_a_feature_function_must_return_an_expression():
    @feature(unit="orders")
    def purchases(past):
        """Orders so far"""
        return 5

    with pytest.raises(ConfigRefused, match="feature purchases returns 5; it should return"):
        feature_columns(SCHEMA)


def test_a_column_names_its_tables():
    @feature(unit="ratio")
    def mixed(past):
        """Tickets for each order"""
        return past.surveys.count() / past.events.count() + past.month

    @feature(unit="month")
    def now(past):
        """Month of the year"""
        return past.month

    assert [c.source for c in feature_columns(SCHEMA)] == ["surveys, events", "calendar"]


def test_the_shipped_features_are_documented(tiny_company, registry):
    """At least 60 columns in the sample; each with a sentence as meaning and a unit."""
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
    """The features of the shipped families, without those that other tests define."""
    modules = {family.__name__ for family in FAMILIES}
    return [f for f in _REGISTERED.values() if f.build.__module__ in modules]


_REGISTERED = dict(REGISTRY)


def test_phrases_follow_window_and_value():
    @feature(unit="orders", windows=(30, None), en="buys in the last {window} days",
             zh="近{window}天的订单数", form="plain", lever=REPLY_TIME)  # fmt: skip
    def purchases(past):
        """Orders in the last {window} days"""
        return past.events.count()

    @feature(unit="points", each="dimension", zh="对{value}的评分")
    def joy(past, dimension):
        """Joy about {value}"""
        return past.answers.where(dimension=dimension).mean("score")

    made = {c.name: c for c in feature_columns(SCHEMA)}
    short, ever = made["purchases_30d"], made["purchases_all"]
    assert (short.phrases.en, short.phrases.zh) == ("Buys in the last 30 days", "近30天的订单数")
    assert (ever.phrases.en, ever.phrases.zh) == ("Buys so far", "累计订单数")
    assert (short.factor, short.window, short.lever) == ("purchases", 30, REPLY_TIME)
    assert (ever.factor, ever.window, ever.phrases.form) == ("purchases", None, "plain")
    assert (made["joy_price"].factor, made["joy_price"].phrases.zh) == ("joy_price", "对价格的评分")
    assert made["joy_price"].phrases.en == "Joy about price"


def test_every_shipped_feature_has_a_chinese_name():
    assert [f.name for f in _shipped() if not f.phrases.zh] == []
