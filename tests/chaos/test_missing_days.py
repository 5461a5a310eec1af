"""Nights on which a day's file is missing, in a company whose sources deliver one a day."""

import json
from datetime import date, timedelta

import pytest

from features.errors import DataRefused
from support.daily_nights import DailyNights
from support.night_faults import moved_away
from support.nights import DONE

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

#: A Monday; no holiday is near.
FIRST = date(2026, 6, 15)
YESTERDAY = FIRST + timedelta(days=3)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> DailyNights:
    """The company after three days."""
    made = DailyNights(tmp_path_factory.mktemp("daily") / "home", FIRST)
    for day in range(3):
        made.deliver(FIRST + timedelta(days=day))
    assert not made.night().problem(*DONE)
    return made


def test_a_missing_file_of_yesterday_stops_the_night(nights: DailyNights) -> None:
    before = nights.published()
    nights.deliver(YESTERDAY, without=("orders", "tickets"))
    night = nights.night()
    assert not night.problem(DataRefused.exit_code)
    assert f"events of kind 'order', {YESTERDAY}: 0 rows" in night.printed
    for source in ("events, orders", "tickets"):
        assert f"no new file of {source}" in night.printed
    assert nights.published() == before


def test_a_missing_file_in_the_middle_stops_the_night(nights: DailyNights) -> None:
    before = nights.published()
    nights.deliver(YESTERDAY)
    middle = FIRST + timedelta(days=1)
    with moved_away(nights.file("orders", middle)):
        night = nights.night()
    assert not night.problem(DataRefused.exit_code)
    assert "events of kind 'order'" in night.printed
    assert str(middle) in night.printed
    assert nights.published() == before
    assert not nights.night().problem(*DONE)
    assert nights.published() != before


def test_a_table_of_few_rows_that_no_longer_arrives_is_found_after_some_nights(
    nights: DailyNights,
) -> None:
    """One empty day of tickets is no sign; a longer gap than ever in the year before is one."""
    found: list[set[str]] = []
    for later in range(1, 5):
        nights.deliver(YESTERDAY + timedelta(days=later), without=("tickets",))
        night = nights.night()
        assert not night.problem(*DONE)
        assert "no new file of tickets" in night.printed
        report = json.loads((nights.folder / "data-quality.json").read_text("utf-8"))
        found.append({f["check"] for f in report["findings"] if f["table"] == "tickets"})
    assert not found[0] & {"late", "last days"}
    assert found[-1] & {"late", "last days"}
