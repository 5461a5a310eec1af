"""Training one target: reproducible to the byte, and refused in plain words."""

from dataclasses import replace

import numpy as np
import pytest
from trained_company import trained

from features.company import Company, load_company
from features.errors import DataRefused
from features.settings import Workspace
from models.bundle import champion
from models.targets import TARGETS
from models.train import check_split, flat_metrics, load_rows, split_rows, train


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return trained()[0]


@pytest.fixture(scope="module")
def company(workspace: Workspace) -> Company:
    return load_company(workspace.data / "sample.toml")


@pytest.mark.parametrize("target", ["nps", "churn"])
def test_training_again_gives_the_same_bytes(
    company: Company, workspace: Workspace, target: str
) -> None:
    first = champion(workspace.serving("sample"), target)
    assert first is not None
    again = train(TARGETS[target], company, load_rows(company, workspace, target))
    assert again.estimator.to_text() == first.estimator.to_text()
    assert again.estimator.encoder.to_json() == first.estimator.encoder.to_json()
    assert again.calibrator.to_json() == first.calibrator.to_json()
    assert flat_metrics(again.evaluation) == first.manifest["metrics"]


@pytest.mark.parametrize("part", ["fit", "refit", "test"])
def test_a_class_without_a_row_is_refused_by_name(
    company: Company, workspace: Workspace, part: str
) -> None:
    rows, target = load_rows(company, workspace, "churn"), TARGETS["churn"]
    split = split_rows(target, company.target("churn"), rows)
    check_split(target, rows, split)
    label = np.where(getattr(split, part), 0.0, rows.label)
    with pytest.raises(DataRefused, match=r"churn: no label 'leaves' among .* part \(stays"):
        check_split(target, replace(rows, label=label), split)


def test_a_rare_level_may_lack_in_the_test_but_not_all_but_one(
    company: Company, workspace: Workspace
) -> None:
    rows, target = load_rows(company, workspace, "satisfaction"), TARGETS["satisfaction"]
    split = split_rows(target, company.target("satisfaction"), rows)
    assert not (rows.label[split.test] == 0).any()  # so it is in the trained company
    check_split(target, rows, split)
    label = np.where(split.test, 3.0, rows.label)
    with pytest.raises(DataRefused, match="of the test part"):
        check_split(target, replace(rows, label=label), split)


def test_a_training_set_that_was_not_made_is_refused(
    company: Company, workspace: Workspace
) -> None:
    with pytest.raises(DataRefused, match=r"no training set .*goodwill features"):
        load_rows(company, workspace, "nothing")
