"""The tracking store on a real SQLite file: runs, versions, aliases, and a project that moves."""

import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from mlflow.exceptions import MlflowException

from features.errors import EnvironmentFailed
from features.settings import Workspace
from models.bundles.champions import load_champion
from models.bundles.mlflow_registry import Registry, model_name
from models.bundles.model_manifest import code_revision
from support.trained_company import PROJECT, trained


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
    assert {"roc_auc", "roc_auc_low", "rule_roc_auc", "linear_roc_auc"} <= set(run.data.metrics)
    assert {
        "card.md", "card.html", "evaluation.json", "evaluation.txt", "manifest.json", "labels.json",
        "guards.json", "survival.json", "calibration.json", "origins.json", "plots",
    } == artifacts(moved, run.info.run_id)  # fmt: skip
    assert len(artifacts(moved, run.info.run_id, "plots")) >= 4
    refit = next(r for r in runs(moved) if r.info.run_name == "churn refit").info.run_id
    assert artifacts(moved, refit) == {"card.md", "card.html", "model"}
    assert {
        f"model/{n}"
        for n in ("model.lgb", "encoder.json", "calibrator.json", "comment_score_model.json")
    } <= artifacts(moved, refit, "model")


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


def test_an_experiment_with_a_location_elsewhere_is_renamed(registry: Registry) -> None:
    old = registry.client.create_experiment("goodwill-older", "file:///elsewhere/artifacts/older")
    with registry.run("older", "new") as run_id:
        registry.log(run_id, {}, {}, {"note.txt": "here"})
    assert registry.client.get_experiment(old).name == f"goodwill-older {old}"
    new = registry.client.get_experiment_by_name("goodwill-older")
    assert new.artifact_location == "goodwill:/older"
    assert (registry.artifacts / "older" / run_id / "artifacts/note.txt").read_text() == "here"


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
    assert aliases() == {"challenger": "3", "champion": "1"}
    registry.promote("sample", "nps", "2")
    registry.promote("sample", "nps", "2")
    assert aliases() == {"challenger": "3", "champion": "2", "previous": "1"}
    assert registry.champion("sample", "nps") == "2"
    assert registry.champion("sample", "churn") is None


def test_a_failing_run_ends_failed_and_a_killed_one_is_swept(registry: Registry) -> None:
    def status(run_id: str) -> str:
        return str(registry.client.get_run(run_id).info.status)

    failing = registry.run("swept", "fails")
    with pytest.raises(ZeroDivisionError), failing as failed:
        _ = 1 / 0
    killing = registry.run("swept", "killed")
    killed = killing.__enter__()  # and never left
    with registry.run("other", "of another company") as alive:
        assert registry.sweep("swept") == 1
        assert status(alive) == "RUNNING"
    assert (status(failed), status(killed), status(alive)) == ("FAILED", "KILLED", "FINISHED")
    assert registry.sweep("swept") == 0


@pytest.mark.slow
def test_two_processes_may_create_the_store_at_once(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from features.settings import Workspace\n"
        "from models.bundles.mlflow_registry import Registry\n"
        "import mlflow.store.tracking.sqlalchemy_store\n"
        "print('loaded', flush=True); input()\n"
        "with Registry(Workspace(Path(sys.argv[1]))).run('both', 'theirs'): pass"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        env={"PYTHONPATH": str(PROJECT / "src"), "PATH": "/usr/bin"},
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with other:
        assert other.stdout.readline() == "loaded\n"  # type: ignore[union-attr]
        other.stdin.write("\n")  # type: ignore[union-attr]
        other.stdin.flush()  # type: ignore[union-attr]
        ours = Registry(Workspace(tmp_path))
        with ours.run("both", "ours"):
            error = other.communicate(timeout=120)[1]
    assert other.returncode == 0, error
    experiment = ours.client.get_experiment_by_name("goodwill-both").experiment_id
    names = {r.info.run_name for r in ours.client.search_runs([experiment])}
    assert names == {"ours", "theirs"}


def test_the_code_revision_is_read_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOODWILL_REVISION", raising=False)
    workspace = Workspace(tmp_path)
    assert code_revision(workspace) == "unknown"
    monkeypatch.setenv("GOODWILL_REVISION", "abc")
    assert code_revision(workspace) == "abc"
    (tmp_path / ".git/refs/heads").mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/main\n")
    assert code_revision(workspace) == "unknown"
    (tmp_path / ".git/refs/heads/main").write_text("1234\n")
    assert code_revision(workspace) == "1234"
    (tmp_path / ".git/HEAD").write_text("5678\n")
    assert code_revision(workspace) == "5678"


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """Refuse to let any file of this process grow over a size, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_ends_a_run_with_a_sentence(registry: Registry) -> None:
    with (
        pytest.raises(EnvironmentFailed, match=r"could not be read or written \(File too large\)"),
        registry.run("full", "artifacts") as run_id,
        files_up_to(100_000),
    ):
        registry.log(run_id, {}, {}, {"note.txt": "here" * 100_000})
    assert registry.client.get_run(run_id).info.status == "FAILED"


def test_a_database_that_cannot_grow_ends_in_a_sentence(registry: Registry) -> None:
    size = registry.database.stat().st_size // 2
    message = r"mlflow\.db cannot be read or written \(disk I/O error\); check"
    with (
        pytest.raises(EnvironmentFailed, match=message),
        registry.run("full", "database") as run_id,
        files_up_to(size),
    ):
        registry.log(run_id, {f"p{i}": "long" * 100 for i in range(2000)}, {})


def test_a_failing_database_does_not_hide_why_a_run_failed(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(*_: object) -> None:
        raise MlflowException("(sqlite3.OperationalError) database is locked")

    monkeypatch.setattr(registry.client, "set_terminated", locked)
    with pytest.raises(ZeroDivisionError), registry.run("locked", "fails"):
        _ = 1 / 0


@pytest.mark.slow
def test_a_database_that_is_locked_later_ends_in_a_sentence_too(
    registry: Registry, capfd: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(registry.database, isolation_level=None)) as other:
        other.execute("begin exclusive")
        with pytest.raises(EnvironmentFailed, match="is locked by another process"):
            registry.champion("sample", "nps")  # MLflow waits for 20 seconds
    assert "Traceback" not in capfd.readouterr().err
