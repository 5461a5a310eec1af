"""Atomic replacement: complete or not at all, for files and folders."""

import errno
import os
import stat
from pathlib import Path

import pytest

from features.atomic_write import atomic_path, sweep_leftovers, write_text_atomically


def test_the_new_content_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "counts.json"
    for text in ("old", "neu ü"):
        write_text_atomically(path, text)
        assert path.read_text(encoding="utf-8") == text
    assert [p.name for p in tmp_path.iterdir()] == ["counts.json"]


def write_half(path: Path, kind: str) -> None:
    with atomic_path(path) as temporary:
        if kind == "folder":
            temporary.mkdir()
        (temporary / "part" if kind == "folder" else temporary).write_text("half")
        raise ZeroDivisionError


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_failed_write_leaves_the_old_content_and_no_leftovers(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "counts.json"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError):
        write_half(path, kind)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_leftovers_of_a_killed_process_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".counts.json.new").write_text("half")
    write_text_atomically(tmp_path / "counts.json", "whole")
    assert [p.name for p in tmp_path.iterdir()] == ["counts.json"]


def test_a_folder_replaces_a_folder(tmp_path: Path) -> None:
    path = tmp_path / "bundle"
    for name in ("old", "new"):
        with atomic_path(path) as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert [p.name for p in tmp_path.rglob("*")] == ["bundle", "new"]


def test_the_mode_of_a_private_file(tmp_path: Path) -> None:
    write_text_atomically(tmp_path / "keys.json", "[]", mode=0o600)
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600


def test_a_full_disk_names_the_file_that_was_written(tmp_path: Path) -> None:
    def fill(path: Path) -> None:
        with atomic_path(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match=r"No space left on device: .*counts\.json'"):
        fill(tmp_path / "counts.json")


def test_leftovers_are_swept_unless_somebody_may_write_them(tmp_path: Path) -> None:
    names = ("2026-10.parquet", "2026-11.parquet", "3")
    old, young, _ = (tmp_path / "months" / f".{name}.new" for name in names)
    (tmp_path / "months/.3.new").mkdir(parents=True)
    for path in (old, young, tmp_path / "months/.hidden"):
        path.write_text("half")
    os.utime(old, (0, 0))
    assert sweep_leftovers(tmp_path) == [old]
    assert sweep_leftovers(tmp_path, "[0-9]", idle_seconds=0) == [tmp_path / "months/.3.new"]
    assert sorted(p.name for p in (tmp_path / "months").iterdir()) == [
        ".2026-11.parquet.new",
        ".hidden",
    ]
    assert sweep_leftovers(tmp_path / "missing") == []


def test_a_folder_that_was_moved_aside_comes_back(tmp_path: Path) -> None:
    for name in (".1.former", ".2.former", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part").write_text(name)
    assert len(sweep_leftovers(tmp_path, idle_seconds=0)) == 2
    assert {p.name: (p / "part").read_text() for p in tmp_path.iterdir()} == {
        "1": ".1.former",
        "2": "2",
    }
