"""Each scoring writes one line without names, also concurrently; failures are reported."""

import hmac
import json
import multiprocessing
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.settings import Workspace
from serve.security.audit_log import AuditLog, Caller, read_or_create_secret
from support.service_in_process import Service

AS_OF = datetime(2026, 1, 1, tzinfo=UTC)
CALLER = Caller("r-1", "crm", "/v1/scores")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def audit(workspace: Workspace) -> AuditLog:
    return AuditLog(workspace, "testing")


def service_with(workspace: Workspace, **more: Any) -> Service:
    return Service(audits=partial(AuditLog, workspace, **more))


def text_of(audit: AuditLog) -> str:
    return "".join(file.read_text() for file in sorted(audit.folder.glob("*")))


def test_a_line_holds_the_data_for_a_replay_and_no_name(audit: AuditLog) -> None:
    assert audit.record(CALLER, ["Erika", "Ида"], AS_OF, {"churn": "3"}, "abc")
    (line,) = audit.lines()
    assert (line.request_id, line.client, line.operation) == CALLER
    assert line.customers == audit.pseudonyms(["Erika", "Ида"])
    assert (line.as_of, line.versions) == ("2026-01-01T00:00:00+00:00", {"churn": "3"})
    assert (line.fingerprint, line.digest) == ("abc", "")
    assert "Erika" not in text_of(audit)


def test_files_are_for_their_owner_only(audit: AuditLog, workspace: Workspace) -> None:
    audit.record(CALLER, ["C-1"], AS_OF, {})
    files = [*audit.folder.iterdir(), workspace.company("testing") / "audit.key"]
    assert len(files) == 2
    assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600, 0o600]


@given(st.text(), st.text())
def test_pseudonyms_are_unique(one: str, other: str) -> None:
    audit = AuditLog(Workspace(Path("/nowhere")), "testing")
    audit._keyed = hmac.new(b"x" * 32, digestmod="sha256")
    assert (audit.pseudonym(one) == audit.pseudonym(other)) == (one == other)


def test_each_company_has_its_own_pseudonyms(workspace: Workspace, audit: AuditLog) -> None:
    assert audit.pseudonym("C-1") == AuditLog(workspace, "testing").pseudonym("C-1")
    assert audit.pseudonym("C-1") != AuditLog(workspace, "another").pseudonym("C-1")


def test_concurrent_processes_share_one_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(read_or_create_secret, [tmp_path / "a" / "audit.key"] * 64))
    assert len(found) == 1
    assert [file.name for file in (tmp_path / "a").iterdir()] == ["audit.key"]


def _write_many(home: str, worker: int) -> None:
    audit = AuditLog(Workspace(Path(home)), "testing")
    for n in range(100):
        audit.record(Caller(f"{worker}-{n}", "", "x"), [f"C-{i}" for i in range(300)], AS_OF, {})


@pytest.mark.slow
def test_workers_never_mix_their_lines(audit: AuditLog, tmp_path: Path) -> None:
    audit.pseudonym("C-1")
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_write_many, args=(str(tmp_path), n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    lines = list(audit.lines())
    assert {line.request_id for line in lines} == {f"{w}-{n}" for w in range(3) for n in range(100)}
    assert {tuple(line.customers) for line in lines} == {tuple(lines[0].customers)}


def test_an_incomplete_line_is_skipped(audit: AuditLog, caplog: pytest.LogCaptureFixture) -> None:
    audit.record(CALLER, ["C-1"], AS_OF, {})
    (file,) = audit.folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:40] + b"\n" + whole)
    assert len(list(audit.lines())) == 1
    assert "has an incomplete line" in caplog.text


def test_each_way_to_score_is_recorded(workspace: Workspace) -> None:
    service = service_with(workspace)
    records = {"customers": [{"customer_id": "new-1", "valid_from": "2024-01-01T00:00:00Z"}]}
    body = json.dumps({"records": records}).encode()
    service.post("/v1/scores", json={"customer_ids": ["C-1", "C-2", "no"]})
    service.post_text("/v1/scores/records", body)
    service.get("/v1/customers/C-3")
    service.post("/v1/whatif", json={"customer_id": "C-4", "target": "churn", "goal": 10})
    service.post_text("/v1/scores/stream", '{"customer_id": "C-5"}\n')
    service.get("/v1/customers/no")  # no customer was scored
    audit = AuditLog(workspace, "testing")
    lines = list(audit.lines())
    expected = [["C-1", "C-2"], ["new-1"], ["C-3"], ["C-4"], ["C-5"]]
    assert [line.customers for line in lines] == [audit.pseudonyms(ids) for ids in expected]
    assert [line.operation for line in lines] == [
        "/v1/scores",
        "/v1/scores/records",
        "/v1/customers/{id}",
        "/v1/whatif",
        "/v1/scores/stream",
    ]
    assert [line.digest for line in lines] == ["", audit.pseudonym(body), "", "", ""]
    assert all(line.versions.keys() <= {"churn", "value"} for line in lines)
    text = text_of(audit)
    assert not [word for word in ("C-1", "C-2", "C-3", "C-4", "C-5", "new-1") if word in text]


@pytest.mark.parametrize("required", [False, True])
def test_a_failure_is_counted_and_refuses_the_call_if_required(
    workspace: Workspace, refused: Any, required: bool, caplog: pytest.LogCaptureFixture
) -> None:
    service = service_with(workspace, required=required)
    workspace.mlruns.mkdir(parents=True)
    (workspace.mlruns / "audit").write_text("a file where a folder should be")
    answer = service.post("/v1/scores", json={"customer_ids": ["C-1"]})
    assert answer.status_code == (503 if required else 200)
    if required:
        assert refused(answer)["code"] == "not_stored"
        assert "probability" not in answer.text
    assert "not written" in caplog.text
    assert "goodwill_audit_failures_total 1.0" in service.get("/metrics").text
