"""The service follows its file of keys, and no accident with the file opens a closed door."""

import os
from pathlib import Path

import pytest

from features.settings import Workspace
from serve.security import key_file_watcher as module
from serve.security.api_keys import KeyFile
from serve.security.key_file_watcher import KeyFileWatcher, key_file_path, keys_required


@pytest.fixture(autouse=True)
def look_at_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.0)
    monkeypatch.delenv("GOODWILL_KEYS", raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def clients(watch: KeyFileWatcher) -> list[str] | None:
    ring = watch.current_keys()
    return None if ring is None else [key.client for key in ring.keys]


def test_without_a_file_there_are_no_keys_to_ask_for(path: Path) -> None:
    assert clients(KeyFileWatcher(path)) is None


def test_a_file_the_environment_names_is_wanted(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    assert key_file_path(workspace) == tmp_path / "data/keys.json"
    assert not keys_required(workspace)
    monkeypatch.setenv("GOODWILL_KEYS", str(path))
    assert key_file_path(workspace) == path
    assert keys_required(workspace)
    assert clients(KeyFileWatcher(path, required=True)) == []  # nobody gets in


def test_a_changed_file_is_noticed(path: Path) -> None:
    watch, file = KeyFileWatcher(path), KeyFile(path)
    assert clients(watch) is None
    file.add("crm", ["score"], "acme")
    assert clients(watch) == ["crm"]
    file.add("bi", ["read"], "acme")
    assert clients(watch) == ["crm", "bi"]
    file.revoke("crm")
    assert clients(watch) == ["bi"]


@pytest.mark.parametrize("accident", ["garbage", "gone", "emptied", "folder", "dangling"])
def test_an_accident_leaves_the_last_good_keys(
    path: Path, accident: str, caplog: pytest.LogCaptureFixture
) -> None:
    KeyFile(path).add("crm", ["score"], "acme")
    watch = KeyFileWatcher(path)
    assert clients(watch) == ["crm"]
    _break(path, accident)
    assert clients(watch) == ["crm"]
    assert clients(watch) == ["crm"]
    assert watch.failures == 1
    assert "1 API keys stay" in caplog.text


@pytest.mark.parametrize("accident", ["garbage", "emptied", "folder", "dangling"])
def test_an_accident_at_the_start_lets_nobody_in(path: Path, accident: str) -> None:
    KeyFile(path).add("crm", ["score"], "acme")
    _break(path, accident)
    watch = KeyFileWatcher(path, required=True)
    assert clients(watch) == []
    assert watch.failures == 1
    assert clients(KeyFileWatcher(path)) == []  # also where nobody said so before


def test_it_looks_once_a_second(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 60.0)
    watch = KeyFileWatcher(path)
    assert clients(watch) is None
    KeyFile(path).add("crm", ["score"], "acme")
    assert clients(watch) is None


def _break(path: Path, accident: str) -> None:
    if accident == "garbage":
        path.write_text("[{")
        return
    if accident == "emptied":
        path.write_text("")
        return
    path.unlink()
    if accident == "folder":
        path.mkdir()
    elif accident == "dangling":
        os.symlink(path.with_name("nowhere"), path)
