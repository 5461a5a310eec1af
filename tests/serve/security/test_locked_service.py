"""A running server with keys: access, log, metrics and overload."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from features.settings import Workspace
from serve.security.audit_log import AuditLog
from support.locked_server import LockedServer

ASK = {"customer_ids": ["C-1", "C-2"]}


@pytest.fixture(scope="module")
def client(locked_server: LockedServer) -> Iterator[httpx.Client]:
    with locked_server.client() as made:
        yield made


def statuses(url: str, keys: list[str]) -> list[int]:
    """Score with each key, on a new connection each, so that any worker may answer."""
    fresh = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(base_url=url, limits=fresh, trust_env=False) as client:
        headers = [{"authorization": f"Bearer {key}"} for key in keys]
        return [client.post("/v1/scores", json=ASK, headers=h).status_code for h in headers]


def test_only_the_key_is_accepted(locked_server: LockedServer, client: httpx.Client) -> None:
    server, secret = locked_server, locked_server.secret
    assert client.post("/v1/scores", json=ASK).status_code == 200
    assert statuses(server.url, ["gw_wrong", secret[:-1], secret + "x"]) == [401] * 3
    for path in ("/livez", "/metrics", "/docs", "/openapi.json", "/"):
        assert httpx.get(server.url + path, trust_env=False).status_code == 200, path
    server.process.wait("/readyz", 30)  # the second worker may still load the models


def test_a_changed_file_is_loaded_by_both_workers_without_a_restart(
    locked_server: LockedServer,
) -> None:
    server, file, secret = locked_server, locked_server.keys, locked_server.secret
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
    locked_server: LockedServer,
) -> None:
    server, secret = locked_server, locked_server.secret

    async def crowd() -> Counter[int]:
        limits = httpx.Limits(max_connections=150)
        headers = {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(
            base_url=server.url, limits=limits, headers=headers, trust_env=False, timeout=60
        ) as many:
            body = {"customer_ids": [f"C-{n}" for n in range(500)], "reasons": 3}
            calls = [many.post("/v1/scores", json=body) for _ in range(120)]
            answers = await asyncio.gather(*calls)
        assert all(a.headers["retry-after"] == "1" for a in answers if a.status_code == 429)
        return Counter(answer.status_code for answer in answers)

    found = asyncio.run(crowd())
    assert set(found) == {200, 429}
    assert set(statuses(server.url, [secret] * 6)) == {200}


def test_log_metrics_and_audit_hold_no_key_customer_or_value(
    locked_server: LockedServer, client: httpx.Client
) -> None:
    secret = locked_server.secret
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
    folder = AuditLog(Workspace(locked_server.home), "testing").folder
    audit = "".join(file.read_text() for file in folder.iterdir())
    written = locked_server.output.read_text() + client.get("/metrics").text + audit
    for word in (canary, secret, secret[3:], "C-1777", "C-1"):
        assert word not in written
    assert '"client": "crm"' in locked_server.output.read_text()
    assert '"client":"crm"' in audit
