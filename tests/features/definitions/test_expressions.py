"""The feature language: the expressions it builds, and what it refuses."""

import pytest

from features.definitions.expressions import (
    Aggregate,
    Arithmetic,
    Constant,
    Month,
    Past,
    View,
    as_expression,
)
from features.definitions.filters import Filter, HashBucket
from features.errors import ConfigRefused

PAST = Past(90)


def test_expressions_are_descriptions():
    expression = PAST.events.where(kind="order").at_least(amount=5).known("category").sum("amount")
    assert expression == Aggregate(
        View(
            "events",
            "occurred_at",
            90,
            (
                Filter("kind", "is", ("order",)),
                Filter("amount", "at least", bound=5.0),
                Filter("category", "known"),
            ),
        ),
        "sum",
        "amount",
    )


def test_each_table_has_its_clock():
    assert [
        (view.table, view.clock, view.window, [f.column for f in view.filters])
        for view in (PAST.customers, PAST.events, PAST.surveys, PAST.answers, PAST.tickets)
    ] == [
        ("customers", "valid_from", 90, []),
        ("events", "occurred_at", 90, []),
        ("surveys", "sent_at", 90, []),
        ("surveys", "answered_at", 90, ["answered_at"]),
        ("tickets", "opened_at", 90, []),
    ]
    assert Past().events.window is None
    assert PAST.month == Month()


def test_filters_accumulate_without_changing_the_original_view():
    orders = PAST.events.where(kind="order")
    online = orders.where(channel=("web", "app"))
    assert orders.filters == (Filter("kind", "is", ("order",)),)
    assert online.filters == (*orders.filters, Filter("channel", "is", ("web", "app")))
    assert online.within(7).window == 7
    assert online.within(None).window is None
    assert online.window == 90


def test_arithmetic_takes_numbers():
    count = PAST.events.count()
    assert count + 1 == Arithmetic("+", count, Constant(1.0))
    assert [(count - 1).operator, (count * 2).operator, (count / 3).operator] == ["-", "*", "/"]
    assert as_expression(count) is count


def test_equal_expressions_are_equal_and_hash_alike():
    """The engine computes equal aggregates once, so they must be equal and hash alike."""
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
def test_a_misspelt_column_is_refused_with_similar_ones(build, message):
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
        (lambda: PAST.events.where(kind=5), "events.kind is a text column; a number column"),
        (lambda: PAST.events.where(amount="5"), "events.amount is a number column; a text column"),
        (lambda: PAST.events.at_least(channel=5), "events.channel is a text column"),
        (lambda: PAST.tickets.where(reopened="yes"), "a text column is needed"),
    ],
)
def test_a_column_of_the_wrong_kind_is_refused(build, message):
    """A sum of text codes would be meaningless, and would leak."""
    with pytest.raises(ConfigRefused) as refused:
        build()
    assert message in str(refused.value)


def test_any_attribute_of_customers_is_accepted():
    assert PAST.customers.last("anything a CRM holds").column == "anything a CRM holds"
    assert PAST.tickets.mean("reopened").column == "reopened"
    assert PAST.events.distinct("channel").column == "channel"


def test_filters_accept_numbers_flags_and_several_values():
    assert PAST.tickets.where(reopened=True, severity=(3, 4)).filters == (
        Filter("reopened", "is", (True,)),
        Filter("severity", "is", (3, 4)),
    )
    assert PAST.events.at_most(amount=9).filters == (Filter("amount", "at most", bound=9.0),)


def test_a_share_is_a_count_over_a_count():
    share = PAST.events.share(kind="return")
    assert share == PAST.events.where(kind="return").count() / PAST.events.count()
    assert [leaf.operation for leaf in share.leaves()] == ["count", "count"]


def test_each_text_is_a_top_value_or_in_one_bucket():
    top = ("books", "tools")
    buckets = [HashBucket(top, number, 3) for number in range(3)]
    for text in ("books", "tools", "garden", "", "发票", "Ã¼"):
        assert sum(bucket.holds(text) for bucket in buckets) == (text not in top)
    assert [str(bucket) for bucket in buckets] == [
        "other values (1 of 3)",
        "other values (2 of 3)",
        "other values (3 of 3)",
    ]
    assert str(HashBucket(top, 0, 1)) == "other values"


def test_trends_combine_windows():
    assert PAST.within(30) == Past(30)
