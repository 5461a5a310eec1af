"""Customers of the snapshot: search by id, and everything about one customer."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field, create_model
from starlette.responses import Response
from starlette.types import Receive, Scope

from insight.evaluation.evaluation_schema import CustomerStatus
from models.scoring.score_history import PastScore
from models.targets.registry import TARGETS
from serve.app_state import AppState
from serve.errors import UnknownCustomer
from serve.http.freshness import describe_freshness, refuse_stale_snapshot
from serve.http.middleware import Call, json_response
from serve.http.request_parsing import parse_query
from serve.schemas.record_schemas import ID_LENGTH
from serve.schemas.score_schemas import (
    AS_OF,
    DEFAULT_REASONS,
    SCORE,
    Language,
    Predictions,
    ScoreReason,
    schema_config,
)
from serve.schemas.what_if_schemas import LEVER, LeverRange
from serve.scoring.evaluation_cache import date_mismatch_warnings
from serve.scoring.scorer import ScoreBatch, Scorer

MOST_FOUND = 100
_PAST_SCORE = {
    "as_of": "2025-05-31T00:00:00Z",
    **dict.fromkeys(TARGETS),
    "satisfaction": 71.2,
    "nps": 12.0,
    "churn": 0.26,
    "value": 4180.0,
    "versions": {"churn": "3"},
}
_STATUS = {
    "tier": "A",
    "stars": 5,
    "stage": "active",
    "service_level": "priority",
    "next_step": {"manager": "dedicated", "within_hours": 2.0},
    "value_score": {"value": 78.2, "low": 71.4, "high": 83.9},
    "group": "frequent, loyal",
    "quadrant": "keep",
    "migration": {
        "from": "B",
        "to": "A",
        "since": "2025-04-30T00:00:00Z",
        "cause": "contribution",
    },
}


class FindQuery(BaseModel):
    """The search for customers."""

    model_config = schema_config({"prefix": "C-10"})

    prefix: str = Field("", max_length=ID_LENGTH, description="Start of the id.")
    limit: int = Field(20, ge=1, le=MOST_FOUND, description="Maximum number of ids.")


class FoundCustomers(BaseModel):
    """Ids, sorted; `more`: there are further ids with this start."""

    model_config = schema_config(
        {"request_id": "7f1c2a", "customers": ["C-1001", "C-1002"], "more": True}
    )

    request_id: str
    customers: list[str]
    more: bool


class CustomerQuery(BaseModel):
    """The options for one customer."""

    model_config = schema_config({"language": "zh"})

    language: Language = "en"


PastScoreAnswer: type[BaseModel] = create_model(
    "PastScoreAnswer",
    __config__=schema_config(_PAST_SCORE),
    __doc__="The scores of an earlier run; null where there was no model.\n\n"
    "NPS is promoters minus detractors, -100 to 100; churn a probability.",
    as_of=(datetime, ...),
    **dict.fromkeys(TARGETS, (float | None, ...)),  # type: ignore[call-overload]
    versions=(dict[str, str], ...),
)


class CustomerAnswer(CustomerStatus):
    """One customer: predictions, reasons, value segment, earlier scores, customer status, levers."""

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "as_of": AS_OF,
            "feature_age_seconds": 5400.0,
            "warnings": [],
            "model_versions": {"churn": "3"},
            **SCORE,
            "owner": "S-21",
            "region": "north",
            "segment": "middle",
            "history": [_PAST_SCORE],
            "levers": [LEVER],
            "standing_as_of": AS_OF,
            **_STATUS,
        }
    )

    request_id: str
    as_of: datetime
    feature_age_seconds: float
    warnings: list[str]
    model_versions: dict[str, str]
    customer_id: str
    predictions: Predictions
    reasons: dict[str, list[ScoreReason]]
    owner: Annotated[
        str | None, Field(description="Who looks after the customer; null where no record says so.")
    ]
    region: str | None
    segment: Annotated[
        str | None, Field(description="Value segment; null without a model of value.")
    ]
    history: list[PastScoreAnswer]  # type: ignore[valid-type]
    levers: list[LeverRange]
    standing_as_of: Annotated[
        datetime | None,
        Field(
            description="Date of tier, stars and other status fields; null without an evaluation."
        ),
    ]


async def find_customers(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Find customers by the start of their id.

    Sorted by id; made for a search box.
    """
    query = parse_query(FindQuery, scope)
    found = state.loader.ready_scorer().find_customers(query.prefix, query.limit + 1)
    shown, more = found[: query.limit], len(found) > query.limit
    return json_response({"request_id": call.request_id, "customers": shown, "more": more})


async def show_customer(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show one customer.

    All targets with three reasons each, the value segment, earlier scores, the levers of the company
    for this customer, and the customer status of the last evaluation.
    """
    customer_id: str = scope["path_params"]["id"]
    query = parse_query(CustomerQuery, scope)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    if len(customer_id) > ID_LENGTH:
        raise UnknownCustomer("the snapshot does not hold this customer")
    describe = partial(_describe_customer, scorer, customer_id, query.language)
    answer = await state.run(describe, in_thread=True)
    if answer is None:
        raise UnknownCustomer("the snapshot does not hold this customer")
    batch, customer = answer
    state.record_scores(call, batch)
    age = describe_freshness(batch, scorer.limits)
    evaluated = batch.evaluated or scorer.evaluated()
    since = evaluated.statuses.as_of if evaluated.statuses else None
    if since:
        age["warnings"] += date_mismatch_warnings("tier, stars and stage are", since, batch.as_of)
    status = evaluated.status(customer_id).model_dump(by_alias=True)
    customer |= {"standing_as_of": since, **status}
    return json_response({"request_id": call.request_id, **age, **customer})


def _describe_customer(
    scorer: Scorer, customer_id: str, language: Any
) -> tuple[ScoreBatch, dict[str, Any]] | None:
    """Collect record, scores, history and levers; None when the snapshot does not hold the customer."""
    batch = scorer.score_ids([customer_id], None, DEFAULT_REASONS, language)
    if batch.unknown:
        return None
    score = asdict(batch.scores[0])
    segment = batch.scores[0].predictions.get("value", {}).get("segment")
    return batch, {
        "model_versions": batch.versions,
        **score,
        "owner": None,
        "region": None,
        **scorer.owner_and_region(customer_id),
        "segment": segment,
        "history": [_past_score(past) for past in scorer.score_history(customer_id)],
        "levers": [asdict(lever) for lever in scorer.levers(customer_id)],
    }


def _past_score(past: PastScore) -> dict[str, Any]:
    scores = {target: past.scores.get(target) for target in TARGETS}
    return {"as_of": past.as_of, **scores, "versions": past.versions}
