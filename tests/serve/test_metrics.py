"""Labels stay few whatever is asked, and the numbers count what happened."""

import re

from service_in_process import Service


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
    service.upkeep.scorer = None
    text = service.get("/metrics").text
    assert sample(text, "goodwill_ready") == 0
    assert "goodwill_feature_age_seconds" not in text
