"""Changes of the key file are loaded; a damaged file never opens the service."""

import os
from pathlib import Path

import pytest

from features.settings import Workspace
from serve.security import key_file_watcher as module
from serve.security.api_keys import KeyFile
from serve.security.key_file_watcher import KeyFileWatcher, key_file_path, keys_required


@pytest.fixture(autouse=True)
def check_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 0.0)
    monkeypatch.delenv("GOODWILL_KEYS", raising=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def clients(watch: KeyFileWatcher) -> list[str] | None:
    ring = watch.current_keys()
    return None if ring is None else [key.client for key in ring.keys]


def test_without_a_file_no_key_is_needed(path: Path) -> None:
    assert clients(KeyFileWatcher(path)) is None


def test_a_file_named_by_the_environment_is_required(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path)
    assert key_file_path(workspace) == tmp_path / "data/keys.json"
    assert not keys_required(workspace)
    monkeypatch.setenv("GOODWILL_KEYS", str(path))
    assert key_file_path(workspace) == path
    assert keys_required(workspace)
    assert clients(KeyFileWatcher(path, required=True)) == []  # every call is refused


def test_a_changed_file_is_loaded(path: Path) -> None:
    watch, file = KeyFileWatcher(path), KeyFile(path)
    assert clients(watch) is None
    file.add("crm", ["score"], "acme")
    assert clients(watch) == ["crm"]
    file.add("bi", ["read"], "acme")
    assert clients(watch) == ["crm", "bi"]
    file.revoke("crm")
    assert clients(watch) == ["bi"]


@pytest.mark.parametrize("damage", ["garbage", "gone", "emptied", "folder", "dangling"])
def test_damage_leaves_the_last_good_keys(
    path: Path, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    KeyFile(path).add("crm", ["score"], "acme")
    watch = KeyFileWatcher(path)
    assert clients(watch) == ["crm"]
    _break(path, damage)
    assert clients(watch) == ["crm"]
    assert clients(watch) == ["crm"]
    assert watch.failures == 1
    assert "1 API keys stay" in caplog.text


@pytest.mark.parametrize("damage", ["garbage", "emptied", "folder", "dangling"])
def test_damage_at_the_start_refuses_every_call(path: Path, damage: str) -> None:
    KeyFile(path).add("crm", ["score"], "acme")
    _break(path, damage)
    watch = KeyFileWatcher(path, required=True)
    assert clients(watch) == []
    assert watch.failures == 1
    assert clients(KeyFileWatcher(path)) == []  # also when it is not required


def test_the_file_is_checked_once_a_second(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECK_SECONDS", 60.0)
    watch = KeyFileWatcher(path)
    assert clients(watch) is None
    KeyFile(path).add("crm", ["score"], "acme")
    assert clients(watch) is None


def _break(path: Path, damage: str) -> None:
    if damage == "garbage":
        path.write_text("[{")
        return
    if damage == "emptied":
        path.write_text("")
        return
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage == "dangling":
        os.symlink(path.with_name("nowhere"), path)
