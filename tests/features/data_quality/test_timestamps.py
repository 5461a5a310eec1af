"""Order of times, signs, old dates and times of day, on a few literal rows."""

import duckdb
import pytest

from features.data_quality.timestamps import (
    check_amount_signs,
    check_date_range,
    check_rows_before_crm,
    check_time_of_day,
    check_time_order,
)
from support.checked_table_builders import (
    build_checked_table,
    finding_rows,
    order_rows,
    run_with_daily_counts,
)


def test_contradicting_times_are_reported_with_customer_and_time():
    rows = order_rows(range(5), known_at=9.0, due_at=9.0)
    rows[1]["known_at"] = 0.5
    rows[2]["due_at"] = 1.5
    rows[3]["due_at"] = 5000.0
    rows[4]["known_at"] = 900.0
    found = list(check_time_order(build_checked_table("events", rows)))
    assert finding_rows(found) == [
        ("events.known_at", "order of times", "warning", 1, 5),
        ("events.due_at", "order of times", "warning", 1, 5),
        ("events.due_at", "order of times", "warning", 1, 5),
        ("events.known_at", "order of times", "warning", 1, 5),
    ]
    assert found[0].says == ("1 rows are known before they occurred, such as B at 2024-01-02 00:00")


def test_a_payment_may_be_due_before_it_occurs():
    rows = [{**r, "kind": "payment", "due_at": 0.0} for r in order_rows(range(5))]
    assert list(check_time_order(build_checked_table("events", rows))) == []


def test_a_ticket_closed_before_its_first_reply():
    rows = [{"customer_id": "A", "opened_at": 1, "first_reply_at": 3, "closed_at": 2}]
    assert finding_rows(check_time_order(build_checked_table("tickets", rows))) == [
        ("tickets.first_reply_at", "order of times", "warning", 1, 1)
    ]


@pytest.mark.parametrize(("first", "rows", "severity"), [(2.0, 2, "warning"), (0.0, 0, None)])
def test_events_before_the_first_version_of_their_customer(first, rows, severity):
    con = duckdb.connect()
    versions = [{"customer_id": "A", "valid_from": since} for since in (5.0, first)]
    build_checked_table("customers", versions, con=con)
    found = list(check_rows_before_crm(build_checked_table("events", [
        {"customer_id": "A", "occurred_at": d, "kind": "order"} for d in (0.0, 1.0, 3.0)
    ], con=con)))  # fmt: skip
    assert [(f.rows, f.severity) for f in found] == ([(rows, severity)] if rows else [])
    if found:
        assert "such as A on 2024-01-01" in found[0].says


def test_signs_of_orders_and_returns():
    rows = order_rows(range(4), amount=5.0)
    rows[0]["amount"] = -5.0
    rows += [{**row, "kind": "return", "amount": 3.0} for row in order_rows(range(2))]
    found = list(check_amount_signs(build_checked_table("events", rows)))
    assert finding_rows(found) == [
        ("events.amount", "sign", "warning", 1, 4),
        ("events.amount", "sign", "warning", 2, 2),
    ]
    assert "map -amount" in found[1].remedy


def test_implausibly_old_dates():
    rows = order_rows([float(d) for d in range(2000)], due_at=5.0)
    rows[7]["due_at"] = -19723.0  # 1970-01-01
    assert finding_rows(
        run_with_daily_counts(check_date_range, build_checked_table("events", rows))
    ) == [("events.due_at", "dates", "warning", 1, 2000)]
    rows = order_rows([float(d) for d in range(2000)])
    rows[0]["occurred_at"] = -2000.0
    (found,) = run_with_daily_counts(check_date_range, build_checked_table("events", rows))
    assert (
        "1 rows are more than a year older than all others, which start on 2024-01-02" in found.says
    )


def test_all_or_part_of_the_rows_at_midnight():
    assert finding_rows(
        check_time_of_day(build_checked_table("events", order_rows(range(120))))
    ) == [("events.occurred_at", "clock", "advice", 120, 120)]
    mixed = order_rows(range(60)) + order_rows([d + 0.377 for d in range(60)])
    (found,) = check_time_of_day(build_checked_table("events", mixed))
    assert (found.severity, found.rows) == ("warning", 60)
    assert found.says == "50% of the rows of kind order are at 00:00:00 exactly, the others are not"
    assert (
        list(
            check_time_of_day(
                build_checked_table("events", order_rows([d + 0.377 for d in range(120)]))
            )
        )
        == []
    )


def test_dates_written_in_another_time_zone():
    (found,) = check_time_of_day(
        build_checked_table("events", order_rows(range(31)) * 4, zone="Europe/Berlin")
    )
    assert found.says.startswith("100% of the rows of kind order are at 01:00:00 Europe/Berlin")
    assert "company.time_zone" in found.remedy
    midnights = order_rows([d - 1 / 24 for d in range(1, 32)]) * 4
    (found,) = check_time_of_day(build_checked_table("events", midnights, zone="Europe/Berlin"))
    assert "dates without a time of day" in found.says
