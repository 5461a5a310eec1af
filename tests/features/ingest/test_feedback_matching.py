"""An event that came as feedback and is in the table, too, counts once; equal orders count twice."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.config.feedback_settings import FeedbackSettings
from features.ingest.feedback_matching import pair_once
from support.feedback_builders import RECEIVED, EventImport, call, own, sent

ONCE, TWICE = {"in the table": 1}, {"imported": 1}


def test_the_tables_row_stays_and_is_known_since_the_feedback(tmp_path: Path) -> None:
    """A warehouse that is a day late: between both times, a cutoff sees the order once."""
    loaded = RECEIVED + timedelta(days=1)
    company = EventImport(tmp_path, [own(amount=12.499, channel="web", known_at=loaded)])
    applied = company.apply(call(sent(channel="phone")))
    assert applied.counts() == ONCE
    (row,) = company.events()
    assert (row["amount"], row["channel"], row["known_at"]) == (12.499, "web", RECEIVED)
    assert [(line.step, line.rule, line.rows) for line in company.audit.lines[1:]] == [
        ("read", "feedback: 1 calls of the CRM", 1),
        ("duplicates", "feedback that the table also holds", 1),
    ]


def test_a_row_that_was_known_before_stays_as_it_is(tmp_path: Path) -> None:
    company = EventImport(tmp_path, [own()])
    applied = company.apply(call(sent()))
    assert company.events()[0]["known_at"] == datetime(2025, 6, 12, 7, tzinfo=UTC)
    assert len(applied.changes) == 0


def test_what_the_table_leaves_empty_comes_from_the_feedback(tmp_path: Path) -> None:
    """Otherwise the log of actions would not find the campaign any more."""
    contact = {"kind": "campaign", "amount": None}
    company = EventImport(tmp_path, [own(**contact)])
    company.apply(call(sent(**contact, category="call/holdout", channel="Li Wei")))
    (row,) = company.events()
    assert (row["category"], row["channel"]) == ("call/holdout", "Li Wei")


@pytest.mark.parametrize(
    ("row", "event", "zone", "counted"),
    [
        (own("2025-06-12T07:00:00Z"), sent("2025-06-12T07:00:59Z"), "UTC", ONCE),
        (own("2025-06-12T07:00:00Z"), sent("2025-06-12T07:01:01Z"), "UTC", TWICE),
        (own("2025-06-12T07:00:00Z"), sent("2025-06-12T09:00:00+02:00"), "UTC", ONCE),
        (
            own("2025-06-12T00:00:00+02:00"),
            sent("2025-06-12T15:30:00+02:00"),
            "Europe/Berlin",
            ONCE,
        ),
        (own("2025-06-12T00:00:00+02:00"), sent("2025-06-11T23:30:00Z"), "Europe/Berlin", ONCE),
        (own("2025-06-12T00:00:00+02:00"), sent("2025-06-11T21:30:00Z"), "Europe/Berlin", TWICE),
        (own("2025-06-12T15:30:00Z"), sent("2025-06-12T00:00:00Z"), "America/New_York", ONCE),
        (own("2025-06-12T15:30:00Z"), sent("2025-06-11T00:00:00Z"), "America/New_York", TWICE),
        (own("2025-06-12T07:00:00Z"), sent("2025-06-12T08:00:00Z"), "UTC", TWICE),
    ],
)
def test_times_are_the_same_to_the_minute_or_to_the_day_of_a_date(
    tmp_path: Path, row: dict[str, Any], event: dict[str, Any], zone: str, counted: dict[str, int]
) -> None:
    assert EventImport(tmp_path, [row], time_zone=zone).apply(call(event)).counts() == counted


def test_the_tolerance_is_a_setting(tmp_path: Path) -> None:
    company = EventImport(tmp_path, [own()], FeedbackSettings(same_event_minutes=120))
    assert company.apply(call(sent("2025-06-12T08:00:00Z"))).counts() == ONCE


@pytest.mark.parametrize(
    ("here", "there", "counted"),
    [
        ({"amount": 19.999}, {"amount": 20.0}, ONCE),
        ({"amount": 19.99}, {"amount": 20.0}, TWICE),
        ({"amount": None}, {"amount": 20.0}, ONCE),
        ({"quantity": 2.0}, {"quantity": 3.0}, TWICE),
        ({"quantity": 2.0}, {"quantity": None}, ONCE),
        ({"category": "tea"}, {"category": "cups"}, TWICE),
        ({"category": "tea"}, {}, ONCE),
        ({"channel": "web"}, {"channel": "Li Wei"}, ONCE),
        ({"kind": "order"}, {"kind": "return"}, TWICE),
        ({"customer_id": "A"}, {"customer_id": "B"}, TWICE),
    ],
)
def test_values_are_the_same_where_both_give_them(
    tmp_path: Path, here: dict[str, Any], there: dict[str, Any], counted: dict[str, int]
) -> None:
    assert EventImport(tmp_path, [own(**here)]).apply(call(sent(**there))).counts() == counted


@pytest.mark.parametrize(("rows", "events"), [(1, 2), (2, 2), (3, 2), (2, 5)])
def test_two_equal_orders_on_a_day_are_two_orders(tmp_path: Path, rows: int, events: int) -> None:
    company = EventImport(tmp_path, [own("2025-06-12T00:00:00Z")] * rows)
    times = [sent(f"2025-06-12T{hour:02}:00:00Z") for hour in range(8, 8 + events)]
    applied = company.apply(*(call(time, name=f"c{i}") for i, time in enumerate(times)))
    assert applied.counts().get("in the table", 0) == min(rows, events)
    assert len(company.events()) == max(rows, events)


def test_the_nearest_partner_is_taken_and_changed_where_that_pairs_more(tmp_path: Path) -> None:
    """Minutes cut off: 7:00:59 is nearest to 7:01, but that is the row of 7:01:30."""
    company = EventImport(tmp_path, [own("2025-06-12T07:00:00Z"), own("2025-06-12T07:01:00Z")])
    applied = company.apply(call(sent("2025-06-12T07:00:59Z"), sent("2025-06-12T07:01:30Z")))
    assert applied.counts() == {"in the table": 2}


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), unique=True))
def test_no_more_can_be_paired(near: list[tuple[int, int]]) -> None:
    """The number of pairs is that of the best of all choices, and each number occurs once."""

    def most(left: list[int], used: frozenset[int]) -> int:
        if not left:
            return 0
        free = [other for one, other in near if one == left[0] and other not in used]
        return max(most(left[1:], used), *(1 + most(left[1:], used | {other}) for other in free), 0)

    pairs = pair_once(near)
    assert set(pairs.items()) <= set(near)
    assert len(set(pairs.values())) == len(pairs) == most(sorted({a for a, _ in near}), frozenset())
