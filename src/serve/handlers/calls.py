"""The customers to call, the most revenue at risk first, with filters, next steps and changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema
from starlette.responses import Response
from starlette.types import Receive, Scope

from insight.calls.reason_order import listed_risk, main_reason
from insight.evaluation.evaluation_schema import NextStep
from models.bundles.model_manifest import ModelManifest
from serve.app_state import AppState
from serve.errors import NotReady, Problem, UnknownCustomer
from serve.http.freshness import describe_freshness, refuse_stale_snapshot
from serve.http.middleware import Call, json_response
from serve.http.request_parsing import parse_query
from serve.schemas.record_schemas import ID_LENGTH, TEXT_LENGTH
from serve.schemas.score_schemas import (
    AS_OF,
    DEFAULT_REASONS,
    REASON,
    Language,
    ScoreReason,
    schema_config,
)
from serve.scoring.call_table import GROUPED_BY, CallPage, CallTable, Order
from serve.scoring.evaluation_cache import date_mismatch_warnings
from serve.scoring.scorer import ScoreBatch, Scorer

MOST_CALLS = 100
#: The targets whose reasons are considered.
EXPLAINED = ("churn", "satisfaction", "nps", "value")
_NEXT_STEP = {"manager": "dedicated", "within_hours": 2.0}
_CALL = {
    "customer_id": "C-1001",
    "owner": "S-21",
    "region": "north",
    "tier": "A",
    "stage": "at_risk",
    "next_step": _NEXT_STEP,
    "reason": REASON["text"],
    "amount": 1296.0,
    "value": 4180.0,
    "churn": 0.31,
    "dissatisfied": 0.12,
    "segment": "high",
    "churn_before": 0.24,
    "value_before": 4520.0,
    "segment_before": "high",
}
_GROUP = {"name": "north", "customers": 412, "amount": 96200.0, "churn": 0.11}


#: Texts of a query that may be left out; a query cannot hold null.
Filter = Annotated[
    str | None,
    Field(max_length=TEXT_LENGTH),
    WithJsonSchema({"type": "string", "maxLength": TEXT_LENGTH}),
]
After = Annotated[
    str | None,
    Field(max_length=ID_LENGTH),
    WithJsonSchema({"type": "string", "maxLength": ID_LENGTH}),
]


class CallsQuery(BaseModel):
    """Which customers, in which order."""

    model_config = schema_config({"region": "north", "tier": "A", "limit": 25})

    owner: Filter = Field(None, description="Only customers of this owner.")
    region: Filter = Field(None, description="Only customers of this region.")
    tier: Filter = Field(None, description="Only customers of this tier.")
    stage: Filter = Field(None, description="Only customers in this lifecycle stage.")
    order: Order = Field(
        "risk",
        description="`risk`: the call list. `churn_change`, `value_change`: customers whose churn "
        "probability or value segment has changed since `compared_with`, the largest change first.",
    )
    limit: int = Field(
        25, ge=0, le=MOST_CALLS, description="Maximum number of customers; 0 for groups only."
    )
    after: After = Field(None, description="Id of the last customer that is known already.")
    language: Language = "en"


class CallRow(BaseModel):
    """A customer to call; null where something is not known.

    `amount` is what the list is sorted by. `reason` is of the higher risk, which the amount is made of;
    null where no factor raises a risk, so that the customer is listed for their value.
    The last three are as of `compared_with`, the segment by today's bounds.
    """

    model_config = schema_config(_CALL)

    customer_id: str
    owner: str | None
    region: str | None
    tier: str | None
    stage: str | None
    next_step: NextStep | None
    reason: str | None
    amount: float | None
    value: float | None
    churn: float | None
    dissatisfied: float | None
    segment: str | None
    churn_before: float | None
    value_before: float | None
    segment_before: str | None


class CallGroup(BaseModel):
    """Current customers with one value: their number, money at risk, mean probability of churn."""

    model_config = schema_config(_GROUP)

    name: str
    customers: int
    amount: Annotated[
        float | None, Field(description="Sum of the amounts; null where they are no money.")
    ]
    churn: float | None


class CallsAnswer(BaseModel):
    """The customers to call, and what they can be filtered by.

    `by` names the order: `value_risk` is expected value × the higher probability of churn or
    dissatisfaction, others where one of the three is not predicted. `horizons` are days by target.
    `total` customers match; `more`: there are further ones. `groups` cover all current customers, by
    each attribute that the company has; `attributes` are the company's names of owner and region.
    `compared_with` is the earlier scoring, null before there is one; `new_models` are the targets whose
    model changed since.
    """

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "as_of": AS_OF,
            "feature_age_seconds": 5400.0,
            "warnings": [],
            "by": "value_risk",
            "currency": "EUR",
            "horizons": {"churn": 90, "value": 90},
            "compared_with": "2025-05-31T00:00:00Z",
            "new_models": [],
            "attributes": {"owner": "account_owner", "region": "region"},
            "groups": {"region": [_GROUP]},
            "total": 1,
            "more": False,
            "calls": [_CALL],
        }
    )

    request_id: str
    as_of: datetime
    feature_age_seconds: float
    warnings: list[str]
    by: str
    currency: str
    horizons: dict[str, int]
    compared_with: datetime | None
    new_models: list[str]
    attributes: dict[str, str]
    groups: dict[str, list[CallGroup]]
    total: int
    more: bool
    calls: list[CallRow]


async def list_calls(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """List the customers to call.

    Current customers, the most revenue at risk first: the ranking of the report, with the main reason
    and the next step of each. Filters combine; a value that no customer has gives an empty list.
    """
    query = parse_query(CallsQuery, scope)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    table = scorer.call_table()
    if table is None:
        why = "no customer has scores; run `goodwill score`"
        raise NotReady("there is no call list yet", [Problem("scores", why)])
    page, batch = await state.run(partial(_explain_page, scorer, table, query), in_thread=True)
    state.record_scores(call, batch)
    facts = describe_freshness(batch, scorer.limits)
    facts["warnings"] += _mismatches(table, batch)
    statuses = scorer.evaluated()
    reasons = {score.customer_id: score.reasons for score in batch.scores}
    calls = [
        {**row, "next_step": statuses.status(row["customer_id"]).next_step,
         "reason": _main_reason(row, reasons.get(row["customer_id"], {}))}
        for row in page.rows
    ]  # fmt: skip
    answer = {"request_id": call.request_id, **facts, **_describe_list(table, scorer.models())}
    return json_response({**answer, "total": page.total, "more": page.more, "calls": calls})


def _explain_page(
    scorer: Scorer, table: CallTable, query: CallsQuery
) -> tuple[CallPage, ScoreBatch]:
    """The customers that are wanted, and their reasons."""
    wanted = {n: value for n in GROUPED_BY if (value := getattr(query, n)) is not None}
    try:
        page = table.page(wanted, query.order, query.limit, query.after)
    except KeyError:
        raise UnknownCustomer("no customer of this list has the id given as after") from None
    ids = [row["customer_id"] for row in page.rows]
    targets = [m.target for m in scorer.models() if m.target in EXPLAINED]
    return page, scorer.score_ids(ids, targets, DEFAULT_REASONS, query.language)


def _main_reason(
    row: Mapping[str, Any], reasons: Mapping[str, Sequence[ScoreReason]]
) -> str | None:
    """The main reason of the risk that the customer's amount is made of."""
    reason = main_reason(reasons, listed_risk(row["churn"], row["dissatisfied"]))
    return (reason.text or reason.meaning) if reason else None


def _mismatches(table: CallTable, batch: ScoreBatch) -> list[str]:
    """Warnings where the list was ranked with other features or models than those that serve."""
    warnings = date_mismatch_warnings(
        "the call list is", table.as_of, batch.as_of, "goodwill score"
    )
    others = [t for t, v in batch.versions.items() if table.versions.get(t, v) != v]
    if others:
        warnings.append(
            f"the call list was made with other models of {', '.join(others)}; run `goodwill score`"
        )
    return warnings


def _describe_list(table: CallTable, models: Sequence[ModelManifest]) -> dict[str, Any]:
    return {
        "by": table.by,
        "currency": next((m.currency for m in models if m.target == "value"), None) or "",
        "horizons": {m.target: m.horizon_days for m in models if m.target in EXPLAINED},
        "compared_with": table.compared_with,
        "new_models": table.new_models,
        "attributes": table.attributes,
        "groups": table.groups,
    }
