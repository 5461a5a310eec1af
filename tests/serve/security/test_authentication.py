"""Access control: keys, scopes, companies, rate and concurrency limits."""

import asyncio
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest

from serve.routes import OPERATIONS
from serve.security import key_file_watcher
from serve.security.api_keys import KeyFile
from serve.security.authentication import Authenticator
from serve.security.key_file_watcher import KeyFileWatcher
from serve.security.rate_limit import RateLimiter
from support.captured_log import log_lines
from support.fake_scorer import SLOW
from support.service_in_process import Service

ASK = {"customer_ids": ["C-1"]}
#: Operations that need no key: health checks and documentation.
OPEN = {"/", "/docs", "/openapi.json", "/livez", "/readyz", "/metrics"}


@pytest.fixture(autouse=True)
def check_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file_watcher, "CHECK_SECONDS", 0.0)


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "keys.json")


@pytest.fixture
def locked(file: KeyFile) -> Service:
    return Service(authenticator=Authenticator(KeyFileWatcher(file.path, required=True)))


def bearer(secret: str) -> dict[str, str]:
    return {"authorization": f"Bearer {secret}"}


def ask(service: Service, secret: str, **more: Any) -> httpx.Response:
    return service.post("/v1/scores", json=ASK, headers=bearer(secret), **more)


def test_each_api_operation_has_a_scope_and_only_the_others_are_open() -> None:
    for operation in OPERATIONS:
        if operation.path.startswith("/v1/"):
            assert operation.scope in ("score", "read", "feedback"), operation.path
        else:
            assert operation.scope is None
            assert operation.path in OPEN or operation.path.startswith("/console"), operation.path


@pytest.mark.parametrize("operation", [o for o in OPERATIONS if o.scope], ids=lambda o: o.name)
def test_no_operation_answers_without_a_key(
    locked: Service, refused: Any, operation: Any, file: KeyFile
) -> None:
    file.add("crm", ["operate"], "testing")  # good for none of them
    path = operation.path.replace("{id}", "C-1").replace("{target}", "churn")
    answer = locked.call(operation.method, path)
    assert answer.status_code == 401
    assert refused(answer)["code"] == "no_key"
    assert answer.headers["www-authenticate"] == "Bearer"
    other = file.rotate("crm", 1)
    forbidden = locked.call(operation.method, path, headers=bearer(other))
    assert forbidden.status_code == 403
    assert refused(forbidden)["code"] == "forbidden"


def test_a_key_is_valid_for_its_scopes(locked: Service, file: KeyFile) -> None:
    score, read = (file.add(f"{s}-only", [s], "testing") for s in ("score", "read"))
    assert ask(locked, score).status_code == 200
    assert ask(locked, read).status_code == 403
    assert locked.get("/v1/models", headers=bearer(read)).status_code == 200
    assert locked.get("/v1/models", headers=bearer(score)).status_code == 403


@pytest.mark.parametrize(
    "value",
    ["", "Bearer", "Bearer ", "Basic {}", "{}", "Bearer {}x", "Bearer x{}", "Bearer {} {}", "Bär"],
)
def test_other_values_are_refused(locked: Service, file: KeyFile, value: str) -> None:
    secret = file.add("crm", ["score"], "testing")
    headers = {"authorization": value.format(secret, secret).encode("latin-1")}
    assert locked.post("/v1/scores", json=ASK, headers=headers).status_code == 401


def test_two_keys_in_one_call_are_refused(locked: Service, file: KeyFile) -> None:
    secret = file.add("crm", ["score"], "testing")
    twice = [("authorization", f"Bearer {secret}")] * 2
    assert locked.post("/v1/scores", json=ASK, headers=twice).status_code == 401
    assert locked.post("/v1/scores", json=ASK, headers=twice[:1]).status_code == 200


def test_a_key_in_the_url_is_refused(locked: Service, file: KeyFile) -> None:
    secret = file.add("crm", ["read"], "testing")
    assert locked.get(f"/v1/models?key={secret}&authorization=Bearer {secret}").status_code == 401


def test_a_key_of_another_company_is_refused(file: KeyFile, refused: Any) -> None:
    services = [
        Service(authenticator=Authenticator(KeyFileWatcher(file.path, required=True)))
        for _ in range(2)
    ]
    services[1].scorer.company = "another"
    keys = [
        file.add(f"of-{s.scorer.company}", ["score", "read"], s.scorer.company) for s in services
    ]
    for i, service in enumerate(services):
        assert ask(service, keys[i]).status_code == 200
        other_key = bearer(keys[1 - i])
        answers = set()
        for customer in ("C-1", "nobody"):  # known and unknown
            answer = service.get(f"/v1/customers/{customer}", headers=other_key)
            assert answer.status_code == 403
            answers.add((refused(answer)["message"], len(answer.content)))
        assert len(answers) == 1
        assert ask(service, keys[1 - i]).status_code == 403
        assert "C-1" not in service.get("/v1/customers?prefix=C", headers=other_key).text


