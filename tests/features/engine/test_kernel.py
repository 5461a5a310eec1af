"""Every operation on ten literal rows; the results can be checked by eye."""

from math import nan, sqrt

import pytest

from features.definitions.expressions import Aggregate, Past, View
from support.table_builders import contract_table, values

# fmt: off
ROWS = contract_table("events", [dict(zip(
    ("customer_id", "occurred_at", "known_at", "kind", "amount", "category"), row, strict=True))
    for row in [
        ("A",  60, None, "order", 1000, "old"),   # before the window of 30 days
        ("A",  70, None, "order",   10, "x"),     # exactly at cutoff - window: counts
        ("A",  80, None, "order",   20, "y"),
        ("A",  80, None, "order",   40, "x"),     # at the same instant
        ("A",  85, None, "order", None, "y"),     # without an amount
        ("A",  90,   99, "order",   30, "z"),     # known late, but in time
        ("A",  95,  100, "order",  500, "late"),  # known exactly at the cutoff: does not count
        ("A",  98,  120, "order",  600, "late"),  # known after the cutoff
        ("A", 100,   99, "order", 7000, "now"),   # announced, but exactly at the cutoff: does not count
        ("A", 110,  105, "order", 8000, "next"),  # after the cutoff
    ]])

#: operation: (in the last 30 days, all time, customer without rows)
ANSWERS = {
    "count":            (5,             6,            0),
    "sum":              (100,           1100,         0),
    "mean":             (25,            220,          nan),
    "min":              (10,            10,           nan),
    "max":              (40,            1000,         nan),
    "std":              (sqrt(500 / 3), sqrt(190250), nan),
    "last":             (30,            30,           nan),
    "first":            (10,            1000,         nan),
    "distinct":         (4,             5,            0),
    "days_since":       (10,            10,           nan),
    "days_since_first": (30,            40,           nan),
    "gap_mean":         (5,             6,            nan),
    "gap_std":          (sqrt(50 / 3),  sqrt(17.5),   nan),
    "slope":            (30,            -30 * 15400 / 520, nan),
    "decayed_sum":      (31.25,         93.75,        0),
}
# fmt: on
TIMING = {"count", "days_since", "days_since_first", "gap_mean", "gap_std"}


def aggregate(view: View, operation: str, column: str) -> Aggregate:
    if operation in TIMING:
        return getattr(view, operation)()
    options = {"half_life": 10} if operation == "decayed_sum" else {}
    return getattr(view, operation)(column, **options)


@pytest.mark.parametrize("operation", ANSWERS)
def test_each_operation_on_ten_rows(operation):
    recent, ever, nothing = ANSWERS[operation]
    for window, answer in ((30, recent), (None, ever)):
        expression = aggregate(Past(window).events, operation, "amount")
        found = values({"events": ROWS}, expression, cutoff=100, customers=("A", "B"))
        assert found == pytest.approx([answer, nothing], rel=1e-12, nan_ok=True)


def test_texts_are_distinct_first_and_last():
    past = Past(30).events
    assert values({"events": ROWS}, past.distinct("category"), 100) == [3]
    assert values({"events": ROWS}, past.first("category"), 100, ("A", "B")) == ["x", None]
    assert values({"events": ROWS}, past.last("category"), 100) == ["z"]


def test_spread_of_one_or_two_rows_is_nan():
    def at(cutoff, operation):
        return values({"events": ROWS}, aggregate(Past().events, operation, "amount"), cutoff)[0]

    one, two = 61, 71
    assert at(one, "count") == 1
    for operation in ("std", "gap_mean", "gap_std", "slope"):
        assert at(one, operation) != at(one, operation), f"{operation} of a single row"
    assert at(two, "gap_mean") == 10
    assert at(two, "gap_std") != at(two, "gap_std")


def test_slope_of_rows_at_one_instant_is_nan():
    (slope,) = values({"events": ROWS}, Past(10).events.slope("amount"), 85)
    assert slope != slope


def test_a_value_counts_once_even_if_its_first_row_is_not_yet_known_or_outside_the_window():
    rows = contract_table(
        "events",
        [
            {"customer_id": "A", "occurred_at": 1, "kind": "order", "category": "x"},
            {"customer_id": "A", "occurred_at": 5, "known_at": 50, "kind": "o", "category": "x"},
            {"customer_id": "A", "occurred_at": 6, "kind": "order", "category": "x"},
            {"customer_id": "A", "occurred_at": 7, "known_at": 50, "kind": "o", "category": "x"},
            {"customer_id": "A", "occurred_at": 8, "kind": "order", "category": "x"},
        ],
    )
    for window, cutoff in ((6, 10), (None, 10), (6, 5), (3, 10)):
        expression = Past(window).events.distinct("category")
        assert values({"events": rows}, expression, cutoff) == [1]
    assert values({"events": rows}, Past(3).events.distinct("category"), 5) == [0]


def test_rows_without_a_date_have_no_age_and_are_in_no_window():
    """A CRM record without valid_from is known, but without a date."""
    crm = contract_table("customers", [{"customer_id": "A"}])
    (age,) = values({"customers": crm}, Past().customers.days_since_first(), 10)
    assert age != age
    assert values({"customers": crm}, Past().customers.count(), 10) == [1]
    assert values({"customers": crm}, Past(365).customers.count(), 10) == [0]
