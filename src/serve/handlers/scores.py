"""What each route does. The docstring of a handler is its text in the API documentation."""

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from features.errors import DataRefused
from models.explain.manual_what_if import LeverRefused
from serve.app_state import AppState
from serve.errors import InvalidRequest, LeverStuck, NotReady, Problem, UnknownCustomer
from serve.http.docs_page import docs_page
from serve.http.freshness import describe_freshness, refuse_stale_snapshot
from serve.http.middleware import Call, json_response
from serve.http.request_body import read_body
from serve.http.request_parsing import check_targets, parse_request
from serve.schemas.score_schemas import RecordsRequest, ScoreRequest
from serve.schemas.what_if_schemas import WhatIfRequest
from serve.scoring.scorer import ScoreBatch, Scorer, WhatIfAnswer

#: Below these a call is quicker on the event loop than by way of a thread.
FEW_BYTES, FEW_CUSTOMERS = 16_384, 100


async def score_customers(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Score customers of the snapshot.

    Up to 1,000 ids in one call, all targets or those named, with reasons on demand. Ids the
    snapshot does not hold come back in `unknown_customers`; the others are scored. An id named
    twice is scored once.
    """
    body = await read_body(scope, receive)
    parse = partial(parse_request, ScoreRequest, body)
    request = await state.run(parse, in_thread=len(body) > FEW_BYTES)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    targets = check_servable(scorer, request.targets)
    ids = list(dict.fromkeys(request.customer_ids))
    score = partial(scorer.by_ids, ids, targets, request.reasons, request.language)
    in_thread = len(ids) > FEW_CUSTOMERS or request.reasons > 0
    return await _answer(state, call, scorer, await state.run(score, in_thread=in_thread))


async def score_records(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Score customers from rows sent along.

    For customers the snapshot does not hold yet, or as they would stand at another time. The
    rows have the columns of the data contract; fields of a customer beyond `customer_id` and
    `valid_from` are its attributes. Only what is known before `as_of` (default: now) counts.
    """
    body = await read_body(scope, receive)
    parse = partial(parse_request, RecordsRequest, body)
    request = await state.run(parse, in_thread=len(body) > FEW_BYTES)
    scorer = state.loader.ready_scorer()
    targets = check_servable(scorer, request.targets)
    score = partial(
        scorer.by_records,
        request.records,
        request.as_of,
        targets,
        request.reasons,
        request.language,
    )
    try:
        batch = await state.run(score, in_thread=True)
    except DataRefused:  # its message may hold values, which an answer never repeats
        raise InvalidRequest("the records break a rule of the data contract") from None
    return await _answer(state, call, scorer, batch, body)


async def what_if(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Say what would bring a customer's score to a goal, or what levers set by hand would do to it.

    With a goal: the smallest change of what the company can act on (how fast it replies, how late
    it delivers, how often it visits) with which the model would see the customer below a risk, or
    above a score. Or the nearest it gets. With `set`: the score with these levers where they are
    set, each no further than `levers` of the customer says. It is what the model says, not a promise.
    """
    body = await read_body(scope, receive)
    request = parse_request(WhatIfRequest, body)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    check_servable(scorer, [request.target])
    ask = partial(
        scorer.what_if, request.customer_id, request.target, request.wish, request.language
    )
    try:
        answer: WhatIfAnswer | None = await state.run(ask, in_thread=True)
    except LeverRefused as refused:  # it names levers and their ends, never what was sent
        problem = Problem("set", str(refused))
        raise LeverStuck("a lever cannot be set so for this customer", [problem]) from None
    if answer is None:
        raise UnknownCustomer("the snapshot holds no such customer")
    as_of = scorer.as_of()
    state.record_audit(call, [answer.customer_id], as_of, {answer.target: answer.version})
    beginning = {"request_id": call.request_id, "as_of": as_of}
    return json_response({**beginning, **asdict(answer)})


async def live(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Tell that the process is up, with or without models."""
    return json_response({"status": "alive", "missing": {}})


async def ready(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Tell whether customers can be scored, which targets cannot, and whether an evaluation lacks."""
    scorer = state.loader.ready_scorer()
    missing = {**scorer.missing(), **scorer.evaluated().missing}
    return json_response({"status": "ready", "missing": missing})


async def show_metrics(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Show counters for Prometheus, summed over the workers."""
    page = await state.run(state.metrics.page, in_thread=True)
    return Response(page, media_type="text/plain; version=0.0.4; charset=utf-8")


async def show_openapi(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Give the OpenAPI 3.1 document of this service."""
    return json_response(state.openapi_document())


async def show_docs(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Describe the API on a page to read."""
    return docs_page(state.openapi_document())


def known_targets(scorer: Scorer) -> list[str]:
    """Every target the scorer has heard of, served or not."""
    return sorted({model.target for model in scorer.models()} | set(scorer.missing()))


def check_servable(scorer: Scorer, wanted: list[str] | None) -> Sequence[str] | None:
    """The wanted targets; one named but without a model makes the call fail for now."""
    targets = check_targets(wanted, known_targets(scorer)) if wanted else None
    missing = scorer.missing() if targets else {}
    absent = [Problem(target, missing[target]) for target in targets or () if target in missing]
    if absent:
        raise NotReady("a wanted target cannot be scored now", absent)
    return targets


async def _answer(
    state: AppState, call: Call, scorer: Scorer, batch: ScoreBatch, body: bytes = b""
) -> Response:
    state.record_scores(call, batch, body)
    answer: dict[str, Any] = {
        "request_id": call.request_id,
        **describe_freshness(batch, scorer.limits),
        "model_versions": batch.versions,
        "scores": batch.scores,
        "unknown_customers": batch.unknown,
    }
    return await state.run(partial(json_response, answer), in_thread=len(batch.scores) > 100)
