"""The leakage check before training: nothing is trained on a leak, and the report is stored."""

import json
import os
import subprocess
import sys

import pyarrow as pa
import pytest

from features.errors import LeakFound
from features.progress import silent_steps
from models.bundles.mlflow_registry import Registry
from models.pipeline.retrain import train_all
from models.training_set.build_training_sets import read_counts
from support.planted_company import PlantedCompany
from support.trained_company import PROJECT


@pytest.fixture(scope="module")
def leaking(small_company, tmp_path_factory):
    """A company with duplicates among its training rows for churn."""
    planted = PlantedCompany(small_company, tmp_path_factory.mktemp("leaking") / "home")
    table = planted.read_training_set("churn")
    planted.write_training_set("churn", pa.concat_tables([table, table.slice(0, 50)]))
    return planted


@pytest.mark.slow
def test_training_refuses_to_start(leaking):
    counts, unable = read_counts(leaking.company, leaking.workspace)
    with pytest.raises(LeakFound, match=r"duplicates: features/churn\.parquet"):
        train_all(leaking.company, leaking.workspace, silent_steps(), counts, unable)
    assert not leaking.workspace.serving("sample").exists()
    record = json.loads((leaking.workspace.company("sample") / "leakage.json").read_text())
    assert record["passed"] is False
    assert len(record["checks"]) == 10
    client = Registry(leaking.workspace).client
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments()
                                 if e.name == "goodwill-sample"])  # fmt: skip
    assert run.info.status == "FAILED"
    assert run.data.params["leaks"] == "1"
    assert "leakage.json" in [a.path for a in client.list_artifacts(run.info.run_id)]


@pytest.mark.slow
def test_the_command_shows_every_check_and_exits_with_3(leaking):
    done = subprocess.run(
        [sys.executable, "-m", "serve.cli", "leakage"], cwd=leaking.workspace.home,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src"), "GOODWILL_THREADS": "1",
             "GOODWILL_HOME": str(leaking.workspace.home), "COLUMNS": "140"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    for check in ("looks ahead", "label window", "identifier", "immature label"):
        assert check in done.stderr
    assert "1 found" in done.stderr
    assert "goodwill: LeakFound: 1 leak found, nothing was trained" in done.stderr
    assert "50 of" in done.stderr
