"""The canary's name, phone and mail are in the tables and in no output."""

import json
import logging
from functools import partial
from pathlib import Path

import pytest

from features.config.company import Company
from features.progress import Steps, silent_steps
from features.result_sets import CURRENT, SERVING, SETS
from features.sample_company.canary import ACCOUNT, CANARY
from features.settings import Workspace
from insight.business_report.business_report_page import write_report
from insight.data_quality_report.data_quality_page import write_data_quality_page
from models.scoring.batch_reasons import explain_customers
from serve.scoring.company_scorer import CompanyScorer
from serve.security.audit_log import AuditLog
from support.canary_marks import MARKS, find_marks, marked_files
from support.captured_log import log_lines
from support.service_in_process import Service
from support.trained_company import copy_of_trained

TEXT = ", ".join(CANARY)
RECORD = {"customer_id": CANARY[0], "valid_from": "2025-01-01T00:00:00Z", "name": CANARY[0]}
TICKET = {"customer_id": CANARY[0], "opened_at": "2026-01-01T00:00:00Z", "comment": TEXT}
#: Bodies that are wrong in every way, each with the marks in it.
WRONG = (
    TEXT,
    json.dumps({"customer_ids": [TEXT], TEXT: 1}),
    json.dumps({"customer_ids": TEXT}),
    json.dumps({"customer_ids": ["C-1"], "targets": [TEXT]}),
    json.dumps({"records": {"customers": [{**RECORD, "valid_from": TEXT}]}}),
    json.dumps({"records": {"customers": [RECORD], "tickets": [{**TICKET, "severity": TEXT}]}}),
    json.dumps({"records": {"customers": [RECORD, RECORD]}, "as_of": CANARY[1]}),
    json.dumps({"customer_id": ACCOUNT, "target": TEXT, "goal": 3}),
    json.dumps({"customer_id": TEXT, "target": "churn", "goal": 3}),
    '{"customer_ids": ["' + TEXT + '"], "customer_ids": []}',
)
#: The first test that needs the trained company waits for it.
pytestmark = [pytest.mark.timeout(900), pytest.mark.slow]
PATHS = ("/v1/scores", "/v1/scores/records", "/v1/whatif", "/v1/feedback", "/v1/scores/stream")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Workspace]:
    """The trained company, with all files that are written for people."""
    company, workspace = copy_of_trained(tmp_path_factory.mktemp("personal") / "home")
    steps = Steps(workspace.log("sample"), silent_steps().console)
    write_data_quality_page(company, workspace, steps)
    explain_customers(company, workspace, steps)
    write_report(company, workspace, steps)
    return company, workspace


def test_the_marks_are_in_the_tables(home: tuple[Company, Workspace]) -> None:
    _company, workspace = home
    raw = marked_files([workspace.company("sample") / "raw"])
    assert {Path(name).stem for name in raw} == {"crm_accounts", "surveys", "tickets"}
    assert all(marks == list(MARKS) for marks in raw.values())
    stored = marked_files([workspace.history("sample")])
    assert {Path(name).stem for name in stored} == {"surveys", "tickets"}  # comments are read


def test_no_output_holds_the_marks(home: tuple[Company, Workspace]) -> None:
    _company, workspace = home
    folder = workspace.company("sample")
    tables = {"raw", "truth", "history"}
    own = [part for part in folder.iterdir() if part.name not in {*tables, CURRENT, SETS}]
    published = [part for part in (folder / CURRENT).iterdir() if part.name not in tables]
    made = [*own, *published]  # with the models, to which only a link leads below `mlruns`
    names = {part.name for part in made}
    assert {
        "features",
        "scores",
        "cards",
        "report.html",
        "report-details.html",
        "data-quality.html",
        SERVING,
    } <= names
    assert workspace.log("sample").is_file()
    assert (workspace.serving("sample") / "churn" / "champion.json").is_file()
    assert marked_files([*made, workspace.mlruns]) == {}


def test_invalid_bodies_leave_no_marks(
    home: tuple[Company, Workspace], caplog: pytest.LogCaptureFixture
) -> None:
    company, workspace = home
    caplog.set_level(logging.DEBUG, "goodwill")
    service = Service(audits=partial(AuditLog, workspace))
    service.loader.scorer = CompanyScorer(company, workspace)
    shown: list[str] = []
    for path in PATHS:
        for body in WRONG:
            answer = service.post_text(path, body)
            assert answer.status_code < 500 or answer.json()["error"]["code"] == "not_ready"
            if answer.status_code >= 400:
                shown.append(answer.text)
    assert len(shown) > 20
    right = [
        service.post("/v1/scores", json={"customer_ids": [ACCOUNT], "reasons": 10}),
        service.get(f"/v1/customers/{ACCOUNT}"),
        service.get("/v1/calls?limit=100"),
        service.post(
            "/v1/scores/records", json={"records": {"customers": [RECORD], "tickets": [TICKET]}}
        ),
    ]
    assert [answer.status_code for answer in right] == [200] * 4
    shown += [answer.text for answer in right[:3]]
    shown += [service.get(f"/v1/customers/{TEXT}").text, service.get(f"/v1/{TEXT}").text]
    shown += [service.get("/metrics").text, caplog.text, str(log_lines(caplog))]
    assert find_marks("".join(shown)) == []
    assert any("ms" in line for line in log_lines(caplog))
    assert marked_files([workspace.mlruns]) == {}
    assert ACCOUNT not in "".join(
        f.read_text() for f in (workspace.mlruns / "audit").rglob("*.jsonl")
    )
