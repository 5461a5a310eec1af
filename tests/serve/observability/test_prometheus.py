"""Metrics have few labels whatever the requests, and correct counts."""

import asyncio
import random
import re

import httpx
import pytest

from serve.observability.prometheus import Metrics
from serve.scoring.reload_loop import ScorerLoader
from serve.scoring.scorer import ScoreBatch
from support.fake_scorer import AS_OF, FakeScorer
from support.service_in_process import Service


def sample(text: str, name: str) -> float:
    found = re.search(rf"^{re.escape(name)} (\S+)$", text, re.MULTILINE)
    assert found, f"no {name} in the metrics"
    return float(found.group(1))


def test_scored_and_unknown_customers_are_counted(service: Service) -> None:
    service.post("/v1/scores", json={"customer_ids": ["C-1", "C-2", "no"], "targets": ["churn"]})
    text = service.get("/metrics").text
    assert sample(text, 'goodwill_scored_customers_total{target="churn"}') == 2
    assert sample(text, "goodwill_unknown_customers_total") == 1
    labels = '{method="POST",route="/v1/scores",status="200"}'
    assert sample(text, "goodwill_requests_total" + labels) == 1
    assert sample(text, 'goodwill_request_seconds_count{route="/v1/scores"}') == 1


def test_the_state_of_the_service_is_shown(service: Service) -> None:
    text = service.get("/metrics").text
    assert sample(text, "goodwill_ready") == 1
    assert sample(text, "goodwill_feature_age_seconds") > 0
    info = 'goodwill_model_info{company="testing",grade="A",target="churn",version="7"}'
    assert sample(text, info) == 1


def test_random_paths_and_methods_add_nothing(service: Service) -> None:
    for number in range(50):
        service.call(f"M{number}", f"/path/{number}")
        service.get(f"/v1/customers/nobody-{number}")
    text = service.get("/metrics").text
    assert "path/" not in text
    assert "nobody" not in text
    labels = '{method="OTHER",route="unmatched",status="404"}'
    assert sample(text, "goodwill_requests_total" + labels) == 50
    assert len(text) < 64_000


def test_without_a_scorer_the_page_still_works(service: Service) -> None:
    service.loader.scorer = None
    text = service.get("/metrics").text
    assert sample(text, "goodwill_ready") == 0
    assert "goodwill_feature_age_seconds" not in text


