"""Customer search and the details of one customer."""

from datetime import timedelta
from typing import Any

import pytest

from features.config.company import ServingSettings
from serve.handlers.customers import CustomerAnswer, FoundCustomers
from support.fake_scorer import AS_OF
from support.service_in_process import Service, error_of


def test_customers_are_found_by_the_start_of_their_id(service: Service) -> None:
    answer = service.get("/v1/customers", params={"prefix": "C-19", "limit": 3})
    found = FoundCustomers.model_validate_json(answer.text)
    assert found.customers == ["C-19", "C-190", "C-1900"]
    assert found.more


def test_the_last_page_has_no_more(service: Service) -> None:
    answer = service.get("/v1/customers?prefix=C-1999")
    assert answer.json()["customers"] == ["C-1999"]
    assert answer.json()["more"] is False
    assert service.get("/v1/customers?prefix=%22%3Cb%3E").json()["customers"] == []


@pytest.mark.parametrize(
    ("query", "where"),
    [
        ("limit=0", "query.limit"),
        ("limit=101", "query.limit"),
        ("limit=ten", "query.limit"),
        ("perfix=C", "query.*"),
        (f"prefix={'x' * 201}", "query.prefix"),
    ],
)
def test_an_invalid_parameter_is_named(service: Service, query: str, where: str) -> None:
    answer = service.get(f"/v1/customers?{query}")
    assert answer.status_code == 422
    assert [detail["where"] for detail in error_of(answer)["details"]] == [where]


@pytest.mark.parametrize("query", ["prefix=a&prefix=b", "prefix=%ff", f"prefix={'x' * 5000}"])
def test_a_broken_query_is_refused(service: Service, query: str) -> None:
    answer = service.get(f"/v1/customers?{query}")
    assert (answer.status_code, error_of(answer)["code"]) == (422, "invalid_request")


def test_one_customer_has_all_details(service: Service) -> None:
    answer = service.get("/v1/customers/C-7?language=zh")
    made = CustomerAnswer.model_validate_json(answer.text)
    assert made.customer_id == "C-7"
    assert (made.owner, made.region) == ("S-21", "North China")
    assert made.predictions["churn"]["probability"] == 7 / 97.3
    assert {len(reasons) for reasons in made.reasons.values()} == {3}
    assert [past.churn for past in made.history] == [0.2]
    assert made.history[0].value is None
    assert made.history[0].nps is None
    assert made.levers[0].lever == "reply time"
    assert made.warnings == []
    assert made.as_of == AS_OF


def test_the_customer_status_has_its_date(service: Service) -> None:
    made = CustomerAnswer.model_validate_json(service.get("/v1/customers/C-7").text)
    assert (made.tier, made.stars, made.stage, made.service_level) == ("B", 3, "at_risk", "plus")
    assert (made.group, made.quadrant) == (None, "secure")
    assert made.value_score is not None
    assert made.value_score.low == 7 / 11.7
    assert made.migration is not None
    assert (made.migration.from_, made.migration.to) == ("C", "B")
    assert made.standing_as_of == AS_OF
    new = CustomerAnswer.model_validate_json(service.get("/v1/customers/C-1500").text)
    assert (new.tier, new.stars, new.value_score, new.migration) == (None,) * 4
    assert new.standing_as_of == AS_OF
    assert new.warnings == []


def test_an_evaluation_of_another_date_than_the_features_gives_a_warning(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("support.fake_scorer.AS_OF", AS_OF + timedelta(days=31))
    for path, what in (
        ("/v1/customers/C-7", "tier, stars and stage are"),
        ("/v1/indicators", "the evaluation is"),
        ("/v1/segments", "the evaluation is"),
    ):
        (warning,) = service.get(path).json()["warnings"]
        assert f"{what} as of 2025-06-30, the features are as of 2025-07-31; run" in warning


@pytest.mark.parametrize("path", ["nobody", "x" * 5000, "%00", "%F0%9F%98%80", "%ED%A0%80", "'"])
def test_an_unknown_customer_is_404(service: Service, path: str) -> None:
    answer = service.get(f"/v1/customers/{path}")
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "unknown_customer"


def calls(service: Service) -> list[Any]:
    """All calls that use the snapshot."""
    return [
        service.get("/v1/customers/C-7"),
        service.post("/v1/scores", json={"customer_ids": ["C-7"]}),
        service.post("/v1/whatif", json={"customer_id": "C-7", "target": "churn", "goal": 1.0}),
        service.post(
            "/v1/scores/stream",
            content=b'{"customer_id": "C-7"}',
            headers={"content-type": "application/x-ndjson"},
        ),
    ]


def test_old_features_carry_a_warning(service: Service) -> None:
    service.scorer.limits = ServingSettings(warn_after_hours=24)
    warnings = service.get("/v1/customers/C-7").json()["warnings"]
    assert len(warnings) == 1
    assert "limit is 24 hours" in warnings[0]


def test_features_older_than_the_second_limit_are_refused(service: Service) -> None:
    service.scorer.limits = ServingSettings(
        refuse_after_hours=timedelta(days=3) / timedelta(hours=1)
    )
    for answer in calls(service):
        assert (answer.status_code, error_of(answer)["code"]) == (503, "stale_features")
        assert answer.headers["retry-after"]


def test_features_within_the_limit_are_used(service: Service) -> None:
    service.scorer.limits = ServingSettings(refuse_after_hours=10_000_000)
    assert [answer.status_code for answer in calls(service)] == [200] * 4
