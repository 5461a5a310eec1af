"""The call list over HTTP: order, filters, pages, next steps and changes since a month ago."""

from datetime import timedelta

import pytest

from serve.handlers.calls import CallsAnswer
from support.call_lists import MONTH_BEFORE
from support.fake_scorer import AS_OF
from support.service_in_process import Service, error_of


def calls(service: Service, query: str = "") -> CallsAnswer:
    return CallsAnswer.model_validate_json(service.get(f"/v1/calls?{query}").text)


def test_the_most_revenue_at_risk_comes_first(service: Service) -> None:
    found = calls(service, "limit=2")
    first = found.calls[0]
    assert [c.customer_id for c in found.calls] == ["C-193", "C-192"]
    assert first.value is not None
    assert first.churn is not None
    assert first.amount == first.value * first.churn
    assert (first.owner, first.region, first.tier, first.stage) == ("S-2", "south", "B", "at_risk")
    assert first.next_step is not None
    assert (first.next_step.manager, first.next_step.within_hours) == ("shared", 8.0)
    assert first.reason == "Meaning."
    assert first.dissatisfied is None  # no model predicts it
    assert (found.by, found.horizons) == ("value_churn", {"churn": 90, "value": 90})
    assert (found.total, found.more, found.as_of, found.warnings) == (190, True, AS_OF, [])


def test_filters_combine_and_count(service: Service) -> None:
    found = calls(service, "owner=S-1&region=south&tier=A&stage=at_risk&limit=100")
    assert found.calls
    assert {(c.owner, c.region, c.tier) for c in found.calls} == {("S-1", "south", "A")}
    assert found.total == len(found.calls)
    assert not found.more


def test_a_value_that_no_customer_has_gives_an_empty_list(service: Service) -> None:
    found = calls(service, "region=atlantis")
    assert (found.calls, found.total, found.more) == ([], 0, False)


def test_a_list_continues_after_its_last_customer(service: Service) -> None:
    whole = [c.customer_id for c in calls(service, "region=south&limit=100").calls]
    first = calls(service, "region=south&limit=60")
    rest = calls(service, f"region=south&limit=60&after={first.calls[-1].customer_id}")
    assert [c.customer_id for c in [*first.calls, *rest.calls]] == whole
    assert (first.more, rest.more, first.total, rest.total) == (True, False, 95, 95)


@pytest.mark.parametrize("after", ["C-3", "nobody", "<b>"])
def test_after_a_customer_who_is_not_on_the_list(service: Service, after: str) -> None:
    answer = service.get("/v1/calls", params={"after": after})
    assert (answer.status_code, error_of(answer)["code"]) == (404, "unknown_customer")
    assert "<b>" not in answer.text


def test_groups_of_all_current_customers(service: Service) -> None:
    found = calls(service, "limit=0&tier=A")
    assert found.calls == []
    assert found.attributes == {"owner": "account_owner", "region": "region"}
    assert [(g.name, g.customers) for g in found.groups["owner"]] == [
        ("S-1", 63), ("S-2", 64), ("S-3", 63),
    ]  # fmt: skip
    assert sum(g.customers for g in found.groups["stage"]) == 190
    assert all(g.amount and g.churn for g in found.groups["region"])


def test_customers_whose_probability_of_churn_moved(service: Service) -> None:
    found = calls(service, "order=churn_change")
    assert (found.compared_with, found.new_models) == (MONTH_BEFORE, [])
    moves = [(c.customer_id, c.churn, c.churn_before) for c in found.calls]
    assert [customer for customer, _, _ in moves] == ["C-20", "C-30"]
    assert [now - before for _, now, before in moves if now and before] == pytest.approx(
        [0.2, -0.1]
    )
    assert calls(service, "order=churn_change&region=north").total == 2


def test_customers_whose_value_segment_moved(service: Service) -> None:
    found = calls(service, "order=value_change&limit=100")
    assert found.total == 10
    assert {(c.segment_before, c.segment) for c in found.calls} == {("middle", "low")}
    assert found.calls[0].customer_id == "C-190"  # from 600 to 209, the largest change


def test_before_the_first_scoring_the_error_names_the_command(service: Service) -> None:
    service.scorer.has_scores = False
    answer = service.get("/v1/calls")
    assert (answer.status_code, error_of(answer)["code"]) == (503, "not_ready")
    assert error_of(answer)["details"][0]["problem"].endswith("run `goodwill score`")


def test_a_list_of_another_date_than_the_features_gives_a_warning(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = service.scorer.call_table()
    monkeypatch.setattr("support.fake_scorer.AS_OF", AS_OF + timedelta(days=31))
    monkeypatch.setattr(service.scorer, "call_table", lambda: table)
    (warning,) = calls(service).warnings
    assert warning == (
        "the call list is as of 2025-06-30, the features are as of 2025-07-31; run `goodwill score`"
    )


@pytest.mark.parametrize(
    ("query", "where"),
    [("limit=101", "query.limit"), ("order=name", "query.order"), ("ower=x", "query.*"),
     (f"owner={'x' * 1001}", "query.owner")],
)  # fmt: skip
def test_an_invalid_parameter_is_named(service: Service, query: str, where: str) -> None:
    answer = service.get(f"/v1/calls?{query}")
    assert answer.status_code == 422
    assert [detail["where"] for detail in error_of(answer)["details"]] == [where]
