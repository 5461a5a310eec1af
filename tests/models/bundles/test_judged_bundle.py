"""The judged model of a version lies in its bundle; an older version is its own judged model."""

import shutil
from pathlib import Path

import pytest

from features.errors import DataRefused
from models.bundles.bundle_folders import kept_versions
from models.bundles.champions import load_champion
from models.bundles.judged_bundle import FOLDER, read_judged
from support.trained_company import copy_of_trained


def test_a_version_holds_its_judged_model_and_works_without(tmp_path: Path) -> None:
    serving = copy_of_trained(tmp_path / "home")[1].serving("sample")
    served = load_champion(serving, "nps")
    assert served is not None
    judged = read_judged(serving, served)
    assert judged.version == served.version
    assert judged.manifest.labels_until < served.manifest.labels_until
    assert judged.manifest.run_id == served.manifest.judged_run != served.manifest.run_id
    assert judged.estimator.to_text() != served.estimator.to_text()
    assert kept_versions(serving, "nps") == ["1"]
    (serving / "nps/1" / FOLDER / "model.txt").write_text("tree\n")
    with pytest.raises(DataRefused, match=r"model\.txt has SHA-256"):
        read_judged(serving, served)
    shutil.rmtree(serving / "nps/1" / FOLDER)  # a bundle of an older version
    assert read_judged(serving, served) is served
