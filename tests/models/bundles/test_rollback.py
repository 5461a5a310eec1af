"""Back to an earlier version: pointer and alias move together, and a broken one never serves."""

import json
import time
from pathlib import Path

import pytest

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from models.bundles.bundle import read_bundle
from models.bundles.bundle_folders import kept_versions
from models.bundles.champions import POINTER, load_champion, serving_version
from models.bundles.mlflow_registry import Registry
from models.bundles.rollback import RegistryOutOfSync, roll_back
from support.second_version import promote_milder_churn
from support.trained_company import copy_of_trained

Trained = tuple[Company, Workspace]


@pytest.fixture
def twice(tmp_path: Path) -> Trained:
    """A trained company whose churn model was promoted a second time."""
    company, workspace = copy_of_trained(tmp_path / "home")
    assert promote_milder_churn(workspace) == "2"
    return company, workspace


def test_rolling_back_and_forward_changes_pointer_and_alias(twice: Trained) -> None:
    company, workspace = twice
    serving, registry = workspace.serving("sample"), Registry(workspace)
    assert kept_versions(serving, "churn") == ["1", "2"]
    before = time.monotonic()
    rolled = roll_back(company, workspace, "churn")
    assert time.monotonic() - before < 10
    assert (rolled.before, rolled.now) == ("2", "1")
    assert (serving_version(serving, "churn"), registry.champion("sample", "churn")) == ("1", "1")
    with pytest.raises(DataRefused, match=r"the oldest stored version.*stored versions: 1, 2"):
        roll_back(company, workspace, "churn")
    assert roll_back(company, workspace, "churn", "2").now == "2"
    assert (serving_version(serving, "churn"), registry.champion("sample", "churn")) == ("2", "2")
    served = load_champion(serving, "churn")
    assert served is not None
    assert served.version == "2"


@pytest.mark.parametrize("garbage", [b"", b"[]", b"{", b"\xff", b"[" * 50_000])
def test_a_broken_pointer_is_replaced(twice: Trained, garbage: bytes) -> None:
    company, workspace = twice
    pointer = workspace.serving("sample") / "churn" / POINTER
    pointer.write_bytes(garbage)
    assert roll_back(company, workspace, "churn").now == "2"  # the newest that is kept
    assert json.loads(pointer.read_text())["version"] == "2"


def test_a_broken_version_is_refused_without_any_change(twice: Trained) -> None:
    company, workspace = twice
    serving = workspace.serving("sample")
    model = serving / "churn" / "1" / "model.txt"
    model.write_text(model.read_text()[:-100])
    with pytest.raises(DataRefused, match=r"model\.txt has SHA-256"):
        roll_back(company, workspace, "churn")
    assert serving_version(serving, "churn") == "2"
    assert Registry(workspace).champion("sample", "churn") == "2"


@pytest.mark.parametrize(
    ("target", "version", "message"),
    [
        ("churn", "9", "churn has no version 9; stored versions: 1, 2"),
        ("churn", "../churn/1", "has no version"),
        ("reorder", None, "no version of 'reorder' serves sample; targets: .*'churn'"),
        ("../sample/churn", None, "no version of"),
        ("value", None, "the oldest stored version"),
    ],
)
def test_an_unknown_version_or_target_is_refused(
    twice: Trained, target: str, version: str | None, message: str
) -> None:
    with pytest.raises(DataRefused, match=message):
        roll_back(*twice, target, version)


def test_without_the_tracking_store_the_version_serves_and_an_error_is_raised(
    twice: Trained,
) -> None:
    company, workspace = twice
    (workspace.mlruns / "mlflow.db").write_bytes(b"not a database")
    with pytest.raises(RegistryOutOfSync, match=r"version 1 serves now.*--version 1"):
        roll_back(company, workspace, "churn")
    assert serving_version(workspace.serving("sample"), "churn") == "1"
    assert read_bundle(workspace.serving("sample") / "churn" / "1").version == "1"
