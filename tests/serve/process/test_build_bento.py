"""The Bento runs in an empty environment without the project."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from features.settings import Workspace
from serve.process import build_bento as module
from serve.process.build_bento import BuildFailed, build_bento
from serve.process.process_tree import kill_process_tree
from serve.process.server import HOST, ServiceProcess, free_port
from support.trained_company import PROJECT, trained


@pytest.fixture(scope="module")
def bento(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_bento(PROJECT, tmp_path_factory.mktemp("built") / "bento")


@pytest.mark.slow
def test_it_holds_the_code_of_the_service_and_no_data(bento: Path) -> None:
    source = bento / "src"
    assert (source / "serve/service.py").is_file()
    assert (source / "features/text/lexicons/en.toml").is_file()
    assert not (source / "models/training/train.py").exists()
    suffixes = {path.suffix for path in source.rglob("*") if path.is_file()}
    assert suffixes & {".parquet", ".csv", ".pyc", ".pkl", ".jsonl", ".db"} == set()
    texts = [path.read_text("utf-8") for path in bento.rglob("*") if path.is_file()]
    assert [text for text in texts if str(PROJECT) in text or str(bento.parent) in text] == []


@pytest.mark.slow
def test_its_packages_are_pinned_as_in_the_lock(bento: Path) -> None:
    pins = (bento / "env/python/requirements.txt").read_text("utf-8").split()
    assert set(pins) <= set((PROJECT / "requirements.lock").read_text("utf-8").splitlines())
    names = {pin.split("==")[0] for pin in pins}
    assert {"bentoml", "lightgbm", "pyarrow", "numba"} <= names
    assert names & {"mlflow", "jupyter", "optuna", "matplotlib", "pytest", "sqlalchemy"} == set()


@pytest.mark.slow
def test_a_failed_build_has_a_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FILE", "service: serve.nosuch:Thing\n")
    with pytest.raises(BuildFailed, match="nosuch"):
        build_bento(PROJECT, tmp_path / "bento")
    assert not (tmp_path / "bento").exists()


@pytest.fixture(scope="module")
def empty_environment(bento: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the Bento's requirements, from wheels, and nothing else."""
    folder = tmp_path_factory.mktemp("empty") / "venv"
    uv = [str(Path(sys.executable).with_name("uv"))]
    subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True)
    install = [*uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python")]
    needs = ["--only-binary", ":all:", "--requirement", str(bento / "env/python/requirements.txt")]
    subprocess.run([*install, *needs], check=True, cwd=folder)
    return folder / "bin"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The files of a company that the service reads: TOML file, snapshot, bundles."""
    source, target = trained()[0], Workspace(tmp_path_factory.mktemp("home"))
    target.features("sample").mkdir(parents=True)
    shutil.copy(source.data / "sample.toml", target.data)
    for path in source.features("sample").glob("snapshot*"):
        shutil.copy(path, target.features("sample"))
    shutil.copytree(source.serving("sample"), target.serving("sample"))
    return target


@pytest.fixture
def served(bento: Path, empty_environment: Path, home: Workspace, tmp_path: Path) -> Iterator[str]:
    port, output = free_port(), tmp_path / "service.log"
    environment = {
        "PATH": f"{empty_environment}{os.pathsep}{os.defpath}",
        "HOME": str(tmp_path),
        "BENTOML_HOME": str(tmp_path / "bentoml"),
        "GOODWILL_HOME": str(home.home),
        "GOODWILL_COMPANY": str(home.data / "sample.toml"),
        "GOODWILL_WORKERS": "1",
    }
    command = [str(empty_environment / "bentoml"), "serve", str(bento)]
    command += ["--host", HOST, "--port", str(port)]
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    server = ServiceProcess(process, f"http://{HOST}:{port}", output, tmp_path / "bentoml")
    try:
        server.wait("/readyz", 120)
        yield server.url
    finally:
        kill_process_tree(process.pid)
        process.wait()


@pytest.mark.timeout(900)  # the company may have to be trained first
@pytest.mark.slow
def test_it_answers_in_an_empty_environment(served: str, home: Workspace) -> None:
    snapshot = pq.read_table(home.features("sample") / "snapshot.parquet", columns=["customer_id"])
    ids = snapshot["customer_id"].slice(0, 3).to_pylist()
    with httpx.Client(base_url=served, trust_env=False, timeout=60) as client:
        answer = client.post("/v1/scores", json={"customer_ids": ids, "reasons": 2})
        assert answer.status_code == 200, answer.text
        assert [score["customer_id"] for score in answer.json()["scores"]] == ids
        assert client.get("/").status_code == 200
        assert client.get("/openapi.json").json()["info"]["version"] != "0.0.0"
        assert 'goodwill_part_ready{part="churn"} 1.0' in client.get("/metrics").text
