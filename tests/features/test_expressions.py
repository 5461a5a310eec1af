"""The language of features: what it builds, and what it refuses."""

import pytest

from features.errors import ConfigRefused
from features.expressions import Aggregate, Arithmetic, Constant, Month, Past, View, as_expression

PAST = Past(90)


def test_an_expression_describes_what_it_says():
    expression = PAST.events.where(kind="order").at_least(amount=5).known("category").sum("amount")
    assert expression == Aggregate(
        View(
            "events", "occurred_at", 90, (("kind", ("order",)),), (("amount", 5.0),), ("category",)
        ),
        "sum",
        "amount",
    )


def test_each_table_has_its_clock():
    assert [
        (view.table, view.clock, view.window, view.having)
        for view in (PAST.customers, PAST.events, PAST.surveys, PAST.answers, PAST.tickets)
    ] == [
        ("customers", "valid_from", 90, ()),
        ("events", "occurred_at", 90, ()),
        ("surveys", "sent_at", 90, ()),
        ("surveys", "answered_at", 90, ("answered_at",)),
        ("tickets", "opened_at", 90, ()),
    ]
    assert Past().events.window is None
    assert PAST.month == Month()


def test_filters_add_up_and_leave_the_view_they_start_from():
    orders = PAST.events.where(kind="order")
    online = orders.where(channel=("web", "app"))
    assert orders.equal == (("kind", ("order",)),)
    assert online.equal == (("kind", ("order",)), ("channel", ("web", "app")))
    assert online.within(7).window == 7
    assert online.within(None).window is None
    assert online.window == 90


def test_arithmetic_takes_numbers():
    count = PAST.events.count()
    assert count + 1 == Arithmetic("+", count, Constant(1.0))
    assert [(count - 1).operator, (count * 2).operator, (count / 3).operator] == ["-", "*", "/"]
    assert as_expression(count) is count


def test_equal_descriptions_are_one():
    """The engine works out equal aggregates once; they must be equal and hash alike."""
    assert len({PAST.events.mean("amount"), Past(90).events.mean("amount")}) == 1
    assert len({PAST.events.decayed_sum("amount", half_life=h) for h in (7, 90)}) == 2


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PAST.events.sum("amuont"), "events has no column 'amuont'; did you mean amount"),
        (lambda: PAST.events.where(kin="order"), "events has no column 'kin'; did you mean kind"),
        (lambda: PAST.tickets.known("closed"), "did you mean closed_at"),
        (lambda: PAST.surveys.at_least(levle=50), "did you mean level"),
        (lambda: PAST.answers.mean("reply_hours"), "surveys has no column 'reply_hours'"),
        (lambda: PAST.tickets.mean("level"), "tickets has no column 'level'"),
    ],
)
def test_a_misspelt_column_is_refused_with_near_ones(build, message):
    with pytest.raises(ConfigRefused) as refused:
        build()
    assert message in str(refused.value)
    assert "known: customer_id" in str(refused.value)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: PAST.events.sum("category"), "events.category is a text column; a number column"),
        (lambda: PAST.events.max("due_at"), "events.due_at is a time column; a number column"),
        (lambda: PAST.events.last("due_at"), "a number or text column is needed"),
        (lambda: PAST.events.where(amount="5"), "events.amount is a number column; a text column"),
        (lambda: PAST.events.at_least(channel=5), "events.channel is a text column"),
        (lambda: PAST.tickets.where(reopened="yes"), "a text column is needed"),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused(build, message):
    """A sum of the codes of texts would be a number without meaning, and one that leaks."""
    with pytest.raises(ConfigRefused) as refused:
        build()
    assert message in str(refused.value)


def test_attributes_of_customers_are_open():
    assert PAST.customers.last("anything a CRM holds").column == "anything a CRM holds"
    assert PAST.tickets.mean("reopened").column == "reopened"
    assert PAST.events.distinct("channel").column == "channel"