def test_revoked_and_rotated_keys_without_a_restart(locked: Service, file: KeyFile) -> None:
    first = file.add("crm", ["score"], "testing")
    second = file.rotate("crm", overlap_days=1)
    assert [ask(locked, key).status_code for key in (first, second)] == [200, 200]
    file.rotate("crm", overlap_days=0)
    assert [ask(locked, key).status_code for key in (first, second)] == [401, 401]


def test_a_key_is_not_ready_before_the_company_is_loaded(locked: Service, file: KeyFile) -> None:
    secret = file.add("crm", ["score"], "testing")
    locked.loader.scorer = None
    assert ask(locked, secret).status_code == 503
    assert ask(locked, "gw_wrong").status_code == 401


def test_without_keys_only_this_machine_is_answered(service: Service, refused: Any) -> None:
    def call(address: str | None, path: str) -> httpx.Response:
        async def answer() -> httpx.Response:
            client = (address, 5) if address else None
            transport = httpx.ASGITransport(service.app, client=client)  # type: ignore[arg-type]
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as made:
                return await made.get(path)

        return asyncio.run(answer())

    for near in ("127.0.0.1", "127.0.0.9", "::1", None):
        assert call(near, "/v1/models").status_code == 200, near
    for address in ("10.0.0.7", "2001:db8::1", "somebody", "127.0.0.1.example"):
        assert refused(call(address, "/v1/models"))["code"] == "forbidden", address
        assert call(address, "/livez").status_code == 200


def test_a_client_above_its_rate_gets_retry_after(file: KeyFile, refused: Any) -> None:
    locked = Service(
        authenticator=Authenticator(
            KeyFileWatcher(file.path), RateLimiter(clock=lambda: 0.0), rate=100
        )
    )
    slow = file.add("slow", ["score"], "testing", rate=2)
    usual = file.add("usual", ["score"], "testing")
    answers = [ask(locked, slow) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert refused(answers[-1])["code"] == "too_many"
    assert answers[-1].headers["retry-after"] == "1"
    assert ask(locked, file.rotate("slow", 1)).status_code == 429  # no second allowance
    assert ask(locked, usual).status_code == 200
    assert 'goodwill_refusals_total{code="too_many"} 3.0' in locked.get("/metrics").text


def test_calls_above_the_concurrency_limit_are_refused_and_later_ones_answered() -> None:
    service = Service(authenticator=Authenticator(in_flight=2))

    async def crowd() -> list[int]:
        transport = httpx.ASGITransport(service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            many = [client.post("/v1/scores", json=ASK) for _ in range(10)]
            health = [client.get(path) for path in ("/livez", "/readyz", "/metrics")]
            answers = await asyncio.gather(*many, *health)
            assert {a.status_code for a in answers[10:]} == {200}
            return [a.status_code for a in answers[:10]]

    statuses = asyncio.run(crowd())
    assert statuses.count(200) == 2
    assert statuses.count(429) == 8
    assert service.post("/v1/scores", json=ASK).status_code == 200


def test_a_slot_is_free_again_after_a_crash(service: Service) -> None:
    service.scorer.fail = RuntimeError()
    authenticator = Authenticator(in_flight=1)
    crashing = Service(authenticator=authenticator)
    crashing.scorer.fail = RuntimeError()
    for _ in range(3):
        assert crashing.post("/v1/scores", json=ASK).status_code == 500
    assert authenticator.concurrency.in_flight == 0


def test_the_log_names_the_client_and_never_key_customer_or_value(
    locked: Service, file: KeyFile, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "goodwill")
    secret = file.add("crm", ["score", "read"], "testing")
    canary = "Erika Mustermann"
    ask(locked, secret)
    ask(locked, secret + canary)
    locked.get(f"/v1/customers/{canary}", headers=bearer(secret))
    locked.post("/v1/scores", json={"customer_ids": [SLOW, canary]}, headers=bearer(secret))
    lines = [line for line in log_lines(caplog) if line["logger"] == "goodwill.serve"]
    assert lines[0]["client"] == "crm"
    assert "client" not in lines[1]
    for word in (secret, secret[3:], "Erika", SLOW, "C-1"):
        assert word not in caplog.text + str(lines)


def test_the_document_requires_keys_when_there_are_some(service: Service, locked: Service) -> None:
    assert "securitySchemes" not in service.get("/openapi.json").json()["components"]
    document = locked.get("/openapi.json").json()
    assert document["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert document["paths"]["/v1/scores"]["post"]["security"] == [{"key": ["score"]}]
    assert "security" not in document["paths"]["/livez"]["get"]
    assert "401" in document["paths"]["/v1/models"]["get"]["responses"]
