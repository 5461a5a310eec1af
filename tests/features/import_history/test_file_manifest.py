"""Which files are new: two states of a folder beside each other."""

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
def test_every_file_is_new_changed_gone_or_the_same(recorded, found):
    arrivals = FileChanges.compare(recorded, found)
    told = [*arrivals.new, *arrivals.changed, *arrivals.gone, *arrivals.same]
    assert sorted(told) == sorted({**recorded, **found}), "each once"
    for key in told:
        before, now = recorded.get(key), found.get(key)
        place = ("new" if before is None else "gone" if now is None
                 else "same" if before.sha256 == now.sha256 else "changed")  # fmt: skip
        assert key in getattr(arrivals, place)
    assert arrivals.only_new == (arrivals.why_not() == "")
    turned = FileChanges.compare(found, recorded)
    assert (turned.new, turned.gone, turned.changed) == (
        arrivals.gone,
        arrivals.new,
        arrivals.changed,
    )


def name(*paths: str):
    return tuple(("events", "source", path) for path in paths)


@pytest.fixture
def days(shop):
    """A shop whose events are one CSV a day in a folder of its own."""
    shop.tables["events"] = {"files": "**/day=*/*.csv"}
    shop.toml()
    for number, line in enumerate(LINES[:2], start=1):
        put(shop, f"2024-01-0{number}", line)
    return shop


def put(shop, date: str, *lines: str):
    path = shop.raw / f"log/day={date}/part-0.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FIRST + "".join(lines))
    return path


def test_files_of_days_that_come_change_and_go(days):
    company = days.company()
    before = stamp_files(company, days.workspace)
    assert len(before) == 5, "two days of events and one file of each other table"
    put(days, "2024-01-01", LINES[3])
    (days.raw / "log/day=2024-01-02/part-0.csv").unlink()
    put(days, "2024-01-03", LINES[2])
    arrivals = FileChanges.compare(before, stamp_files(company, days.workspace, before))
    assert arrivals.new == name("log/day=2024-01-03/part-0.csv")
    assert arrivals.changed == name("log/day=2024-01-01/part-0.csv")
    assert arrivals.gone == name("log/day=2024-01-02/part-0.csv")
    assert len(arrivals.same) == 3
    assert arrivals.new_files("events", "source") == ["log/day=2024-01-03/part-0.csv"]
    assert arrivals.new_files("surveys", "source") == []
    assert not arrivals.only_new
    assert arrivals.why_not() == (
        "1 changed, first log/day=2024-01-01/part-0.csv; 1 gone, first log/day=2024-01-02/part-0.csv"
    )


def test_a_copy_of_the_data_is_the_same_data(days, tmp_path):
    """Another folder, other times of change: only contents count, and the names below the root."""
    before = stamp_files(days.company(), days.workspace)
    moved = tmp_path / "moved"
    shutil.copytree(days.raw, moved)  # copytree keeps times
    for path in moved.rglob("*.csv"):
        os.utime(path, ns=(1, 1))
    days.about["root"] = str(moved)
    arrivals = FileChanges.compare(before, stamp_files(days.company(), days.workspace, before))
    assert arrivals.only_new
    assert arrivals.new == ()
    assert len(arrivals.same) == 5


def test_what_has_size_and_time_of_the_record_is_not_read_again(days):
    company = days.company()
    before = stamp_files(company, days.workspace)
    believed = {key: FileStamp(s.size, s.changed_ns, "believed") for key, s in before.items()}
    assert stamp_files(company, days.workspace, believed) == believed
    path = put(days, "2024-01-01", LINES[1])
    os.utime(path, ns=(7, 7))
    again = stamp_files(company, days.workspace, believed)
    assert [k for k in again if again[k].sha256 != "believed"] == list(
        name("log/day=2024-01-01/part-0.csv")
    )


def test_the_record_comes_back_as_it_was_written(days, tmp_path):
    stamps = stamp_files(days.company(), days.workspace)
    assert read_file_manifest(tmp_path) is None
    write_file_manifest(stamps, tmp_path)
    assert read_file_manifest(tmp_path) == stamps


@pytest.mark.parametrize(
    "text", ["", "[{}]", '[{"key": ["a"], "size": 1}]', "null", '[{"key": 1}]']
)
def test_a_broken_record_is_refused_with_the_remedy(tmp_path, text):
    (tmp_path / MANIFEST_FILE).write_text(text)
    with pytest.raises(DataRefused, match=r"files\.json cannot be read .*; remove it"):
        read_file_manifest(tmp_path)