@pytest.mark.slow
def test_three_thousand_random_paths_keep_the_page_small(service: Service) -> None:
    draw = random.Random(4)

    async def wander() -> None:
        transport = httpx.ASGITransport(app=service.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://testing") as client:
            for _ in range(3000):
                path = "".join(draw.choices("abcdefgh/._-0123456789", k=draw.randint(1, 60)))
                method = draw.choice(["GET", "POST", "BREW", "".join(draw.choices("ABCDEF", k=8))])
                await client.request(method, "/" + path.lstrip("/"))

    asyncio.run(wander())
    service.post("/v1/scores", json={"customer_ids": [f"C-{n}" for n in range(1000)]})
    text = service.get("/metrics").text
    assert len(text) < 64_000
    assert len(re.findall(r"^goodwill_requests_total", text, re.MULTILINE)) < 30


def test_scores_are_counted_by_band(service: Service) -> None:
    ids = ["C-0", "C-1", "C-48", "C-50"]  # probabilities 0, 0.01, 0.49 and 0.51
    service.post("/v1/scores", json={"customer_ids": ids, "targets": ["churn"]})
    text = service.get("/metrics").text
    name = 'goodwill_scores_total{{band="{}",target="churn"}}'
    assert sample(text, name.format("0 to 0.1")) == 2
    assert sample(text, name.format("0.4 to 0.5")) == 1
    assert sample(text, name.format("0.5 to 0.6")) == 1
    assert sample(text, 'goodwill_scored_customers_total{target="churn"}') == 4


def test_invalid_rows_are_counted_by_rule(service: Service) -> None:
    sent = "2025-01-01T00:00:00Z"
    events = [
        {"customer_id": "a", "occurred_at": sent, "kind": "order", "amount": "12"},
        {"customer_id": "a", "occurred_at": sent, "kind": "order", "amount": True, "quantity": "x"},
        {"customer_id": "a", "occurred_at": "noon, 5550123", "kind": "order"},
        {"customer_id": "a", "occurred_at": sent, "kind": "order", "5550123": 1},
    ]
    records = {"customers": [{"customer_id": "a"}], "events": events}
    answer = service.post("/v1/scores/records", json={"records": records})
    assert answer.status_code == 422
    text = service.get("/metrics").text
    name = 'goodwill_rejected_rows_total{{route="/v1/scores/records",rule="{}"}}'
    assert sample(text, name.format("float_type")) == 2
    assert sample(text, name.format("instant")) == 1
    assert sample(text, name.format("extra_forbidden")) == 1
    assert "5550123" not in text


def test_models_and_missing_parts_are_shown(service: Service) -> None:
    text = service.get("/metrics").text
    assert sample(text, 'goodwill_part_ready{part="churn"}') == 1
    assert sample(text, 'goodwill_part_ready{part="nps"}') == 0
    assert sample(text, 'goodwill_snapshot_unseen_customers{target="churn"}') == 3
    trained = sample(text, 'goodwill_model_trained_timestamp_seconds{target="churn"}')
    assert trained == AS_OF.timestamp()


def test_reloads_and_refusals_are_counted() -> None:
    scorer = FakeScorer()
    loader = ScorerLoader(lambda: scorer)
    metrics = Metrics(loader)
    loader.refresh()
    scorer.refresh = lambda: {"churn": "loaded", "value": "kept"}  # type: ignore[method-assign]
    loader.refresh()
    loader.refresh()
    metrics.count_refusal("too_many")
    text = metrics.exposition().decode()
    name = 'goodwill_reloads_total{{part="{}",result="{}"}}'
    assert sample(text, name.format("service", "loaded")) == 1
    assert sample(text, name.format("churn", "loaded")) == 2
    assert sample(text, name.format("value", "kept")) == 2
    scorer.refresh = lambda: 1 / 0  # type: ignore[method-assign, assignment, return-value]
    loader.refresh()
    text = metrics.exposition().decode()
    assert sample(text, name.format("service", "kept")) == 1
    assert sample(text, 'goodwill_refusals_total{code="too_many"}') == 1


def test_a_loader_that_fails_is_counted() -> None:
    def broken() -> FakeScorer:
        raise ValueError("5550123")

    loader = ScorerLoader(broken)
    metrics = Metrics(loader)
    loader.refresh()
    text = metrics.exposition().decode()
    assert sample(text, 'goodwill_reloads_total{part="service",result="failed"}') == 1
    assert "5550123" not in text


def test_categories_that_a_model_does_not_know_are_counted_by_target() -> None:
    metrics = Metrics(ScorerLoader(FakeScorer))
    batch = ScoreBatch(
        AS_OF, [], [], {"churn": "7", "value": "7"}, unknown_categories={"churn": 2, "value": 0}
    )
    metrics.count_scores(batch)
    metrics.count_scores(batch)
    text = metrics.exposition().decode()
    assert sample(text, 'goodwill_unseen_categories_total{target="churn"}') == 4
    assert sample(text, 'goodwill_unseen_categories_total{target="value"}') == 0


def test_invalid_lines_of_a_stream_are_counted(service: Service) -> None:
    lines = b'{"customer_id": "C-1"}\n{"customer_id": 5}\n{"customer"\n'
    answer = service.post(
        "/v1/scores/stream", content=lines, headers={"content-type": "application/x-ndjson"}
    )
    assert answer.status_code == 200
    text = service.get("/metrics").text
    name = 'goodwill_rejected_rows_total{{route="/v1/scores/stream",rule="{}"}}'
    assert sample(text, name.format("string_type")) == 1
    assert sample(text, name.format("malformed_json")) == 1
