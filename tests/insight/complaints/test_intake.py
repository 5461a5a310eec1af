"""Complaints of literal histories: from tickets, from comments, and without either."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from features.errors import ConfigRefused, DataRefused
from insight.complaints.intake import COLUMNS, read_complaints
from support.complaint_history_builders import NOW, history, ticket

DAY = timedelta(days=1)


def test_tickets_of_the_kind_are_complaints_in_order(tmp_path: Path) -> None:
    rows = [ticket("C1", NOW - n * DAY, "complaint", "price") for n in range(1, 21)]
    rows.append(ticket("C2", NOW - 30 * DAY, "request", "price"))
    found = read_complaints(*history(tmp_path, tickets=rows))
    assert tuple(found.table.columns) == COLUMNS
    assert (len(found.table), found.source, found.customers) == (20, "tickets", 1)
    assert found.table["opened_at"].is_monotonic_increasing
    assert set(found.table["category"]) == {"price"}
    assert found.end == datetime(2026, 1, 1, tzinfo=UTC)


def test_kinds_are_configured(tmp_path: Path) -> None:
    rows = [ticket("C1", NOW - n * DAY, "claim", "price") for n in range(1, 21)]
    with pytest.raises(
        DataRefused, match=r"0 tickets of kind complaint.*insight\.complaints\.kinds"
    ):
        read_complaints(*history(tmp_path / "a", tickets=rows))
    given = {"complaints": {"kinds": ["claim"]}}
    assert len(read_complaints(*history(tmp_path / "b", given, tickets=rows)).table) == 20


def test_without_tickets_dissatisfied_comments_are_complaints(tmp_path: Path) -> None:
    def answer(customer: str, score: float, comment: str | None) -> dict[str, object]:
        return {"customer_id": customer, "sent_at": NOW - 3 * DAY, "answered_at": NOW - DAY,
                "instrument": "csat", "dimension": "overall", "score": score, "scale_low": 1.0,
                "scale_high": 5.0, "comment": comment, "channel": None, "weight": 2.0}  # fmt: skip

    rows = [answer(f"C{n}", 1 + n % 2, "The delivery was late") for n in range(20)]
    rows += [answer("C98", 3, "The delivery was late"), answer("C99", 1, None)]
    found = read_complaints(*history(tmp_path, surveys=rows))
    assert found.source == "surveys"
    assert len(found.table) == 20
    assert set(found.table["category"]) == {"delivery"}
    assert set(found.table["weight"]) == {2.0}


def test_a_company_without_tickets_and_comments_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match=r"acme has no surveys.*map a table of tickets"):
        read_complaints(*history(tmp_path))


def test_invalid_settings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigRefused, match=r"insight\.complaints\.window_day\b"):
        read_complaints(*history(tmp_path / "a", {"complaints": {"window_day": 30}}))
    with pytest.raises(ConfigRefused, match="the days should rise"):
        read_complaints(*history(tmp_path / "b", {"complaints": {"late_days": [3, 1]}}))
