"""Atomic replacement: complete or not at all, for files and folders."""

import errno
import os
import stat
from pathlib import Path

import pytest

from features.atomic_write import append_line, atomic_path, write_text_atomically


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


def test_a_line_is_appended_as_a_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, write = tmp_path / "log.jsonl", os.write
    append_line(path, "first ü")
    monkeypatch.setattr(os, "write", lambda handle, content: write(handle, content[:4]))
    with pytest.raises(OSError, match=r"No space left.*log\.jsonl"):
        append_line(path, "second")
    assert path.read_text(encoding="utf-8") == "first ü\n"
