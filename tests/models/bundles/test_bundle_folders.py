"""Version numbers are taken once, also after a loss of the tracking database."""

import shutil
from pathlib import Path

import pytest

from features.errors import EnvironmentFailed
from features.settings import Workspace
from models.bundles.bundle_folders import (
    highest_number,
    kept_versions,
    take_number,
)


def test_a_number_counts_as_folder_or_as_taken(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = workspace.serving("shop") / "churn"
    assert highest_number(workspace, "shop", "churn") == 0
    take_number(workspace, "shop", "churn", 2)
    assert highest_number(workspace, "shop", "churn") == 2
    for name in ("10", "9", ".11.new", "notes"):
        (folder / name).mkdir(parents=True)
    assert highest_number(workspace, "shop", "churn") == 10
    take_number(workspace, "shop", "churn", 10)
    shutil.rmtree(folder / "10")  # as retention does
    take_number(workspace, "shop", "churn", 4)
    assert highest_number(workspace, "shop", "churn") == 10
    assert highest_number(workspace, "shop", "nps") == 0


@pytest.mark.parametrize("garbage", ["", "[]", "{}", '{"highest": "many"}', '{"highest": null}'])
def test_a_damaged_memory_of_numbers_is_refused(tmp_path: Path, garbage: str) -> None:
    workspace = Workspace(tmp_path)
    take_number(workspace, "shop", "churn", 2)
    (tmp_path / "mlruns/versions/shop/churn.json").write_text(garbage)
    with pytest.raises(EnvironmentFailed, match=r"churn\.json should hold .*\"highest\": 7"):
        highest_number(workspace, "shop", "churn")


def test_versions_are_sorted_as_numbers(tmp_path: Path) -> None:
    for name in ("10", "9", "1", ".11.new"):
        (tmp_path / "churn" / name).mkdir(parents=True)
        (tmp_path / "churn" / name / "manifest.json").touch()
    (tmp_path / "churn/12").mkdir()  # no bundle
    assert kept_versions(tmp_path, "churn") == ["1", "9", "10"]
