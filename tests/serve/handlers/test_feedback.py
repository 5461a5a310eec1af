"""Feedback of the CRM is stored once, or refused with a reason."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from serve.handlers.feedback import FeedbackAnswer
from serve.security.api_keys import KeyFile
from serve.security.authentication import Authenticator
from serve.security.key_file_watcher import KeyFileWatcher
from support.service_in_process import Service, error_of


def body(key: str = "k-1", **changes: Any) -> dict[str, Any]:
    outcome = {"customer_id": "C-1", "occurred_at": "2025-06-12T09:00:00+02:00", "kind": "campaign"}
    return {"idempotency_key": key, "outcomes": [outcome | changes]}


def test_outcomes_are_stored_once(service: Service) -> None:
    first = FeedbackAnswer.model_validate_json(service.post("/v1/feedback", json=body()).text)
    again = FeedbackAnswer.model_validate_json(service.post("/v1/feedback", json=body()).text)
    assert (first.accepted, first.repeated, again.repeated) == (1, False, True)
    (stored,) = service.scorer.stored.values()
    assert stored.events[0]["occurred_at"] == "2025-06-12T07:00:00+00:00"
    assert stored.events[0]["kind"] == "campaign"


def test_the_client_and_the_request_are_stored(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "keys.json")
    secret = file.add("crm", ["feedback"], "testing")
    service = Service(authenticator=Authenticator(KeyFileWatcher(file.path, required=True)))
    headers = {"authorization": f"Bearer {secret}", "x-request-id": "r-17"}
    assert service.post("/v1/feedback", json=body(), headers=headers).status_code == 200
    again = service.post("/v1/feedback", json=body(), headers=headers | {"x-request-id": "r-18"})
    assert again.json()["repeated"]
    (stored,) = service.scorer.stored.values()
    assert (stored.client, stored.request_id) == ("crm", "r-17")


def test_a_call_without_a_key_has_no_client(service: Service) -> None:
    answer = service.post("/v1/feedback", json=body()).json()
    (stored,) = service.scorer.stored.values()
    assert (stored.client, stored.request_id) == ("", answer["request_id"])


@pytest.mark.parametrize("field", ["amount", "quantity"])
@pytest.mark.parametrize("value", [1e308, -1.1e15])
def test_an_impossible_value_is_refused(service: Service, field: str, value: float) -> None:
    answer = service.post("/v1/feedback", json=body(**{field: value}))
    assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_request")
    (detail,) = error_of(answer)["details"]
    assert field in detail["where"]
    assert service.scorer.stored == {}


@pytest.mark.parametrize("value", ["1e999", "NaN", "-Infinity"])
def test_a_number_that_is_not_finite_is_no_json(service: Service, value: str) -> None:
    text = json.dumps(body(amount=7.0)).replace("7.0", value)
    answer = service.post_text("/v1/feedback", text)
    assert (answer.status_code, error_of(answer)["code"]) == (400, "malformed_json")
    assert service.scorer.stored == {}


def test_a_key_reused_with_different_content_is_a_conflict(service: Service) -> None:
    service.post("/v1/feedback", json=body())
    answer = service.post("/v1/feedback", json=body(kind="cancel"))
    assert (answer.status_code, error_of(answer)["code"]) == (409, "key_reused")


def test_unknown_customers_are_stored_and_listed(service: Service) -> None:
    answer = service.post("/v1/feedback", json=body(customer_id="new-1")).json()
    assert (answer["accepted"], answer["unknown_customers"]) == (1, ["new-1"])


def test_future_outcomes_are_stored_with_a_warning(service: Service) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    answer = service.post("/v1/feedback", json=body(occurred_at=tomorrow)).json()
    assert (answer["accepted"], len(answer["warnings"])) == (1, 1)


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": ""},
        {"kind": None},
        {"amount": "12"},
        {"occurred_at": "2025-06-12"},
        {"known_at": "2025-06-12T09:00:00Z"},
        {"customer_id": 7},
    ],
)
def test_an_invalid_outcome_is_refused(service: Service, changes: dict[str, Any]) -> None:
    answer = service.post("/v1/feedback", json=body(**changes))
    assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_request")
    assert service.scorer.stored == {}


def test_feedback_that_cannot_be_stored_is_an_error(service: Service) -> None:
    with mock.patch.object(service.scorer, "store_feedback", side_effect=OSError(28, "disk full")):
        answer = service.post("/v1/feedback", json=body())
    assert (answer.status_code, error_of(answer)["code"]) == (503, "not_stored")
    assert answer.headers["retry-after"]
