"""Request ids, error answers and log lines of the middleware."""

import json
import logging
import math
import os
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve.http.middleware import json_response
from support.captured_log import log_lines
from support.service_in_process import Service

CANARY = "Erika Mustermann +49 170 5550123"


@pytest.mark.parametrize("sane", ["abc", "A-1_b.c", "x" * 64])
def test_a_plain_request_id_is_kept(service: Service, sane: str) -> None:
    answer = service.get("/livez", headers={"x-request-id": sane})
    assert answer.headers["x-request-id"] == sane


@pytest.mark.parametrize("odd", ["", "x" * 65, "a b", "a\tb", "<script>", "ä".encode(), "a;b"])
def test_any_other_request_id_is_replaced(service: Service, odd: Any) -> None:
    answer = service.get("/livez", headers={"x-request-id": odd})
    assert len(answer.headers["x-request-id"]) == 32


def test_an_unexpected_error_is_500_with_our_error_answer(
    service: Service, refused: Any, caplog: pytest.LogCaptureFixture
) -> None:
    service.scorer.fail = RuntimeError(CANARY)
    answer = service.post("/v1/scores", json={"customer_ids": [CANARY]})
    assert answer.status_code == 500
    error = refused(answer)
    assert error["code"] == "unexpected"
    (line,) = log_lines(caplog)
    assert CANARY not in answer.text + caplog.text + str(line)
    assert line["exception"] == "RuntimeError"
    assert "fake_scorer.py" in line["frames"][-1]
    assert line["request_id"] == error["request_id"]


def test_a_scoring_call_logs_one_line_without_values(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "goodwill")
    service.post("/v1/scores", json={"customer_ids": ["C-1", CANARY], "targets": ["churn"]})
    service.get("/livez")
    (line,) = log_lines(caplog)
    assert line.pop("ms") >= 0
    assert len(line.pop("request_id")) == 32
    assert datetime.fromisoformat(line.pop("at")).utcoffset() == timedelta(0)
    assert line == {
        "level": "info",
        "logger": "goodwill.serve",
        "process": os.getpid(),
        "message": "call answered",
        "method": "POST",
        "route": "/v1/scores",
        "status": 200,
        "customers": 1,
        "versions": {"churn": "7"},
    }


def test_a_path_is_never_logged(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "goodwill")
    service.get("/v1/customers/5550123")
    service.get("/5550123?x=5550123")
    assert len(caplog.records) == 2
    assert "5550123" not in caplog.text + str(log_lines(caplog))


@given(st.floats())
@settings(max_examples=300, deadline=None)
def test_floats_are_exact_and_never_bare_nan(number: float) -> None:
    read = json.loads(bytes(json_response([number]).body), parse_constant=pytest.fail)
    assert read == [number if math.isfinite(number) else None]
