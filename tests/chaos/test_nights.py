"""Nights that are killed, doubled or fed with broken sources: afterwards nothing is half."""

import pyarrow.parquet as pq
import pytest

from features.errors import AlreadyRunning, DataRefused, EnvironmentFailed
from support.night_faults import FAKETIME, clock, moved_away
from support.nights import DONE, NAME, Nights, kill

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

#: The steps after which a night is killed: at the import, at the training, at the scores, at the report.
KILLED_AFTER = (
    "check data quality",
    "train churn",
    "score and explain every customer",
    "indicators",
)


@pytest.mark.parametrize("step", KILLED_AFTER)
def test_a_night_that_is_killed_changes_nothing(nights: Nights, step: str) -> None:
    before = nights.published()
    assert nights.kill_after_step(step).code == -9
    assert nights.published() == before
    assert nights.problems() == []


def test_a_second_night_at_once_is_refused(nights: Nights) -> None:
    before = nights.published()
    first = nights.start()
    nights.wait_until_staged(first)
    assert not nights.run().problem(AlreadyRunning.exit_code)
    kill(first)
    assert nights.published() == before


@pytest.mark.parametrize("fault", ["truncated", "empty", "a tenth", "gone"])
def test_a_broken_source_is_refused_and_changes_nothing(nights: Nights, fault: str) -> None:
    source = nights.raw / "orders.parquet"
    good, before = source.read_bytes(), nights.published()
    table = pq.read_table(source)
    try:
        if fault == "truncated":
            source.write_bytes(good[: len(good) // 2])
        elif fault == "gone":
            source.unlink()
        else:
            kept = table.slice(0, 0 if fault == "empty" else table.num_rows // 10)
            pq.write_table(kept, source)
        night = nights.run()
    finally:
        source.write_bytes(good)
    assert not night.problem(DataRefused.exit_code)
    assert "kind 'order'" in night.printed or "orders.parquet" in night.printed
    assert nights.published() == before


def test_sources_that_are_away_end_the_night_with_the_remedy(nights: Nights) -> None:
    before = nights.published()
    with moved_away(nights.raw):
        night = nights.run()
    assert not night.problem(EnvironmentFailed.exit_code)
    assert f"{nights.raw}, is away: mount it, then run again" in night.printed
    assert nights.published() == before


def test_after_all_faults_a_night_completes_whatever_the_clock_says(nights: Nights) -> None:
    """Nothing that killed nights left stands in its way or stays; results are of the data's own times.

    The clock is a year back, in the time zone furthest from UTC.
    """
    before, scores = nights.published(), pq.read_table(nights.workspace.scores(NAME))
    night = nights.run(wrapper=clock("-365d"), environment={**FAKETIME, "TZ": "Pacific/Kiritimati"})
    assert not night.problem(*DONE)
    assert [*nights.problems(), *nights.alias_problems(), *nights.leftovers()] == []
    after = nights.published()
    tables = [p for p in before if p.startswith("history/") and p.endswith(".parquet")]
    assert tables
    assert [p for p in tables if before[p] != after.get(p)] == []
    assert pq.read_table(nights.workspace.scores(NAME)).equals(scores)
