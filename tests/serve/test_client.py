"""The client over HTTP: requests are accepted, answers have the declared types."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import get_type_hints

import pytest
from pydantic import TypeAdapter

from insight.evaluation.evaluation_schema import CustomerStatus
from serve import client as ours
from serve.client import Client, ServiceError
from serve.handlers.customers import CustomerAnswer
from serve.handlers.feedback import OutcomeRow
from serve.schemas.score_schemas import CustomerScore, ScoreReason


@pytest.fixture(scope="module")
def goodwill(http_url: str) -> Iterator[Client]:
    with Client(http_url) as made:
        yield made


@pytest.mark.parametrize(
    ("typed", "model"),
    [
        (ours.Reason, ScoreReason),
        (ours.Score, CustomerScore),
        (ours.Customer, CustomerAnswer),
        (ours.EvaluatedStatus, CustomerStatus),
        (ours.Outcome, OutcomeRow),
    ],
)
def test_the_types_match_the_schemas_of_the_service(typed: type, model: type) -> None:
    assert set(get_type_hints(typed)) == set(TypeAdapter(model).json_schema()["properties"])


def test_many_customers_take_several_calls(goodwill: Client) -> None:
    ids = [f"C-{n}" for n in range(1500)] + ["nobody", "C-1"]
    scores = goodwill.scores(ids, targets=["churn"], reasons=1)
    assert [score["customer_id"] for score in scores] == ids[:1500]
    assert scores[5]["predictions"]["churn"]["probability"] == 5 / 97.3


def test_a_stream_has_one_line_per_customer(goodwill: Client) -> None:
    lines = list(goodwill.stream((f"C-{n}" for n in range(1990, 2010)), targets=["value"]))
    assert [line["line"] for line in lines] == list(range(1, 21))
    assert sum("error" in line for line in lines) == 10


def test_one_customer_and_what_ifs(goodwill: Client) -> None:
    assert goodwill.find("C-199", limit=2) == ["C-199", "C-1990"]
    assert goodwill.customer("C-7", "zh")["customer_id"] == "C-7"
    assert goodwill.what_if("C-7", "churn", goal=10.0)["reached"] is True
    assert goodwill.what_if("C-7", "churn", levers={"reply time": 12.0})["goal"] is None


def test_customer_status_indicators_and_segments(goodwill: Client) -> None:
    customer = goodwill.customer("C-7")
    assert (customer["tier"], customer["stars"]) == ("B", 3)
    assert customer["migration"]
    assert customer["migration"]["from"] == "C"
    (csat,) = goodwill.indicators("csat", by="region")["indicators"]
    assert [cell["group"] for cell in csat["cells"]] == ["north", "south"]
    assert len(goodwill.indicators()["indicators"]) == 2
    assert [s["name"] for s in goodwill.segments("tier")["segments"]] == ["A", "B", "C"]
    assert len(goodwill.segments()["segments"]) == 4


def test_the_call_list(goodwill: Client) -> None:
    first = goodwill.calls(limit=1, region="south")["calls"][0]
    assert (first["customer_id"], first["region"]) == ("C-193", "south")
    following = goodwill.calls(limit=1, region="south", after="C-193")["calls"][0]
    assert following["customer_id"] == "C-191"
    assert [c["customer_id"] for c in goodwill.calls("churn_change")["calls"]] == ["C-20", "C-30"]


def test_models_and_feedback(goodwill: Client) -> None:
    assert [model["target"] for model in goodwill.models()] == ["churn", "value"]
    assert goodwill.model("churn")["card"] == "# Card"
    answer = goodwill.feedback(
        "k", [{"customer_id": "C-1", "occurred_at": "2025-06-12T09:00:00Z", "kind": "order"}]
    )
    assert answer["accepted"] == 1


def test_records_are_scored(goodwill: Client) -> None:
    records = {"customers": [{"customer_id": "new"}]}
    assert [s["customer_id"] for s in goodwill.score_records(records)] == ["new"]


@pytest.mark.parametrize("customer", ["no body", "a/b", "../models", "%2e", "é"])
def test_an_error_has_its_status_and_request_id(goodwill: Client, customer: str) -> None:
    with pytest.raises(ServiceError) as refused:
        goodwill.customer(customer)
    assert refused.value.status == 404
    assert refused.value.request_id in str(refused.value)


def test_a_call_is_repeated_while_the_service_is_busy() -> None:
    calls: list[str] = []

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            calls.append(self.path)
            self.send_response(429 if len(calls) < 3 else 200)
            self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(b'{"models": []}')

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with Client(f"http://127.0.0.1:{server.server_port}") as goodwill:
            assert goodwill.models() == []
        assert len(calls) == 3
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
