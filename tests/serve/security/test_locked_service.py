"""A running server with keys: access, log, metrics and overload."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from features.settings import Workspace
from serve.process.server import LaunchOptions, ServiceProcess, running_service
from serve.security.api_keys import KeyFile
from serve.security.audit_log import AuditLog

TESTS = Path(__file__).parents[2]
SOURCES = Path(__file__).parents[3] / "src"
ASK = {"customer_ids": ["C-1", "C-2"]}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("locked")


@pytest.fixture(scope="module")
def file(home: Path) -> KeyFile:
    return KeyFile(home / "data" / "keys.json")


@pytest.fixture(scope="module")
def secret(file: KeyFile) -> str:
    return file.add("crm", ["score", "read"], "testing")


@pytest.fixture(scope="module")
def server(home: Path, secret: str) -> Iterator[ServiceProcess]:
    environment = {
        "GOODWILL_SCORER": "support.fake_scorer:load",
        "PYTHONPATH": os.pathsep.join([str(SOURCES), str(TESTS)]),
        "GOODWILL_IN_FLIGHT": "8",
    }
    plan = LaunchOptions(
        home / "x.toml", Workspace(home), output=home / "service.log", environment=environment
    )
    with running_service(plan) as running:
        yield running


@pytest.fixture(scope="module")
def client(server: ServiceProcess, secret: str) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {secret}"}
    options = {"trust_env": False, "timeout": 30, "headers": headers}
    with httpx.Client(base_url=server.url, **options) as made:  # type: ignore[arg-type]
        yield made


def statuses(url: str, keys: list[str]) -> list[int]:
    return [
        httpx.post(
            url + "/v1/scores",
            json=ASK,
            headers={"authorization": f"Bearer {key}"},
            trust_env=False,
        ).status_code
        for key in keys
    ]


def test_only_the_key_is_accepted(
    server: ServiceProcess, client: httpx.Client, secret: str
) -> None:
    assert client.post("/v1/scores", json=ASK).status_code == 200
    assert statuses(server.url, ["gw_wrong", secret[:-1], secret + "x"]) == [401] * 3
    for path in ("/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/"):
        assert httpx.get(server.url + path, trust_env=False).status_code == 200, path


def test_a_changed_file_is_loaded_by_both_workers_without_a_restart(
    server: ServiceProcess, file: KeyFile, secret: str
) -> None:
    guest = file.add("guest", ["score"], "testing")
    for wanted, change in ((200, None), (401, lambda: file.revoke("guest"))):
        if change:
            change()
        time.sleep(1.2)
        assert statuses(server.url, [guest] * 12) == [wanted] * 12
    good = file.path.read_bytes()
    file.path.write_text("[{ broken")
    time.sleep(1.2)
    assert set(statuses(server.url, [secret] * 12)) == {200}
    assert set(statuses(server.url, [guest] * 12)) == {401}
    file.path.write_bytes(good)


def test_overload_gets_200_or_429_and_later_calls_are_answered(
    server: ServiceProcess, secret: str
) -> None:
    async def crowd() -> Counter[int]:
        limits = httpx.Limits(max_connections=150)
        headers = {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(
            base_url=server.url, limits=limits, headers=headers, trust_env=False, timeout=60
        ) as many:
            body = {"customer_ids": [f"C-{n}" for n in range(1000)], "reasons": 3}
            calls = [many.post("/v1/scores", json=body) for _ in range(150)]
            answers = await asyncio.gather(*calls)
        assert all(a.headers["retry-after"] == "1" for a in answers if a.status_code == 429)
        return Counter(answer.status_code for answer in answers)

    found = asyncio.run(crowd())
    assert set(found) == {200, 429}
    assert set(statuses(server.url, [secret] * 6)) == {200}


def test_log_metrics_and_audit_hold_no_key_customer_or_value(
    server: ServiceProcess, client: httpx.Client, secret: str, home: Path
) -> None:
    canary = "Erika5550123"
    client.get(f"/v1/customers/{canary}?key={secret}")
    client.post("/v1/scores", json={"customer_ids": [canary, "C-1777"], "targets": [canary]})
    client.post("/v1/scores", json={"customer_ids": [canary, "C-1777"]})
    client.post("/v1/scores", content=canary.encode(), headers={"content-type": "application/json"})
    rows = {
        "customers": [{"customer_id": canary, "name": canary}],
        "tickets": [{"comment": canary}],
    }
    client.post("/v1/scores/records", json={"records": rows})
    client.get(f"/{canary}", headers={"authorization": canary})
    client.request(canary, "/v1/models")
    assert server.output is not None
    audit = "".join(f.read_text() for f in AuditLog(Workspace(home), "testing").folder.iterdir())
    written = server.output.read_text() + client.get("/metrics").text + audit
    for word in (canary, secret, secret[3:], "C-1777", "C-1"):
        assert word not in written
    assert '"client": "crm"' in server.output.read_text()
    assert '"client":"crm"' in audit
