"""Runs in the tracking store: how they end, and what MLflow shows of them."""

import json
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from features.errors import EnvironmentFailed
from features.settings import Workspace
from models.bundles.mlflow_registry import Registry
from models.learners.learning_curve import LearningCurve
from models.training_set.dataset_summary import DatasetSummary
from support.trained_company import PROJECT


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return Registry(Workspace(tmp_path_factory.mktemp("fresh")))


def read(registry: Registry, run_id: str) -> Run:
    return registry.client.get_run(run_id)


def test_an_experiment_is_one_of_trained_models(registry: Registry) -> None:
    registry.client.create_experiment(
        "goodwill-kind", "goodwill:/kind"
    )  # as an older version made it
    for company in ("kind", "newer"):
        with registry.run(company, "any"):
            pass
        tags = registry.client.get_experiment_by_name(f"goodwill-{company}").tags
        assert tags["mlflow.experimentKind"] == "custom_model_development"
        assert tags["mlflow.note.content"].startswith(f"Models of {company}.")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (["/opt/.venv/bin/goodwill", "retrain", "--company", "sample"], "goodwill retrain"),
        (["/opt/src/serve/cli/__main__.py", "tune"], "goodwill tune"),
        (["/home/somebody/study.py", "/home/somebody/data"], "study.py"),
    ],
)
def test_a_run_has_a_source(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, arguments: list[str], name: str
) -> None:
    monkeypatch.setattr(sys, "argv", arguments)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setenv("GOODWILL_REVISION", "ab12")
    with registry.run("source", "any") as run_id:
        pass
    tags = read(registry, run_id).data.tags
    assert tags["mlflow.source.name"] == name
    assert tags["mlflow.source.type"] == "LOCAL"
    assert tags["mlflow.source.git.commit"] == "ab12"


def test_a_notebook_is_a_source_and_an_unknown_commit_is_left_out(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/lib/ipykernel_launcher.py", "f"])
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    monkeypatch.delenv("GOODWILL_REVISION", raising=False)
    with registry.run("source", "any") as run_id:
        pass
    tags = read(registry, run_id).data.tags
    assert tags["mlflow.source.name"] == "ipykernel_launcher.py"
    assert tags["mlflow.source.type"] == "NOTEBOOK"
    assert "mlflow.source.git.commit" not in tags


def test_a_learning_curve_is_two_metrics_by_round(registry: Registry) -> None:
    with registry.run("curve", "any") as run_id:
        registry.log_curve(run_id, LearningCurve("l1", (3.0, 2.0, 1.0), (3.5, 2.5, 2.75)))
    for part, losses in (("train", [3.0, 2.0, 1.0]), ("validation", [3.5, 2.5, 2.75])):
        history = registry.client.get_metric_history(run_id, f"learning_curve/l1_{part}")
        assert [(m.step, m.value) for m in history] == [*enumerate(losses, 1)]


def test_a_table_is_one_that_mlflow_can_load(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.uri)
    rows = [{"measure": "ece", "low": 0.25}, {"measure": "lift", "low": None}]
    with registry.run("table", "any") as run_id:
        registry.log_table(run_id, "intervals.json", rows)
    experiment = read(registry, run_id).info.experiment_id
    loaded = registry.client.load_table(experiment, "intervals.json", [run_id])
    assert loaded["measure"].tolist() == ["ece", "lift"]
    assert loaded["low"].isna().tolist() == [False, True]


def test_a_data_set_is_an_input_with_columns_digest_and_counts(registry: Registry) -> None:
    columns = (("tenure_days", "double"), ("crm_region", "string"))
    counts = {"rows": 7, "customers": 3, "label leaves": 2}
    summary = DatasetSummary(
        "churn", "training", "data/x/features/churn.parquet", "0f", columns, counts,
        ("2026-01-01", "2026-02-01"),
    )  # fmt: skip
    with registry.run("inputs", "any") as run_id:
        registry.log_datasets(run_id, [summary])
    (found,) = read(registry, run_id).inputs.dataset_inputs
    assert [(tag.key, tag.value) for tag in found.tags] == [("mlflow.data.context", "training")]
    assert (found.dataset.name, found.dataset.digest) == ("churn", "0f")
    assert json.loads(found.dataset.source) == {"uri": "data/x/features/churn.parquet"}
    assert json.loads(found.dataset.profile) == {
        "num_rows": 7, "num_elements": 14, "customers": 3, "label leaves": 2,
        "first cutoff": "2026-01-01", "last cutoff": "2026-02-01",
    }  # fmt: skip
    assert [c["type"] for c in json.loads(found.dataset.schema)["mlflow_colspec"]] == [
        "double", "string",
    ]  # fmt: skip


def test_a_run_that_is_logged_afterwards_keeps_its_times_and_description(
    registry: Registry,
) -> None:
    span = datetime(2026, 1, 2, 3, tzinfo=UTC), datetime(2026, 1, 2, 4, tzinfo=UTC)
    with registry.run("later", "any", span=span) as run_id:
        registry.log(run_id, {}, {}, description="**Why** it was made")
    run = read(registry, run_id)
    assert run.info.end_time - run.info.start_time == 3_600_000
    assert datetime.fromtimestamp(run.info.start_time / 1000, UTC) == span[0]
    assert run.data.tags["mlflow.note.content"] == "**Why** it was made"
    experiment = run.info.experiment_id
    assert registry.page(run_id, "card.html") == (
        f"#/experiments/{experiment}/runs/{run_id}/artifacts/card.html?workflowType=machine_learning"
    )


def test_an_experiment_with_a_location_elsewhere_is_renamed(registry: Registry) -> None:
    old = registry.client.create_experiment("goodwill-older", "file:///elsewhere/artifacts/older")
    with registry.run("older", "new") as run_id:
        registry.log(run_id, {}, {}, {"note.txt": "here"})
    assert registry.client.get_experiment(old).name == f"goodwill-older {old}"
    new = registry.client.get_experiment_by_name("goodwill-older")
    assert new.artifact_location == "goodwill:/older"
    assert (registry.artifacts / "older" / run_id / "artifacts/note.txt").read_text() == "here"


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
