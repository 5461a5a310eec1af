"""Training one target: reproducible to the byte, and refused in plain words."""

from dataclasses import replace

import numpy as np
import pytest

from features.config.company import Company, load_company
from features.errors import DataRefused
from features.settings import Workspace
from models.bundles.champions import load_champion
from models.bundles.judged_bundle import read_judged
from models.evaluation.metrics import log_loss
from models.learners.lightgbm import Params
from models.learners.prediction_intervals import ValueIntervals
from models.targets.registry import TARGETS
from models.training.train import (
    check_split,
    flatten_metrics,
    load_rows,
    refit_on_all,
    split_rows,
    train,
)
from support.trained_company import trained


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return trained()[0]


@pytest.fixture(scope="module")
def company(workspace: Workspace) -> Company:
    return load_company(workspace.data / "sample.toml")


@pytest.mark.slow
@pytest.mark.parametrize("target", ["nps", "churn"])
def test_training_again_gives_the_same_bytes(
    company: Company, workspace: Workspace, target: str
) -> None:
    first = load_champion(workspace.serving("sample"), target)
    assert first is not None
    rows = load_rows(company, workspace, target)
    again = train(TARGETS[target], company, rows)
    judged = read_judged(workspace.serving("sample"), first)
    for made, stored in ((again, judged), (refit_on_all(again, rows), first)):
        assert made.estimator.to_text() == stored.estimator.to_text()
        assert made.estimator.encoder.to_json() == stored.estimator.encoder.to_json()
        assert made.calibrator.to_json() == stored.calibrator.to_json()
        assert flatten_metrics(made.evaluation) == stored.manifest.metrics
    assert first.estimator.to_text() != judged.estimator.to_text()


@pytest.mark.slow
@pytest.mark.parametrize("target", ["churn", "value"])
def test_unseen_predictions_come_from_models_of_other_customers(
    company: Company, workspace: Workspace, target: str
) -> None:
    rows = load_rows(company, workspace, target)
    made = train(TARGETS[target], company, rows, Params(max_rounds=30))
    refit = rows.take(made.split.refit)
    seen = made.calibrator.apply(made.estimator.predict(refit.features))
    assert made.unseen.shape == seen.shape == refit.label.shape
    assert (made.unseen != seen).mean() > 0.9
    if target == "churn":
        assert log_loss(refit.label, made.unseen) > log_loss(refit.label, seen)  # learnt by heart
        assert (made.ranges, made.spend) == (None, None)
    else:
        low, high = ValueIntervals.from_dict(made.ranges).predict(
            refit.features,
            made.unseen * made.spend.of(refit.features),
            made.spend.of(refit.features),
        )
        inside = (refit.label >= low) & (refit.label <= high)
        assert 0.9 <= inside.mean() < 0.94
        assert {"revenue_90d", "revenue_365d", "revenue_all", "tenure_days",
                *made.ranges["columns"]} <= set(made.also_reads)  # fmt: skip


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
    rare = np.where(split.test, np.maximum(rows.label, 1.0), rows.label)
    assert (rare == 0).any()
    check_split(target, replace(rows, label=rare), split)
    label = np.where(split.test, 3.0, rows.label)
    with pytest.raises(DataRefused, match="of the test part"):
        check_split(target, replace(rows, label=label), split)


def test_a_training_set_that_was_not_made_is_refused(
    company: Company, workspace: Workspace
) -> None:
    with pytest.raises(DataRefused, match=r"no training set .*goodwill features"):
        load_rows(company, workspace, "nothing")
