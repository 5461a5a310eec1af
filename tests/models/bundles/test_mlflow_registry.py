"""The tracking store on a real SQLite file: runs, versions, aliases, and a project that moves."""

import json
import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest
from matplotlib.figure import Figure

from features.settings import Workspace
from models.bundles.champions import load_champion
from models.bundles.mlflow_registry import Registry, model_name
from support.small_models import small_bundle
from support.trained_company import SAMPLE_TARGETS, trained

#: The day on which the data of the sample company end.
LAST_DAY = "2026-07-01"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The store of the trained company after its project folder was moved."""
    first = tmp_path_factory.mktemp("first") / "home"
    shutil.copytree(trained()[0].home, first)
    Registry(Workspace(first))
    second = tmp_path_factory.mktemp("second") / "a new_home 100% 项目"
    shutil.move(first, second)
    return Registry(Workspace(second))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry(Workspace(tmp_path_factory.mktemp("fresh")))


def runs(registry: Registry):  # type: ignore[no-untyped-def]
    experiment = registry.client.get_experiment_by_name("goodwill-sample")
    return registry.client.search_runs([experiment.experiment_id])


def artifacts(registry: Registry, run_id: str, folder: str | None = None) -> set[str]:
    return {f.path for f in registry.client.list_artifacts(run_id, folder)}


def test_a_retrain_is_a_run_every_target_a_child_and_its_refit_below(moved: Registry) -> None:
    found = {run.info.run_name: run for run in runs(moved)}
    (name,) = (name for name in found if name.startswith("retrain"))
    parent = found.pop(name)
    targets = {"satisfaction", "nps", "churn", "value"}
    assert set(found) == targets | {f"{target} refit" for target in targets}
    for target in targets:
        judged, refit = found[target], found[f"{target} refit"]
        assert judged.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert refit.data.tags["mlflow.parentRunId"] == judged.info.run_id
        assert refit.data.params["judged_run"] == judged.info.run_id
        assert refit.data.metrics["correlation"] >= 0.8
    assert {r.info.status for r in [parent, *found.values()]} == {"FINISHED"}
    assert parent.data.params["rows_events"].isdigit()
    assert parent.data.params["outcome_churn"] == "promoted"
    assert {"company.toml", "history.json"} <= artifacts(moved, parent.info.run_id)


def test_a_child_run_logs_parameters_metrics_and_artifacts(moved: Registry) -> None:
    run = next(r for r in runs(moved) if r.info.run_name == "churn")
    assert {"kind", "horizon_days", "gap_days", "cutoffs", "test_start", "fingerprint", "grade",
            "code_revision", "param_learning_rate", "labels_stays", "labels_leaves", "decision",
            "rounds", "calibration"} <= set(run.data.params)  # fmt: skip
    assert {"roc_auc", "rule_roc_auc", "linear_roc_auc"} <= set(run.data.metrics)
    assert not [name for name in run.data.metrics if name.endswith(("_low", "_high"))]
    assert {
        "card.md", "card.html", "evaluation.json", "evaluation.txt", "manifest.json", "labels.json",
        "guards.json", "survival.json", "calibration.json", "origins.json", "intervals.json", "plots",
    } == artifacts(moved, run.info.run_id)  # fmt: skip
    assert len(artifacts(moved, run.info.run_id, "plots")) >= 4
    refit = next(r for r in runs(moved) if r.info.run_name == "churn refit").info.run_id
    assert artifacts(moved, refit) == {"card.md", "card.html", "model"}
    assert {
        f"model/{n}"
        for n in ("model.lgb", "encoder.json", "calibrator.json", "comment_score_model.json")
    } <= artifacts(moved, refit, "model")


def test_every_judged_run_has_a_learning_curve_on_later_rows(moved: Registry) -> None:
    for run in (r for r in runs(moved) if r.info.run_name in SAMPLE_TARGETS):
        curves = {n: n.rpartition("_")[2] for n in run.data.metrics if n.startswith("learning_cur")}
        assert sorted(curves.values()) == ["train", "validation"]
        for name in curves:
            history = moved.client.get_metric_history(run.info.run_id, name)
            steps = [point.step for point in history]
            assert steps[0] == 1
            assert steps == sorted(set(steps))
            assert 2 <= len(steps) <= 200


def test_runs_name_their_data_sets_without_a_value_of_them(moved: Registry) -> None:
    found = {run.info.run_name: run for run in runs(moved)}
    for target in SAMPLE_TARGETS:
        inputs = {i.tags[0].value: i.dataset for i in found[target].inputs.dataset_inputs}
        assert set(inputs) == {"training", "test"}
        (refit,) = found[f"{target} refit"].inputs.dataset_inputs
        sets = [*inputs.values(), refit.dataset]
        assert len({data.digest for data in sets}) == 3
        for data in sets:
            assert json.loads(data.source) == {"uri": f"data/sample/features/{target}.parquet"}
            assert "A0000" not in data.schema + data.profile
        rows = {k: json.loads(data.profile)["num_rows"] for k, data in inputs.items()}
        assert rows["training"] + rows["test"] <= json.loads(refit.dataset.profile)["num_rows"]


def test_runs_models_and_versions_say_what_they_predict(moved: Registry) -> None:
    churn, refit = (
        next(r for r in runs(moved) if r.info.run_name == name) for name in ("churn", "churn refit")
    )
    version = moved.client.get_model_version(model_name("sample", "churn"), "1")
    texts = [run.data.tags["mlflow.note.content"] for run in (churn, refit)]
    for text, run in ((texts[0], churn), (texts[1], refit), (version.description, refit)):
        assert "The customer cancels within 90 days. Customers with an open contract" in text
        assert f"Horizon: 90 days\n- Data: sample, up to {LAST_DAY}" in text
        card = f"/runs/{run.info.run_id}/artifacts/card.html?workflowType=machine_learning)"
        assert text.endswith(card)
    assert f"{version.tags['grade']}, " in version.description
    described = moved.client.get_registered_model(version.name).description
    assert "`champion` is the version that serves" in described


@pytest.mark.parametrize("target", ["satisfaction", "nps", "churn", "value"])
def test_a_version_refers_to_its_run_and_to_the_trees_that_serve(
    moved: Registry, tmp_path: Path, target: str
) -> None:
    name = model_name("sample", target)
    version = moved.client.get_model_version_by_alias(name, "champion")
    assert str(version.version) == moved.champion("sample", target) == "1"
    assert set(version.tags) >= {"fingerprint", "grade", "horizon_days", "test_start"}
    run = moved.client.get_run(version.run_id)
    assert run.info.run_name == f"{target} refit"
    assert moved.client.get_run(version.tags["judged_run"]).info.run_name == target
    assert moved.client.get_model_version_download_uri(name, "1").startswith("goodwill:/sample/")
    got = moved.client.download_artifacts(version.run_id, "model/model.lgb", str(tmp_path))
    bundle = load_champion(moved.folder / "serving/sample", target)
    assert bundle is not None
    assert (
        Path(got).read_text().split("end of trees")[0]
        == (bundle.estimator.to_text().split("end of trees")[0])
    )
    assert bundle.manifest.run_id == version.run_id


def test_after_the_move_new_runs_can_be_logged(moved: Registry) -> None:
    with moved.run("sample", "after the move") as run_id:
        moved.log(run_id, {"a": 1}, {"b": 2.5}, {"note.txt": "here"}, {"line": Figure()})
    run = moved.client.get_run(run_id)
    assert (run.data.params, run.data.metrics) == ({"a": "1"}, {"b": 2.5})
    assert next(moved.artifacts.rglob("note.txt")).read_text() == "here"
    assert artifacts(moved, run_id) == {"note.txt", "plots"}
    moved.client.delete_run(run_id)


def test_no_artifact_is_a_pickle(moved: Registry) -> None:
    names = [f for f in moved.folder.rglob("*") if f.is_file()]
    assert len(names) > 50
    assert not [f for f in names if f.suffix in {".pkl", ".pickle", ".joblib", ".cloudpickle"}]
    opcodes = (b"\x80\x03", b"\x80\x04", b"\x80\x05")  # how a binary pickle begins
    assert not [f for f in names if f.read_bytes()[:2] in opcodes]


def test_promoting_sets_the_former_champion_as_previous(registry: Registry) -> None:
    bundle = load_champion(trained()[0].serving("sample"), "nps")
    assert bundle is not None
    name = model_name("sample", "nps")

    def aliases() -> dict[str, str]:
        return {k: str(v) for k, v in registry.client.get_registered_model(name).aliases.items()}

    assert registry.champion("sample", "nps") is None
    with registry.run("sample", "nps") as run_id:
        numbers = [registry.register(run_id, "sample", bundle, {"grade": "A"}) for _ in range(3)]
    assert numbers == ["1", "2", "3"]
    assert aliases() == {"challenger": "3"}
    registry.promote("sample", "nps", "1")
    assert aliases() == {"challenger": "3", "champion": "1"}  # an older one is no challenger either
    registry.promote("sample", "nps", "2")
    registry.promote("sample", "nps", "2")
    assert aliases() == {"challenger": "3", "champion": "2", "previous": "1"}
    registry.promote("sample", "nps", "3")
    assert aliases() == {"champion": "3", "previous": "2"}
    assert registry.champion("sample", "nps") == "3"
    assert registry.champion("sample", "churn") is None


@pytest.mark.parametrize(
    "killed_at", ["delete_registered_model_alias", "set_registered_model_alias"]
)
def test_a_kill_within_a_promotion_leaves_no_version_with_both_aliases(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, killed_at: str
) -> None:
    company = f"killed at {killed_at}"
    name = model_name(company, "churn")
    with registry.run(company, "churn") as run_id:
        registry.register(run_id, company, small_bundle("churn"), {})
    with monkeypatch.context() as patched:
        patched.setattr(registry.client, killed_at, Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            registry.promote(company, "churn", "1")
    assert len(registry.client.get_registered_model(name).aliases) <= 1
    registry.promote(company, "churn", "1")
    assert set(registry.client.get_registered_model(name).aliases) == {"champion"}
