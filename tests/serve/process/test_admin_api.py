"""The admin API works from this machine only, with a key if there are keys."""

import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from features.config.company import Company, load_company
from features.errors import EnvironmentFailed
from features.settings import Workspace
from models.bundles import rollback
from models.bundles.champions import POINTER
from serve.process.admin_api import run_admin_api
from serve.process.server import free_port
from serve.security.api_keys import KeyFile

PROJECT = Path(__file__).parents[3]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Company, Workspace]:
    """A company with the empty folders of two versions of churn."""
    monkeypatch.delenv("GOODWILL_KEYS", raising=False)
    workspace = Workspace(tmp_path)
    workspace.data.mkdir()
    shutil.copy(PROJECT / "data/sample.toml", workspace.data)
    for version in ("1", "2"):
        folder = workspace.serving("sample") / "churn" / version
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
    (workspace.serving("sample") / "churn" / POINTER).write_text(json.dumps({"version": "2"}))
    return load_company(workspace.data / "sample.toml"), workspace


@pytest.fixture
def client(home: tuple[Company, Workspace]) -> Iterator[httpx.Client]:
    port = free_port()
    with (
        run_admin_api(*home, port),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as made,
    ):
        yield made


def code(answer: httpx.Response) -> tuple[int, str]:
    assert answer.json()["error"]["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, answer.json()["error"]["code"]


def test_status_shows_the_versions_in_use_and_stored(client: httpx.Client) -> None:
    answer = client.get("/status")
    assert answer.json() == {
        "company": "sample",
        "keys": False,
        "targets": {"churn": {"version": "2", "kept": ["1", "2"]}},
    }
    assert "Python" not in answer.headers["server"]


def test_reload_touches_the_files_that_workers_watch(
    client: httpx.Client, home: tuple[Company, Workspace]
) -> None:
    pointer = home[1].serving("sample") / "churn" / POINTER
    before = pointer.stat().st_mtime_ns, pointer.read_bytes()
    assert client.post("/reload", json={}).json() == {"reloading": ["churn"]}
    assert pointer.stat().st_mtime_ns > before[0]
    assert pointer.read_bytes() == before[1]


def test_rollback_returns_both_versions(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def roll_back(*given: Any) -> rollback.Rollback:
        calls.append(given[2:])
        return rollback.Rollback("churn", "2", "1")

    monkeypatch.setattr("serve.process.admin_api.roll_back", roll_back)
    answer = client.post("/rollback", json={"target": "churn", "version": "1"})
    assert answer.json() == {"target": "churn", "before": "2", "now": "1"}
    client.post("/rollback", json={"target": "churn"})
    assert calls == [("churn", "1"), ("churn", None)]


def test_impossible_operations_are_errors(client: httpx.Client) -> None:
    refused = client.post("/rollback", json={"target": "churn", "version": "7"})
    assert code(refused) == (422, "invalid_request")
    assert refused.json()["error"]["message"] == "churn has no version 7; stored versions: 1, 2"
    assert code(client.post("/rollback", json={"target": 1})) == (422, "invalid_request")
    assert code(client.post("/rollback", json=[])) == (422, "invalid_request")
    assert code(client.get("/v1/models")) == (404, "unknown_path")
    assert code(client.get("/reload")) == (404, "unknown_path")


def test_web_pages_cannot_call_it(client: httpx.Client) -> None:
    form = {"content-type": "text/plain"}
    assert code(client.post("/reload", content=b"{}", headers=form)) == (415, "wrong_media_type")
    rebound = {"host": "evil.example"}
    assert code(client.post("/reload", json={}, headers=rebound)) == (403, "forbidden")


def test_bad_bodies(client: httpx.Client) -> None:
    kind = {"content-type": "application/json"}
    assert code(client.post("/reload", content=b"{", headers=kind)) == (400, "malformed_json")
    large = client.post("/reload", content=b" " * 5000, headers=kind)
    assert code(large) == (413, "body_too_large")
    chunked = client.post("/reload", content=iter([b"{}"]), headers=kind)
    assert code(chunked) == (413, "body_too_large")
    assert client.get("/status").status_code == 200


def test_with_keys_it_needs_scope_operate_and_this_company(
    client: httpx.Client, home: tuple[Company, Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serve.security.key_file_watcher.CHECK_SECONDS", 0.0)
    file = KeyFile(home[1].data / "keys.json")
    wanted = {"ops": (["operate"], "sample"), "crm": (["score", "read"], "sample")}
    wanted["other"] = (["operate"], "another")
    keys = {name: file.add(name, *given) for name, given in wanted.items()}

    def status(secret: str) -> httpx.Response:
        return client.get("/status", headers={"authorization": f"Bearer {secret}"})

    assert code(client.get("/status")) == (401, "no_key")
    assert code(status("gw_wrong")) == (401, "no_key")
    assert code(status(keys["crm"])) == (403, "forbidden")
    assert code(status(keys["other"])) == (403, "forbidden")
    assert status(keys["ops"]).json()["keys"] is True


def test_it_listens_on_this_machine_only(client: httpx.Client) -> None:
    port = client.base_url.port
    listening = [
        c.laddr.ip
        for c in psutil.Process().net_connections("inet")
        if c.status == psutil.CONN_LISTEN and c.laddr.port == port
    ]
    assert listening == ["127.0.0.1"]


def test_a_port_in_use_is_refused_with_a_remedy(home: tuple[Company, Workspace]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        second_api = run_admin_api(*home, other.getsockname()[1])
        with (
            pytest.raises(EnvironmentFailed, match=r"is in use; .* GOODWILL_OPERATE_PORT"),
            second_api,
        ):
            pytest.fail("it listens")
