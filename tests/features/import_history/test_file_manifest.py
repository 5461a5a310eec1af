"""The file manifest: comparing two states of a folder."""

import os
import shutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataRefused
from features.import_history.file_manifest import (
    MANIFEST_FILE,
    FileChanges,
    FileStamp,
    read_file_manifest,
    stamp_files,
    write_file_manifest,
)
from support.company_builders import GOOD

FIRST, *LINES = GOOD["events"].splitlines(keepends=True)
KEYS = st.tuples(
    st.sampled_from(["events", "surveys"]), st.just("source"), st.sampled_from("abcdef")
)
STATES = st.dictionaries(
    KEYS, st.builds(FileStamp, st.integers(0, 3), st.integers(0, 3), st.sampled_from("xy"))
)


@settings(max_examples=50, deadline=None)
@given(STATES, STATES)
def test_each_file_is_new_changed_gone_or_the_same(recorded, found):
    changes = FileChanges.compare(recorded, found)
    listed = [*changes.new, *changes.changed, *changes.gone, *changes.same]
    assert sorted(listed) == sorted({**recorded, **found}), "each file once"
    for key in listed:
        before, now = recorded.get(key), found.get(key)
        place = ("new" if before is None else "gone" if now is None
                 else "same" if before.sha256 == now.sha256 else "changed")  # fmt: skip
        assert key in getattr(changes, place)
    assert changes.only_new == (changes.full_import_reason() == "")
    reversed_ = FileChanges.compare(found, recorded)
    assert (reversed_.new, reversed_.gone, reversed_.changed) == (
        changes.gone,
        changes.new,
        changes.changed,
    )


def name(*paths: str):
    return tuple(("events", "source", path) for path in paths)


@pytest.fixture
def days(shop):
    """A shop whose events are one CSV file for each day, in separate folders."""
    shop.tables["events"] = {"files": "**/day=*/*.csv"}
    shop.toml()
    for number, line in enumerate(LINES[:2], start=1):
        write_day(shop, f"2024-01-0{number}", line)
    return shop


def write_day(shop, date: str, *lines: str):
    path = shop.raw / f"log/day={date}/part-0.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FIRST + "".join(lines))
    return path


def test_daily_files_that_are_added_changed_and_removed(days):
    company = days.company()
    before = stamp_files(company, days.workspace)
    assert len(before) == 5, "two days of events and one file of each other table"
    write_day(days, "2024-01-01", LINES[3])
    (days.raw / "log/day=2024-01-02/part-0.csv").unlink()
    write_day(days, "2024-01-03", LINES[2])
    changes = FileChanges.compare(before, stamp_files(company, days.workspace, before))
    assert changes.new == name("log/day=2024-01-03/part-0.csv")
    assert changes.changed == name("log/day=2024-01-01/part-0.csv")
    assert changes.gone == name("log/day=2024-01-02/part-0.csv")
    assert len(changes.same) == 3
    assert changes.new_files("events", "source") == ["log/day=2024-01-03/part-0.csv"]
    assert changes.new_files("surveys", "source") == []
    assert not changes.only_new
    assert changes.full_import_reason() == (
        "1 changed, first log/day=2024-01-01/part-0.csv; 1 gone, first log/day=2024-01-02/part-0.csv"
    )


def test_a_copy_of_the_data_counts_as_unchanged(days, tmp_path):
    """Another folder and other modification times: only contents count, and paths below the root."""
    before = stamp_files(days.company(), days.workspace)
    moved = tmp_path / "moved"
    shutil.copytree(days.raw, moved)  # copytree keeps times
    for path in moved.rglob("*.csv"):
        os.utime(path, ns=(1, 1))
    days.about["root"] = str(moved)
    changes = FileChanges.compare(before, stamp_files(days.company(), days.workspace, before))
    assert changes.only_new
    assert changes.new == ()
    assert len(changes.same) == 5


def test_files_with_recorded_size_and_time_are_not_read_again(days):
    company = days.company()
    before = stamp_files(company, days.workspace)
    believed = {key: FileStamp(s.size, s.changed_ns, "believed") for key, s in before.items()}
    assert stamp_files(company, days.workspace, believed) == believed
    path = write_day(days, "2024-01-01", LINES[1])
    os.utime(path, ns=(7, 7))
    again = stamp_files(company, days.workspace, believed)
    assert [k for k in again if again[k].sha256 != "believed"] == list(
        name("log/day=2024-01-01/part-0.csv")
    )


def test_file_manifest_round_trip(days, tmp_path):
    stamps = stamp_files(days.company(), days.workspace)
    assert read_file_manifest(tmp_path) is None
    write_file_manifest(stamps, tmp_path)
    assert read_file_manifest(tmp_path) == stamps


@pytest.mark.parametrize(
    "text", ["", "[{}]", '[{"key": ["a"], "size": 1}]', "null", '[{"key": 1}]']
)
def test_an_invalid_file_manifest_is_refused_with_the_remedy(tmp_path, text):
    (tmp_path / MANIFEST_FILE).write_text(text)
    with pytest.raises(DataRefused, match=r"files\.json cannot be read .*; remove it"):
        read_file_manifest(tmp_path)
