"""Missing values, since when, and columns with one value, on rows written by hand."""

from features.data_quality.missing_values import check_missing_values, check_empty_columns
from support.checked_table_builders import orders, subject, told


def test_a_mapped_column_without_values_and_one_with_a_single_value():
    rows = orders(range(12), amount=5.0, channel=None)
    assert told(check_empty_columns(subject("events", rows))) == [
        ("events.amount", "constant", "advice", 12, 12),
        ("events.channel", "missing", "warning", 12, 12),
    ]


def test_missing_is_told_by_kind_and_not_where_a_kind_never_has_it():
    rows = orders(range(40), amount=5.0)
    for row in rows[3:11:2]:
        row["amount"] = None
    rows += [{**row, "kind": "login", "amount": None} for row in orders(range(40))]
    (found,) = check_missing_values(subject("events", rows))
    assert told([found]) == [("events.amount", "missing", "advice", 4, 40)]
    assert found.says == "missing in 10.0% of the rows of kind order"


def test_a_column_empty_since_a_day_is_told_with_that_day():
    rows = orders([d / 2 for d in range(240)], channel="web")
    for row in rows:
        if row["occurred_at"] >= 91:  # 2024-04-01
            row["channel"] = None
    (found,) = check_missing_values(subject("events", rows))
    assert (found.check, found.severity, found.rows) == ("missing since", "warning", 58)
    assert found.says.startswith(
        "since 2024-04 (last value 2024-03-31) 100% of the rows of kind order have no value, 0% in "
    )
    assert found.evidence["last_value"] == "2024-03-31"


def test_a_month_without_values_is_told_as_that_month():
    rows = orders([d / 2 for d in range(240)], channel="web")
    for row in rows:
        if 31 <= row["occurred_at"] < 60:
            row["channel"] = None
    (found,) = check_missing_values(subject("events", rows))
    assert found.says.startswith("in 2024-02 100%")
    assert found.rows == 58


def test_what_is_still_open_at_the_end_is_not_missing():
    rows = [
        {"customer_id": "A", "opened_at": d / 2, "closed_at": None if d > 200 else d / 2 + 1}
        for d in range(240)
    ]
    assert list(check_missing_values(subject("tickets", rows))) == []


def test_attributes_of_customers():
    rows = [
        {"customer_id": str(i), "size": None if i < 3 else 5.0, "region": "n"} for i in range(10)
    ]
    made = subject("customers", rows, size="number", region="text")
    (found,) = check_missing_values(made)
    assert told([found]) == [("customers.size", "missing", "warning", 3, 10)]
