"""Missing values by month, empty and constant columns, on literal rows."""

from features.data_quality.missing_values import check_empty_columns, check_missing_values
from support.checked_table_builders import build_checked_table, finding_rows, order_rows


def test_an_empty_and_a_constant_column():
    rows = order_rows(range(12), amount=5.0, channel=None)
    assert finding_rows(check_empty_columns(build_checked_table("events", rows))) == [
        ("events.amount", "constant", "advice", 12, 12),
        ("events.channel", "missing", "warning", 12, 12),
    ]


def test_missing_values_by_kind_skip_kinds_without_the_column():
    rows = order_rows(range(40), amount=5.0)
    for row in rows[3:11:2]:
        row["amount"] = None
    rows += [{**row, "kind": "login", "amount": None} for row in order_rows(range(40))]
    (found,) = check_missing_values(build_checked_table("events", rows))
    assert finding_rows([found]) == [("events.amount", "missing", "advice", 4, 40)]
    assert found.says == "missing in 10.0% of the rows of kind order"


def test_a_column_that_becomes_empty_is_reported_with_its_last_day():
    rows = order_rows([d / 2 for d in range(240)], channel="web")
    for row in rows:
        if row["occurred_at"] >= 91:  # 2024-04-01
            row["channel"] = None
    (found,) = check_missing_values(build_checked_table("events", rows))
    assert (found.check, found.severity, found.rows) == ("missing since", "warning", 58)
    assert found.says.startswith(
        "since 2024-04 (last value 2024-03-31) 100% of the rows of kind order have no value, 0% in "
    )
    assert found.evidence["last_value"] == "2024-03-31"


def test_a_month_without_values_is_reported_as_that_month():
    rows = order_rows([d / 2 for d in range(240)], channel="web")
    for row in rows:
        if 31 <= row["occurred_at"] < 60:
            row["channel"] = None
    (found,) = check_missing_values(build_checked_table("events", rows))
    assert found.says.startswith("in 2024-02 100%")
    assert found.rows == 58


def test_values_revealed_later_are_not_missing():
    rows = [
        {"customer_id": "A", "opened_at": d / 2, "closed_at": None if d > 200 else d / 2 + 1}
        for d in range(240)
    ]
    assert list(check_missing_values(build_checked_table("tickets", rows))) == []


def test_attributes_of_customers():
    rows = [
        {"customer_id": str(i), "size": None if i < 3 else 5.0, "region": "n"} for i in range(10)
    ]
    made = build_checked_table("customers", rows, size="number", region="text")
    (found,) = check_missing_values(made)
    assert finding_rows([found]) == [("customers.size", "missing", "warning", 3, 10)]
