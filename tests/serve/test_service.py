"""A BentoML server with two workers, keys and the fake scorer, over HTTP."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from features.settings import Workspace
from serve.process.server import LaunchOptions, running_service
from serve.routes import OPERATIONS
from serve.schemas.score_schemas import RecordsRequest
from support.locked_server import LockedServer, fake_scorer_environment
from support.service_in_process import error_of

SOURCES = Path(__file__).parents[2] / "src"
RECORDS = RecordsRequest.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]


@pytest.fixture(scope="module")
def client(locked_server: LockedServer) -> Iterator[httpx.Client]:
    with locked_server.client() as made:
        yield made


def test_our_routes_replace_those_of_bentoml(client: httpx.Client) -> None:
    for operation in OPERATIONS:
        if operation.method == "GET":
            path = operation.path.format(id="C-1", target="churn", file="console.js")
            answer = client.get(path)
            assert answer.status_code == 200, operation.path
            assert len(answer.headers["x-request-id"]) == 32
    assert "goodwill_ready 1.0" in client.get("/metrics").text
    assert "console/console.js" in client.get("/").text
    assert client.get("/openapi.json").json()["openapi"] == "3.1.0"


@pytest.mark.parametrize(
    "path", ["/docs.json", "/schema.json", "/healthz", "/assets/x", "/%2e%2e/"]
)
def test_routes_of_bentoml_are_hidden(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "unknown_path"


def test_scores_over_http(client: httpx.Client) -> None:
    answer = client.post("/v1/scores", json={"customer_ids": ["C-1", "no"], "reasons": True})
    assert answer.status_code == 200
    assert answer.json()["unknown_customers"] == ["no"]
    assert client.post("/v1/scores/records", json=RECORDS).status_code == 200
    assert client.get("/v1/customers/C-1").status_code == 200
    assert client.get("/v1/customers/no").status_code == 404


def test_invalid_calls_over_http(client: httpx.Client) -> None:
    json = {"content-type": "application/json"}
    assert client.get("/v1/scores").status_code == 405
    assert client.post("/v1/scores", content=b"{}").status_code == 415
    assert client.post("/v1/scores", content=b"[1e999]", headers=json).status_code == 400
    assert client.post("/v1/scores", json={"customer_ids": ["a"] * 1001}).status_code == 422
    large = client.post("/v1/scores", content=b" " * (11 * 2**20), headers=json)
    assert error_of(large)["code"] == "body_too_large"
    parts = client.post("/v1/scores", content=(b" " * 2**20 for _ in range(12)), headers=json)
    assert parts.status_code == 413
    assert client.get("/livez").status_code == 200


def test_twenty_calls_at_once_and_metrics_over_all_workers(
    locked_server: LockedServer, client: httpx.Client
) -> None:
    name = 'goodwill_scored_customers_total{target="churn"}'

    def scored() -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", client.get("/metrics").text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    def ask(number: int) -> tuple[int, list[Any]]:
        ids = [f"C-{number * 50 + n}" for n in range(50)]
        with locked_server.client() as own:
            body = {"customer_ids": ids, "targets": ["churn"]}
            answers = [own.post("/v1/scores", json=body) for _ in range(5)]
        assert {a.status_code for a in answers} == {200}
        assert all([s["customer_id"] for s in a.json()["scores"]] == ids for a in answers)
        return len(answers), ids

    before = scored()
    with ThreadPoolExecutor(20) as pool:
        calls = sum(count for count, _ in pool.map(ask, range(20)))
    seen = {scored() for _ in range(6)}  # whichever worker answers
    assert seen == {before + calls * 50}


def test_the_metrics_are_files_of_two_workers(locked_server: LockedServer) -> None:
    service = locked_server.process
    workers = psutil.Process(service.process.pid).children()
    assert len(workers) == 2
    files = (service.scratch / "prometheus_multiproc_dir").glob("counter_*.db")
    pids = {int(re.sub(r"\D", "", file.stem)) for file in files}
    assert pids == {worker.pid for worker in workers}


def test_the_log_holds_calls_and_no_values(
    locked_server: LockedServer, client: httpx.Client
) -> None:
    client.post("/v1/scores", json={"customer_ids": ["canary 5550123"], "targets": ["5550123"]})
    client.get("/v1/customers/5550123?key=5550123")
    text = locked_server.output.read_text("utf-8")
    assert '"route": "/v1/customers/{id}"' in text
    assert "5550123" not in text


def test_it_listens_on_this_machine_only(locked_server: LockedServer) -> None:
    supervisor = psutil.Process(locked_server.process.process.pid)
    processes = [supervisor, *supervisor.children(recursive=True)]
    addresses = {
        connection.laddr.ip
        for process in processes
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


@pytest.mark.slow  # tests/serve/scoring/test_reload_loop.py has the same in one process
def test_a_scorer_that_cannot_load_leaves_the_service_up(tmp_path: Path) -> None:
    plan = LaunchOptions(
        tmp_path / "sample.toml",
        Workspace(tmp_path),
        workers=1,
        output=tmp_path / "service.log",
        environment=fake_scorer_environment("load_never"),
    )
    with running_service(plan, wait_for="/livez") as running:
        pid = running.process.pid
        workers = {child.pid for child in psutil.Process(pid).children()}
        answer = httpx.get(running.url + "/readyz", trust_env=False)
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert error_of(answer)["code"] == "not_ready"
        time.sleep(0.5)
        assert httpx.get(running.url + "/livez", trust_env=False).status_code == 200
        assert {child.pid for child in psutil.Process(pid).children()} == workers
    assert "0170" not in running.log_end()
    assert "0000000" not in running.log_end()


def test_the_service_never_imports_mlflow_and_names_the_missing_setting() -> None:
    code = (
        "import sys, serve.service as s\n"
        "assert 'mlflow' not in sys.modules\n"
        "try: s.scorer_from_environment()\n"
        "except s.ConfigRefused as refused: sys.stdout.write(str(refused))"
    )
    env = {k: v for k, v in os.environ.items() if k != "GOODWILL_COMPANY"}
    env["PYTHONPATH"] = str(SOURCES)
    ran = subprocess.run([sys.executable, "-c", code], env=env, check=True, capture_output=True)
    assert ran.stdout.decode().startswith("set GOODWILL_COMPANY to the path")
