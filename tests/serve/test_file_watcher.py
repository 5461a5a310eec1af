"""Each kind of change to a file is detected, once."""

import os
from pathlib import Path

import pytest

from serve.file_watcher import FileWatcher


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "watched.json"


def test_a_file_counts_as_new_once(path: Path) -> None:
    path.write_text("1")
    watcher = FileWatcher([path])
    assert watcher.changed()
    assert not watcher.changed()


def test_an_absent_file_has_not_changed(path: Path) -> None:
    watcher = FileWatcher([path])
    assert watcher.stamps() == (None,)
    assert not watcher.changed()


@pytest.mark.parametrize("change", ["written", "replaced", "touched", "removed", "broken link"])
def test_each_change_is_detected(path: Path, change: str) -> None:
    path.write_text("1")
    watcher = FileWatcher([path])
    assert watcher.changed()
    if change == "written":
        path.write_text("12")
    elif change == "replaced":
        other = path.with_name("other")
        other.write_text("2")
        os.replace(other, path)
    elif change == "touched":
        os.utime(path, ns=(1, 1))
    else:
        path.unlink()
        if change == "broken link":
            path.symlink_to(path.with_name("nowhere"))
    assert watcher.changed()
    assert not watcher.changed()


def test_a_change_of_one_of_several_files_is_detected(path: Path, tmp_path: Path) -> None:
    watcher = FileWatcher([tmp_path / "absent", path])
    assert not watcher.changed()
    path.write_text("1")
    assert watcher.changed()
    assert watcher.stamps()[0] is None
