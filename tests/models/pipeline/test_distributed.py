"""Training sets, snapshot and scores made on Spark: what is made here, to the last bit."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

import pytest
from pandas.testing import assert_frame_equal

from features.atomic_write import remove_path
from features.config.company import Company, load_company
from features.definitions.catalog import missing_rates
from features.execution.partitions import LOCAL, Runner, part_files
from features.progress import silent_steps
from features.settings import Workspace
from insight.evaluation.scores_file import STATUS_COLUMNS
from insight.model_report.model_warnings import silent_share
from insight.report_facts import read_scores
from models.scoring.batch_scores import score_customers
from models.training.train import load_rows
from models.training_set.build_training_sets import build_features, read_counts
from serve.cli.main import main
from serve.scoring.company_scorer import CompanyScorer
from support.same_bits import bits
from support.survey_company import import_literal_tables
from support.trained_company import PROJECT, copy_of_trained, trained

SETS = ("satisfaction", "nps", "churn", "value", "snapshot")


def sets(workspace: Workspace, company: str = "sample") -> dict[str, Path]:
    return {path.stem: path for path in workspace.features(company).glob("*.parquet")}


@pytest.fixture(scope="module")
def home_in(
    spark: Runner, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[int], tuple[Company, Workspace]]:
    """The trained company, its tables made again on Spark in so many parts; treat as read-only."""

    @cache
    def made(partitions: int) -> tuple[Company, Workspace]:
        company, workspace = copy_of_trained(tmp_path_factory.mktemp("spark") / "home")
        for folder in (workspace.features("sample"), workspace.scores("sample").parent):
            for entry in folder.iterdir():
                remove_path(entry)
        with mock.patch.dict(os.environ, {"GOODWILL_SPARK_PARTITIONS": str(partitions)}):
            counts = build_features(company, workspace, silent_steps(), spark)
            score_customers(company, workspace, silent_steps(), spark)
        assert counts == read_counts(company, workspace)
        return company, workspace

    return made


@pytest.mark.parametrize("partitions", [1, 7])
def test_every_table_is_the_same_with_any_number_of_partitions(
    home_in: Callable[[int], tuple[Company, Workspace]], partitions: int
) -> None:
    company, workspace = home_in(partitions)
    there = trained()[0]
    assert read_counts(company, workspace) == read_counts(company, there)
    here = {**sets(workspace), "scores": workspace.scores("sample")}
    local = {**sets(there), "scores": there.scores("sample")}
    assert set(here) == set(local) == {*SETS, "scores"}
    for name in here:
        assert bits(here[name]) == bits(local[name]), name
        assert len(part_files(here[name])) == partitions, name
    assert {p.suffix for p in workspace.features("sample").iterdir()} == {".parquet", ".json"}


def test_customers_with_next_to_nothing(spark: Runner, tmp_path: Path) -> None:
    events = "\n".join(
        f"{who} 2024-{month:02d}-0{day} - {kind} {amount}"
        for month in range(1, 13)
        for who, day, kind, amount in [
            ("10", 1, "order", "5"), ("A", 2, "order", "-0.0"), ("Ö", 3, "return", "-"),
        ]
    )  # fmt: skip
    settings = "[calendar]\nevery = 'month'\n[targets.value]\nhorizon_days = 30\n"
    company, workspace = import_literal_tables(
        tmp_path / "home",
        settings,
        events=events + "\nÉ 2024-05-05 - visit -",
        surveys="A 2024-03-01 2024-03-02 nps 9 0 10 1\nnever 2024-04-01 - nps - 0 10 1",
    )
    build_features(company, workspace, silent_steps(), LOCAL)
    local = {name: bits(path) for name, path in sets(workspace, "written").items()}
    build_features(company, workspace, silent_steps(), spark)
    assert {name: bits(path) for name, path in sets(workspace, "written").items()} == local
    assert {"value", "snapshot"} <= set(local)
    assert local["snapshot"]["rows"] == 5


def test_every_reader_takes_a_folder_of_parts(
    home_in: Callable[[int], tuple[Company, Workspace]],
) -> None:
    company, workspace = home_in(2)
    there = trained()[0]
    assert all(path.is_dir() for path in sets(workspace).values())
    assert not any(path.is_dir() for path in sets(there).values())
    for target in ("churn", "nps"):
        here, local = (load_rows(company, w, target) for w in (workspace, there))
        assert_frame_equal(here.features.to_pandas(), local.features.to_pandas(), check_exact=True)
    one, other = CompanyScorer(company, workspace), CompanyScorer(company, there)
    ids = ["A0000000", "A0000007", "nobody"]
    assert one.score_ids(ids, None, 1) == other.score_ids(ids, None, 1)
    snapshots = [w.features("sample") / "snapshot.parquet" for w in (workspace, there)]
    assert missing_rates(snapshots[0]) == missing_rates(snapshots[1]) != {}
    reach = [silent_share("satisfaction", company, w, None) for w in (workspace, there)]
    assert reach[0] == reach[1] is not None


def test_back_from_parts_to_files(
    home_in: Callable[[int], tuple[Company, Workspace]], tmp_path: Path
) -> None:
    shutil.copytree(home_in(2)[1].home, tmp_path / "home")
    company, workspace = (
        load_company(tmp_path / "home/data/sample.toml"),
        Workspace(tmp_path / "home"),
    )
    (workspace.features("sample") / "snapshot.parquet").rename(
        workspace.features("sample") / "gone.parquet"  # a set of a target there is no more
    )
    build_features(company, workspace, silent_steps())
    score_customers(company, workspace, silent_steps())
    for name, path in {**sets(workspace), "scores": workspace.scores("sample")}.items():
        assert path.is_file()
        there = trained()[0]
        local = there.scores("sample") if name == "scores" else sets(there)[name]
        assert path.read_bytes() == local.read_bytes()
    scores = read_scores(company, workspace)
    assert scores
    assert set(sets(workspace)) == set(SETS)


def test_the_command(home_in: Callable[[int], tuple[Company, Workspace]], tmp_path: Path) -> None:
    shutil.copytree(home_in(2)[1].home, tmp_path / "home")

    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOODWILL_", "SPARK_"))}
    scores = Workspace(tmp_path / "home").scores("sample")
    shutil.rmtree(scores)
    done = subprocess.run(
        [sys.executable, "-m", "serve.cli", "score", "--engine", "spark"],
        env={**kept, "GOODWILL_HOME": str(tmp_path / "home"), "PYTHONPATH": f"{PROJECT}/src",
             "GOODWILL_SPARK_PARTITIONS": "3"},
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "start Spark" in done.stderr
    assert "master local[2]" in done.stderr
    made = bits(scores)
    assert {made.pop(column)[0] for column in STATUS_COLUMNS} <= {"double", "string", "int64"}
    assert made == bits(trained()[0].scores("sample"))
    assert len(part_files(scores)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("verb", ["features", "score"])
def test_the_command_without_java_is_3(
    verb: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyspark")
    _, workspace = copy_of_trained(tmp_path / "home")
    monkeypatch.setenv("GOODWILL_HOME", str(workspace.home))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(sys, "argv", ["goodwill", verb, "--engine", "spark"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    shown = capsys.readouterr().err
    assert "goodwill: ConfigRefused: Spark needs Java 17 or newer, there is none (PATH)" in shown
