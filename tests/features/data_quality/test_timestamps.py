"""Order of times, signs, ages and clocks, on a few rows written by hand."""

import duckdb
import pytest

from features.data_quality.timestamps import (
    check_date_range,
    check_rows_before_crm,
    check_time_of_day,
    check_time_order,
    check_amount_signs,
)
from support.checked_table_builders import orders, run, subject, told


def test_times_that_contradict_each_other_are_told_with_customer_and_time():
    rows = orders(range(5), known_at=9.0, due_at=9.0)
    rows[1]["known_at"] = 0.5
    rows[2]["due_at"] = 1.5
    rows[3]["due_at"] = 5000.0
    rows[4]["known_at"] = 900.0
    found = list(check_time_order(subject("events", rows)))
    assert told(found) == [
        ("events.known_at", "order of times", "warning", 1, 5),
        ("events.due_at", "order of times", "warning", 1, 5),
        ("events.due_at", "order of times", "warning", 1, 5),
        ("events.known_at", "order of times", "warning", 1, 5),
    ]
    assert found[0].says == ("1 rows are known before they occurred, such as B at 2024-01-02 00:00")


def test_a_payment_may_be_due_before_it_occurs():
    rows = [{**r, "kind": "payment", "due_at": 0.0} for r in orders(range(5))]
    assert list(check_time_order(subject("events", rows))) == []


def test_a_ticket_closed_before_its_first_reply():
    rows = [{"customer_id": "A", "opened_at": 1, "first_reply_at": 3, "closed_at": 2}]
    assert told(check_time_order(subject("tickets", rows))) == [
        ("tickets.first_reply_at", "order of times", "warning", 1, 1)
    ]


@pytest.mark.parametrize(("first", "rows", "severity"), [(2.0, 2, "warning"), (0.0, 0, None)])
def test_events_before_the_first_version_of_their_customer(first, rows, severity):
    con = duckdb.connect()
    versions = [{"customer_id": "A", "valid_from": since} for since in (5.0, first)]
    subject("customers", versions, con=con)
    found = list(check_rows_before_crm(subject("events", [
        {"customer_id": "A", "occurred_at": d, "kind": "order"} for d in (0.0, 1.0, 3.0)
    ], con=con)))  # fmt: skip
    assert [(f.rows, f.severity) for f in found] == ([(rows, severity)] if rows else [])
    if found:
        assert "such as A on 2024-01-01" in found[0].says


def test_signs_of_orders_and_returns():
    rows = orders(range(4), amount=5.0)
    rows[0]["amount"] = -5.0
    rows += [{**row, "kind": "return", "amount": 3.0} for row in orders(range(2))]
    found = list(check_amount_signs(subject("events", rows)))
    assert told(found) == [
        ("events.amount", "sign", "warning", 1, 4),
        ("events.amount", "sign", "warning", 2, 2),
    ]
    assert "map -amount" in found[1].remedy


def test_dates_of_another_age():
    rows = orders([float(d) for d in range(2000)], due_at=5.0)
    rows[7]["due_at"] = -19723.0  # 1970-01-01
    assert told(run(check_date_range, subject("events", rows))) == [
        ("events.due_at", "dates", "warning", 1, 2000)
    ]
    rows = orders([float(d) for d in range(2000)])
    rows[0]["occurred_at"] = -2000.0
    (found,) = run(check_date_range, subject("events", rows))
    assert "1 rows lie more than a year before all others, which begin 2024-01-02" in found.says


def test_rows_at_midnight_all_or_a_part():
    assert told(check_time_of_day(subject("events", orders(range(120))))) == [
        ("events.occurred_at", "clock", "advice", 120, 120)
    ]
    mixed = orders(range(60)) + orders([d + 0.377 for d in range(60)])
    (found,) = check_time_of_day(subject("events", mixed))
    assert (found.severity, found.rows) == ("warning", 60)
    assert found.says == "50% of the rows of kind order are at 00:00:00 exactly, the others are not"
    assert list(check_time_of_day(subject("events", orders([d + 0.377 for d in range(120)])))) == []


def test_days_written_by_another_zones_clock():
    (found,) = check_time_of_day(subject("events", orders(range(31)) * 4, zone="Europe/Berlin"))
    assert found.says.startswith("100% of the rows of kind order are at 01:00:00 Europe/Berlin")
    assert "company.time_zone" in found.remedy
    midnights = orders([d - 1 / 24 for d in range(1, 32)]) * 4
    (found,) = check_time_of_day(subject("events", midnights, zone="Europe/Berlin"))
    assert "days and no times of day" in found.says
