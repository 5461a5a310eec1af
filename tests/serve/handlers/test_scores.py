"""Scoring, what-if and health endpoints, with valid and invalid requests."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataRefused
from serve.schemas.score_schemas import HealthAnswer, RecordsRequest, ScoreAnswer
from serve.schemas.what_if_schemas import WhatIfResponse
from support.fake_scorer import AS_OF
from support.service_in_process import Service, error_of

RECORDS = RecordsRequest.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]


def scores(response: Any) -> ScoreAnswer:
    assert response.status_code == 200, response.text
    answer = ScoreAnswer.model_validate_json(response.text)
    assert answer.request_id == response.headers["x-request-id"]
    return answer


def test_customers_are_scored_by_id(service: Service) -> None:
    answer = scores(service.post("/v1/scores", json={"customer_ids": ["C-5", "nobody", "C-6"]}))
    assert [score.customer_id for score in answer.scores] == ["C-5", "C-6"]
    assert answer.unknown_customers == ["nobody"]
    assert answer.as_of == AS_OF
    assert answer.model_versions == {"churn": "7", "value": "7"}
    assert answer.scores[0].predictions["churn"]["probability"] == 5 / 97.3
    age = (datetime.now(UTC) - AS_OF).total_seconds()
    assert answer.feature_age_seconds == pytest.approx(age, abs=60)


def test_nan_becomes_null(service: Service) -> None:
    answer = service.post("/v1/scores", json={"customer_ids": ["C-13"]})
    assert '"expected":null' in answer.text


def test_a_repeated_id_is_scored_once(service: Service) -> None:
    answer = scores(service.post("/v1/scores", json={"customer_ids": ["C-1", "C-1", "no", "no"]}))
    assert len(answer.scores) == len(answer.unknown_customers) == 1


@pytest.mark.parametrize(("reasons", "count"), [(True, 3), (2, 2), (0, 0), (False, 0)])
def test_reasons_come_on_request(service: Service, reasons: object, count: int) -> None:
    body = {"customer_ids": ["C-1"], "targets": ["churn"], "reasons": reasons}
    answer = scores(service.post("/v1/scores", json=body))
    assert len(answer.scores[0].reasons.get("churn", [])) == count


def test_what_if_returns_the_prediction_of_the_model(service: Service) -> None:
    body = {"customer_id": "C-5", "target": "churn", "goal": 10.0, "language": "zh"}
    response = service.post("/v1/whatif", json=body)
    answer = WhatIfResponse.model_validate_json(response.text)
    assert (answer.customer_id, answer.target, answer.version) == ("C-5", "churn", "7")
    assert (answer.goal, answer.reached, answer.score_then, answer.text) == (10.0, True, 10.0, "zh")
    assert answer.moves[0].columns == {"reply_hours_90d": 4.0}
    assert answer.moves[0].start is None  # NaN
    assert answer.request_id == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"customer_id": "nobody", "target": "churn", "goal": 1.0}, 404, "unknown_customer"),
        ({"customer_id": "C-5", "target": "joy", "goal": 1.0}, 422, "invalid_request"),
        ({"customer_id": "C-5", "target": "nps", "goal": 1.0}, 503, "not_ready"),
        ({"customer_id": "C-5", "target": "churn"}, 422, "invalid_request"),
        ({"customer_id": "C-5", "target": "churn", "goal": "10"}, 422, "invalid_request"),
        ({"customer_id": "C-5", "target": "churn", "goal": 1, "language": "de"}, 422, "invalid_request"),
    ],
)  # fmt: skip
def test_what_if_errors(service: Service, body: dict[str, Any], status: int, code: str) -> None:
    answer = service.post("/v1/whatif", json=body)
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


def test_a_thousand_customers_in_one_call(service: Service) -> None:
    ids = [f"C-{n}" for n in range(1000)]
    answer = scores(service.post("/v1/scores", json={"customer_ids": ids}))
    assert [score.customer_id for score in answer.scores] == ids


def test_an_unknown_target_error_lists_the_known_ones(service: Service, refused: Any) -> None:
    answer = service.post("/v1/scores", json={"customer_ids": ["C-1"], "targets": ["chrun"]})
    assert answer.status_code == 422
    error = refused(answer)
    assert error["message"] == "known targets are churn, nps, value"
    assert error["details"] == [
        {"where": "targets[0]", "problem": "unknown target; did you mean churn?"}
    ]


def test_a_target_without_a_model_is_not_ready(service: Service, refused: Any) -> None:
    answer = service.post("/v1/scores", json={"customer_ids": ["C-1"], "targets": ["nps"]})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert refused(answer)["details"] == [{"where": "nps", "problem": "no champion yet"}]


def test_rows_are_scored(service: Service) -> None:
    answer = scores(service.post("/v1/scores/records", json=RECORDS))
    assert [score.customer_id for score in answer.scores] == ["C-1001"]
    assert list(answer.model_versions) == ["churn"]


def test_rows_the_scorer_refuses_are_422_without_values(service: Service, refused: Any) -> None:
    service.scorer.fail = DataRefused("attribute size has the value 5550123")
    answer = service.post("/v1/scores/records", json=RECORDS)
    assert answer.status_code == 422
    assert refused(answer)["code"] == "invalid_request"
    assert "5550123" not in answer.text


def test_health_with_models(service: Service) -> None:
    for path in ("/livez", "/readyz"):
        HealthAnswer.model_validate_json(service.get(path).text)


def test_without_a_scorer_the_service_is_alive_but_not_ready(
    service: Service, refused: Any
) -> None:
    service.loader.scorer = None
    assert service.get("/livez").status_code == 200
    for answer in (
        service.get("/readyz"),
        service.get("/v1/models"),
        service.get("/v1/customers/C-1"),
        service.post("/v1/scores", json={"customer_ids": ["C-1"]}),
        service.post("/v1/scores/records", json=RECORDS),
    ):
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
        assert refused(answer)["code"] == "not_ready"


def test_invalid_bodies_get_an_error_answer(service: Service, refused: Any) -> None:
    for path in ("/v1/scores", "/v1/scores/records"):
        for body in (b"", b"{", b"[NaN]", b'{"a":1,"a":2}', b"\xff", b"[" * 99999, b'["\\ud800"]'):
            answer = service.post_text(path, body)
            assert answer.status_code == 400
            assert refused(answer)["code"] == "malformed_json"
        for body in (b"null", b"[]", b"3", b"{}", b'"x"', b'{"customer_ids": [12]}'):
            answer = service.post_text(path, body)
            assert answer.status_code == 422
            assert refused(answer)["code"] == "invalid_request"
        assert service.post(path, content=b"{}").status_code == 415
        assert service.post_text(path, b" " * (10 * 2**20 + 1)).status_code == 413


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(
            ["customer_ids", "targets", "reasons", "records", "customers", "events", "customer_id",
             "occurred_at", "as_of", "kind"]
        )
        | st.text(max_size=8), inner, max_size=5,
    ),
    max_leaves=25,
)  # fmt: skip


@given(path=st.sampled_from(["/v1/scores", "/v1/scores/records"]), value=VALUES)
@settings(max_examples=200, deadline=None)
def test_random_json_never_breaks_the_service(
    shared_service: Service, path: str, value: object
) -> None:
    answer = shared_service.post_text(path, json.dumps(value))
    assert answer.status_code in (200, 400, 422)
    if answer.status_code != 200:
        error_of(answer)


@given(
    ids=st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=30), min_size=1),
    reasons=st.integers(0, 10) | st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_valid_requests_are_answered_for_each_id(
    shared_service: Service, ids: list[str], reasons: object
) -> None:
    body = {"customer_ids": ids, "reasons": reasons}
    answer = scores(shared_service.post("/v1/scores", json=body))
    answered = {score.customer_id for score in answer.scores} | set(answer.unknown_customers)
    assert answered == set(ids)
