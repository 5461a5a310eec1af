"""A search for hyperparameters in MLflow: a run for each target, its trials below it."""

from datetime import UTC, datetime, timedelta

import pytest

from features.config.company import load_company
from features.progress import silent_steps
from features.settings import Workspace
from models.bundles.mlflow_registry import Registry
from models.pipeline.log_tuning import log_tuning
from models.training.hyperparameters import TuningResult, TuningTrial
from support.trained_company import PROJECT

START = datetime(2026, 1, 2, 3, tzinfo=UTC)


def trial(number: int, loss: float | None, refused: str = "", **params: object) -> TuningTrial:
    began = START + timedelta(minutes=number)
    return TuningTrial(params, loss, refused, began, began + timedelta(seconds=30))


FOUND = {
    "churn": TuningResult({"leaves": 9}, -0.8, -0.7, 2, 7, (
        trial(0, -0.7, leaves=4), trial(1, -0.8, leaves=9),
    )),
    "value": TuningResult({"objective": "l1"}, 30.0, 30.0, 2, 7, (
        trial(0, 30.0, objective="l1"),
        trial(1, None, "3 of 9 labels are negative", objective="tweedie"),
    )),
}  # fmt: skip


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    workspace = Workspace(tmp_path_factory.mktemp("tuned"))
    company = load_company(PROJECT / "data/sample.toml")
    log_tuning(company, workspace, FOUND, silent_steps())
    return Registry(workspace)


def runs(registry: Registry):  # type: ignore[no-untyped-def]
    experiment = registry.client.get_experiment_by_name("goodwill-sample")
    return registry.client.search_runs(
        [experiment.experiment_id], order_by=["attributes.start_time", "attributes.run_name"]
    )


def test_the_trials_are_below_the_run_of_their_target(registry: Registry) -> None:
    parents = {r.info.run_name: r for r in runs(registry) if r.info.run_name.startswith("tune")}
    assert set(parents) == {"tune churn 2026-01-02 03:00", "tune value 2026-01-02 03:00"}
    for name, parent in parents.items():
        below = [
            r for r in runs(registry)
            if r.data.tags.get("mlflow.parentRunId") == parent.info.run_id
        ]  # fmt: skip
        assert [r.info.run_name for r in below] == ["trial 0", "trial 1"], name
        assert parent.info.start_time == below[0].info.start_time
        assert parent.info.end_time == below[1].info.end_time


def test_a_trial_has_its_parameters_and_the_measure_with_its_own_sign(registry: Registry) -> None:
    trials = [r.data for r in runs(registry) if r.info.run_name.startswith("trial")]
    found = {tuple(d.params.values()): d.metrics for d in trials}
    assert found == {
        ("4",): {"validation_roc_auc": 0.7},
        ("9",): {"validation_roc_auc": 0.8},
        ("l1",): {"validation_mae": 30.0},
        ("tweedie", "3 of 9 labels are negative"): {},
    }


def test_the_run_of_a_target_says_what_won(registry: Registry) -> None:
    churn, value = (
        next(r.data for r in runs(registry) if r.info.run_name.startswith(f"tune {target}"))
        for target in ("churn", "value")
    )
    assert churn.params == {"trials": "2", "seed": "7", "better": "True", "best_leaves": "9"}
    assert churn.metrics == {"validation_roc_auc": 0.8, "default_validation_roc_auc": 0.7}
    assert "which beat the defaults" in churn.tags["mlflow.note.content"]
    assert "No trial beat the defaults" in value.tags["mlflow.note.content"]
