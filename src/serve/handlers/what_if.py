"""The what-if operation. The docstring of the handler is its text in the API documentation."""

from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope

from models.explain.manual_what_if import LeverRefused
from serve.app_state import AppState
from serve.errors import LeverStuck, Problem, UnknownCustomer
from serve.handlers.scores import check_servable
from serve.http.freshness import refuse_stale_snapshot
from serve.http.middleware import Call, json_response
from serve.http.request_body import read_body
from serve.http.request_parsing import parse_request
from serve.schemas.what_if_schemas import WhatIfAnswer, WhatIfRequest


async def what_if(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Find what brings a customer's score to a goal, or predict it with given levers.

    With `goal`: the smallest change of levers (how fast the company replies, how late it delivers,
    how often it visits) with which the predicted risk falls below the goal or the score reaches it;
    out of reach, the nearest score. With `set`: the predicted score with these levers at the given
    amounts, each within the range that `levers` of the customer gives. This is what the model
    predicts, not a promise.
    """
    body = await read_body(scope, receive)
    request = parse_request(WhatIfRequest, body)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    check_servable(scorer, [request.target])
    predict = partial(
        scorer.what_if,
        request.customer_id,
        request.target,
        request.goal_or_settings,
        request.language,
    )
    try:
        answer: WhatIfAnswer | None = await state.run(predict, in_thread=True)
    except LeverRefused as refused:  # it names levers and ranges, never what was sent
        problem = Problem("set", str(refused))
        raise LeverStuck("lever value out of range for this customer", [problem]) from None
    if answer is None:
        raise UnknownCustomer("the snapshot does not hold this customer")
    as_of = scorer.as_of()
    state.record_audit(call, [answer.customer_id], as_of, {answer.target: answer.version})
    heading = {"request_id": call.request_id, "as_of": as_of}
    return json_response({**heading, **answer.model_dump()})
