"""Customers of the snapshot: found by the beginning of their id, and one of them with everything."""

from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope

from models.scoring.score_history import PastScore as History
from models.targets.registry import TARGETS
from serve.app_state import AppState
from serve.errors import UnknownCustomer
from serve.http.freshness import describe_freshness, refuse_stale_snapshot
from serve.http.middleware import Call, json_response
from serve.http.request_parsing import parse_query
from serve.schemas.examples import PAST_SCORE, STANDING
from serve.schemas.what_if_schemas import LEVER
from serve.schemas.score_schemas import SCORE
from serve.schemas.score_schemas import AS_OF
from serve.schemas.record_schemas import ID_LENGTH
from serve.schemas.score_schemas import USUAL_REASONS, Language, Predictions, ReasonAnswer, schema_config
from insight.evaluation.evaluation_schema import CustomerStatus
from serve.scoring.evaluation_cache import date_mismatch_warnings
from serve.scoring.scorer import ScoreBatch, Scorer

MOST_FOUND = 100


class FindQuery(BaseModel):
    """Which customers to look for."""

    model_config = schema_config({"prefix": "C-10"})

    prefix: str = Field("", max_length=ID_LENGTH, description="How the id begins.")
    limit: int = Field(20, ge=1, le=MOST_FOUND, description="Most ids to give.")


class FoundCustomers(BaseModel):
    """Ids in their order; `more` says that others begin alike."""

    model_config = schema_config({"request_id": "7f1c2a", "customers": ["C-1001", "C-1002"], "more": True})

    request_id: str
    customers: list[str]
    more: bool


class CustomerQuery(BaseModel):
    """How to tell of a customer."""

    model_config = schema_config({"language": "zh"})

    language: Language = "en"


class PastScore(BaseModel):
    """What was said at an earlier time; null where there was no model.

    NPS is promoters less detractors, -100 to 100; churn a probability.
    """

    model_config = schema_config(PAST_SCORE)

    as_of: datetime
    satisfaction: float | None
    nps: float | None
    churn: float | None
    value: float | None
    versions: dict[str, str]


class LeverAnswer(BaseModel):
    """Something the company can act on: where the customer stands, and how far it goes for him.

    `targets` are those whose model takes notice of it.
    """

    model_config = schema_config(LEVER)

    lever: str
    unit: str
    now: float | None
    least: float
    most: float
    targets: list[str]


class CustomerAnswer(CustomerStatus):
    """One customer: predictions, reasons, segment of value, former scores, standing, levers."""

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "as_of": AS_OF,
            "feature_age_seconds": 5400.0,
            "warnings": [],
            "model_versions": {"churn": "3"},
            **SCORE,
            "segment": "middle",
            "history": [PAST_SCORE],
            "levers": [LEVER],
            "standing_as_of": AS_OF,
            **STANDING,
        }
    )

    request_id: str
    as_of: datetime
    feature_age_seconds: float
    warnings: list[str]
    model_versions: dict[str, str]
    customer_id: str
    predictions: Predictions
    reasons: dict[str, list[ReasonAnswer]]
    segment: Annotated[str | None, Field(description="Of value; null without that model.")]
    history: list[PastScore]
    levers: list[LeverAnswer]
    standing_as_of: Annotated[
        datetime | None,
        Field(description="Of tier, stars and the like; null before the first evaluation."),
    ]


async def find_customers(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Find customers by the beginning of their id.

    In the order of the ids; for a search box.
    """
    query = parse_query(FindQuery, scope)
    found = state.loader.ready_scorer().find(query.prefix, query.limit + 1)
    shown, more = found[: query.limit], len(found) > query.limit
    return json_response({"request_id": call.request_id, "customers": shown, "more": more})


async def show_customer(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show one customer.

    All targets with three reasons each, the segment of value, what was said of him before, what
    the company could do otherwise for him, and where the last evaluation left him.
    """
    customer_id: str = scope["path_params"]["id"]
    query = parse_query(CustomerQuery, scope)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    if len(customer_id) > ID_LENGTH:
        raise UnknownCustomer("the snapshot holds no such customer")
    answer = await state.run(partial(_told, scorer, customer_id, query.language), in_thread=True)
    if answer is None:
        raise UnknownCustomer("the snapshot holds no such customer")
    batch, told = answer
    state.record_scores(call, batch)
    age = describe_freshness(batch, scorer.limits)
    evaluated = scorer.evaluated()
    since = evaluated.standings.as_of if evaluated.standings else None
    if since:
        age["warnings"] += date_mismatch_warnings("tier, stars and stage are", since, batch.as_of)
    standing = evaluated.standing(customer_id).model_dump(by_alias=True)
    told |= {"standing_as_of": since, **standing}
    return json_response({"request_id": call.request_id, **age, **told})


def _told(
    scorer: Scorer, customer_id: str, language: Any
) -> tuple[ScoreBatch, dict[str, Any]] | None:  # fmt: skip
    """Everything about one customer; None when the snapshot does not hold him."""
    batch = scorer.by_ids([customer_id], None, USUAL_REASONS, language)
    if batch.unknown:
        return None
    score = asdict(batch.scores[0])
    segment = batch.scores[0].predictions.get("value", {}).get("segment")
    return batch, {
        "model_versions": batch.versions,
        **score,
        "segment": segment,
        "history": [_past(past) for past in scorer.history(customer_id)],
        "levers": [asdict(lever) for lever in scorer.levers(customer_id)],
    }


def _past(past: History) -> dict[str, Any]:
    scores = {target: past.scores.get(target) for target in TARGETS}
    return {"as_of": past.as_of, **scores, "versions": past.versions}
