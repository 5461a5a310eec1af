"""Finding the project, and settings from the environment."""

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from features.errors import ConfigRefused
from features.settings import (
    LIBRARY_SWITCHES,
    Settings,
    Workspace,
    disable_telemetry,
    find_workspace,
    real_data_root,
)

PROJECT = '[project]\nname = "goodwill"\n'


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("GOODWILL_")]:
        monkeypatch.delenv(name)


def test_the_project_is_found_upwards_from_a_folder(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "pyproject.toml").write_text('[project]\nname = "another"\n')
    assert find_workspace(deep) == Workspace(tmp_path.resolve())
    monkeypatch.chdir(deep)
    assert find_workspace().home == tmp_path.resolve()


def test_no_project_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(ConfigRefused, match=r"no goodwill project at or above .*GOODWILL_HOME"):
        find_workspace(tmp_path)


def test_the_environment_takes_precedence(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.setenv("GOODWILL_HOME", str(tmp_path / "x" / ".." / "other"))
    assert find_workspace(tmp_path).home == (tmp_path / "other").resolve()


def test_paths_are_below_home():
    workspace = Workspace(Path("/w"))
    assert [
        str(p)
        for p in (
            workspace.company("c"), workspace.history("c"), workspace.features("c"),
            workspace.scores("c"), workspace.report("c"), workspace.report("c", "zh"),
            workspace.serving("c"), workspace.log("c"),
        )
    ] == [
        "/w/data/c", "/w/data/c/history", "/w/data/c/features", "/w/data/c/scores/scores.parquet",
        "/w/data/c/report.html", "/w/data/c/report.zh.html", "/w/mlruns/serving/c",
        "/w/mlruns/logs/c.jsonl",
    ]  # fmt: skip


def test_real_data(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "main")
    assert real_data_root(workspace) == tmp_path / "shared" / "data"
    monkeypatch.setenv("GOODWILL_REAL_DATA", "/elsewhere")
    assert real_data_root(workspace) == Path("/elsewhere")


def test_defaults_and_limits(monkeypatch):
    monkeypatch.delenv("GOODWILL_THREADS", raising=False)  # the tests use one
    assert Settings().threads == 2
    monkeypatch.setenv("GOODWILL_THREADS", "5")
    assert Settings().threads == 5
    for name, value in (("THREADS", "0"), ("PORT", "99999"), ("WORKERS", "many"),
                        ("BLOCK_CUSTOMERS", "0")):  # fmt: skip
        with monkeypatch.context() as patch:
            patch.setenv(f"GOODWILL_{name}", value)
            with pytest.raises(ValidationError, match=name.lower()):
                Settings()


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())


def test_telemetry_is_disabled(monkeypatch):
    for name in LIBRARY_SWITCHES:
        monkeypatch.setenv(name, "before")
    disable_telemetry()
    assert {name: os.environ[name] for name in LIBRARY_SWITCHES} == LIBRARY_SWITCHES
