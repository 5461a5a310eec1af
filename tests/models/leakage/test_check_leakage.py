"""The court stands before training: nothing is trained on a leak, and the record is kept."""

import json
import os
import subprocess
import sys

import pyarrow as pa
import pytest

from features.errors import LeakFound
from features.progress import quiet
from models.bundles.mlflow_registry import Registry
from models.pipeline.retrain import train_all
from models.training_set.build_training_sets import read_counts
from support.planted_company import Planted
from support.trained_company import ONE_THREAD, PROJECT


@pytest.fixture(scope="module")
def leaking(small_company, tmp_path_factory):
    """A company of whose training rows for churn some are there twice."""
    planted = Planted(small_company, tmp_path_factory.mktemp("leaking") / "home")
    table = planted.stored("churn")
    planted.store("churn", pa.concat_tables([table, table.slice(0, 50)]))
    return planted


def test_training_refuses_to_start(leaking):
    counts, unable = read_counts(leaking.company, leaking.workspace)
    with ONE_THREAD, pytest.raises(LeakFound, match=r"copies: features/churn\.parquet"):
        train_all(leaking.company, leaking.workspace, quiet(), counts, unable)
    assert not leaking.workspace.serving("sample").exists()
    record = json.loads((leaking.workspace.company("sample") / "court.json").read_text())
    assert record["passed"] is False
    assert len(record["findings"]) == 10
    client = Registry(leaking.workspace).client
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments()
                                 if e.name == "goodwill-sample"])  # fmt: skip
    assert run.info.status == "FAILED"
    assert run.data.params["leaks"] == "1"
    assert "court.json" in [a.path for a in client.list_artifacts(run.info.run_id)]


def test_the_verb_shows_every_check_and_ends_with_3(leaking):
    done = subprocess.run(
        [sys.executable, "-m", "serve.cli", "court"], cwd=leaking.workspace.home,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src"), "GOODWILL_THREADS": "1",
             "GOODWILL_HOME": str(leaking.workspace.home), "COLUMNS": "140"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    for check in ("looks ahead", "label window", "identifier", "unripe label"):
        assert check in done.stderr
    assert "1 charged" in done.stderr
    assert "goodwill: LeakFound: 1 leak found, nothing was trained" in done.stderr
    assert "50 of" in done.stderr
