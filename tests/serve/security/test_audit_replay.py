"""Past scores are reproduced exactly, with the models and the history of that time."""

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from serve.cli.main import cli
from serve.scoring.company_scorer import CompanyScorer
from serve.security.audit_log import AuditLog
from serve.security.audit_replay import replay_calls
from support.second_version import promote_milder_churn
from support.service_in_process import Service
from support.trained_company import copy_of_trained

ROWS = {
    "customers": [
        {"customer_id": "new-1", "valid_from": "2025-01-01T00:00:00Z", "industry": "retail"}
    ],
    "events": [
        {"customer_id": "new-1", "occurred_at": f"2026-0{month}-03T00:00:00Z", "kind": "order",
         "amount": 100.5 * month}
        for month in range(1, 7)
    ],
}  # fmt: skip

Answers = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Workspace, Answers]:
    """A company with calls before and after a new churn model, and the answers by request id."""
    company, workspace = copy_of_trained(tmp_path_factory.mktemp("replayed") / "home")
    service = Service(audits=partial(AuditLog, workspace))
    scorer = CompanyScorer(company, workspace)
    service.loader.scorer = scorer
    answers: Answers = {}
    ids = scorer.find_customers("", 30)[::10]
    for when in ("before", "after"):
        body = {"records": ROWS, "as_of": "2026-06-20T00:00:00Z"}
        (workspace.home / "rows.json").write_text(json.dumps(body))
        responses = [
            service.post("/v1/scores", json={"customer_ids": ids}, headers={"x-request-id": when}),
            service.post(
                "/v1/scores/records",
                content=(workspace.home / "rows.json").read_bytes(),
                headers={"x-request-id": f"rows-{when}", "content-type": "application/json"},
            ),
        ]
        for answer in responses:
            assert answer.status_code == 200, answer.text
            answers[answer.json()["request_id"]] = answer.json()
        if when == "before":
            promote_milder_churn(workspace)
            scorer.refresh()
    return company, workspace, answers


def same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return abs(one - other) <= 1e-12 * max(1.0, abs(one))
    return bool(one == other)


@pytest.mark.parametrize("request_id", ["before", "after"])
def test_the_scores_of_each_customer_are_reproduced(home: Any, request_id: str) -> None:
    company, workspace, answers = home
    answer = answers[request_id]
    assert len(answer["scores"]) == 3
    for score in answer["scores"]:
        customer = score["customer_id"]
        (again,) = replay_calls(company, workspace, customer, request_id)
        assert again.notes == []
        assert again.line.versions == answer["model_versions"]
        assert same(score["predictions"], again.scores[customer])
        assert [cells for cells, _ in again.rows()] == [
            (customer, target, version) for target, version in answer["model_versions"].items()
        ]


def test_the_two_models_have_different_scores(home: Any) -> None:
    company, workspace, answers = home
    customer = answers["before"]["scores"][0]["customer_id"]
    first, second = replay_calls(company, workspace, customer)
    assert [first.line.versions["churn"], second.line.versions["churn"]] == ["1", "2"]
    chances = [r.scores[customer]["churn"]["probability"] for r in (first, second)]
    assert not same(chances[0], chances[1])
    assert same(first.scores[customer]["value"], second.scores[customer]["value"])


@pytest.mark.parametrize("request_id", ["rows-before", "rows-after"])
def test_scores_of_rows_are_reproduced_from_their_file(home: Any, request_id: str) -> None:
    company, workspace, answers = home
    file = workspace.home / "rows.json"
    (again,) = replay_calls(company, workspace, None, request_id, file)
    (score,) = answers[request_id]["scores"]
    assert same(score["predictions"], again.scores["new-1"])
    (by_id,) = replay_calls(company, workspace, "new-1", request_id)
    assert by_id.scores == {}
    assert "--records" in by_id.notes[0]


def test_another_file_or_customer_is_not_found(home: Any, tmp_path: Path) -> None:
    company, workspace, answers = home
    other = tmp_path / "rows.json"
    other.write_text((workspace.home / "rows.json").read_text().replace("100.5", "100.6"))
    for given in ((None, None, other), ("nobody", None, None)):
        with pytest.raises(DataRefused, match=r"has no call about th|give either --customer"):
            replay_calls(company, workspace, *given)
    customer = answers["before"]["scores"][0]["customer_id"]
    with pytest.raises(DataRefused, match="has no call about this customer"):
        replay_calls(company, workspace, customer, "another-request")


def test_a_changed_history_and_a_missing_version_give_notes(home: Any, tmp_path: Path) -> None:
    company, workspace, answers = home
    copy = Workspace(tmp_path / "home")
    shutil.copytree(workspace.home, copy.home)
    manifest = copy.history("sample") / "history.json"
    manifest.write_text(
        manifest.read_text().replace(json.loads(manifest.read_text())["fingerprint"], "0" * 16)
    )
    shutil.rmtree(copy.serving("sample") / "churn" / "1")
    customer = answers["before"]["scores"][0]["customer_id"]
    (again,) = replay_calls(company, copy, customer, "before")
    assert len(again.notes) == 2
    assert again.notes[0].startswith("churn version 1 cannot be read")
    assert "and is now 0000000000000000: rows before 2026-07-01 may have changed" in again.notes[1]
    assert "churn" not in again.scores[customer]
    assert "value" in again.scores[customer]


def test_the_command_shows_it(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _, workspace, answers = home
    monkeypatch.setenv("GOODWILL_HOME", str(workspace.home))
    customer = answers["after"]["scores"][0]["customer_id"]
    words = ["replay", "--customer", customer, "--request", "after"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "/v1/scores by a caller without a key" in done.stderr
    chance = answers["after"]["scores"][0]["predictions"]["churn"]["probability"]
    assert f"probability={chance}, " in done.stderr.replace("\n", " ")
    assert max(map(len, done.stderr.splitlines())) <= 80
