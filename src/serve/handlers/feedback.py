"""Receives outcomes and campaign contacts from a CRM and stores them for the next import."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import Response
from starlette.types import Receive, Scope

from features.ingest.feedback import Feedback, IdempotencyConflict
from serve.app_state import AppState
from serve.errors import KeyReused, NotStored
from serve.http.middleware import Call, json_response
from serve.http.request_body import read_body
from serve.http.request_parsing import parse_request
from serve.schemas.record_schemas import CustomerId, Instant, Text
from serve.schemas.score_schemas import AS_OF, schema_config

MOST_OUTCOMES, KEY_LENGTH = 1_000, 200
#: No company has a larger amount or quantity; the import has narrower bounds, the company's own.
LARGEST = 1e15
#: Tolerance for the clock of a CRM that is ahead of ours.
CLOCK_TOLERANCE = timedelta(minutes=5)
_OUTCOME = {
    "customer_id": "C-1001",
    "occurred_at": "2025-06-12T09:00:00Z",
    "kind": "campaign",
    "channel": "phone",
    "category": "win-back offer",
}

OutcomeNumber = Annotated[float, Field(allow_inf_nan=False, ge=-LARGEST, le=LARGEST)]
OutcomeKind = Annotated[str, Field(min_length=1, max_length=100)]


class OutcomeRow(BaseModel):
    """An event: an order, a cancellation, a renewal, a campaign contact."""

    model_config = schema_config(_OUTCOME)

    customer_id: CustomerId
    occurred_at: Instant
    kind: Annotated[
        OutcomeKind, Field(description="A kind of the company's events, or 'campaign'.")
    ]
    amount: OutcomeNumber | None = None
    quantity: OutcomeNumber | None = None
    channel: Text | None = None
    category: Text | None = None


class FeedbackRequest(BaseModel):
    """Outcomes from the CRM; a request repeated with the same key is stored once."""

    model_config = schema_config({"idempotency_key": "crm-2025-06-12-0017", "outcomes": [_OUTCOME]})

    idempotency_key: str = Field(
        min_length=1, max_length=KEY_LENGTH, description="The CRM's own id for this call."
    )
    outcomes: list[OutcomeRow] = Field(min_length=1, max_length=MOST_OUTCOMES)


class FeedbackAnswer(BaseModel):
    """The stored outcomes; `repeated`: they were stored before and nothing was added."""

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "accepted": 1,
            "repeated": False,
            "received_at": AS_OF,
            "unknown_customers": [],
            "warnings": [],
        }
    )

    request_id: str
    accepted: int
    repeated: bool
    received_at: datetime
    unknown_customers: Annotated[
        list[str], Field(description="Stored too; used once the CRM's tables hold these customers.")
    ]
    warnings: list[str]


async def take_feedback(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Receive outcomes and campaign contacts from the CRM.

    Stored once for each idempotency key; the next import adds them to the event history, known from
    the time they were received. An event that the company's table holds as well counts once;
    implausible ones are quarantined. The same key with different content is refused with 409.
    Keys belong to the company: clients that share it begin theirs with their name.
    """
    request = parse_request(FeedbackRequest, await read_body(scope, receive))
    scorer = state.loader.loaded_scorer()
    events = [{**dict(o), "occurred_at": o.occurred_at.isoformat()} for o in request.outcomes]
    feedback = Feedback(
        request.idempotency_key, events, client=call.client, request_id=call.request_id
    )
    try:
        stored = await state.run(partial(scorer.store_feedback, feedback), in_thread=True)
    except IdempotencyConflict as error:
        raise KeyReused(str(error)) from None
    except OSError:
        raise NotStored("the feedback could not be stored; send it again") from None
    call.facts.update(outcomes=stored.events, repeated=stored.repeated)
    ids = dict.fromkeys(outcome.customer_id for outcome in request.outcomes)
    return json_response(
        {
            "request_id": call.request_id,
            "accepted": stored.events,
            "repeated": stored.repeated,
            "received_at": stored.received_at,
            "unknown_customers": [i for i in ids if not scorer.has_customer(i)],
            "warnings": _warnings(request.outcomes),
        }
    )


def _warnings(outcomes: Sequence[OutcomeRow]) -> list[str]:
    latest = datetime.now(UTC) + CLOCK_TOLERANCE
    future = sum(outcome.occurred_at > latest for outcome in outcomes)
    return [f"{future} outcomes are in the future; they count from then on"] if future else []
