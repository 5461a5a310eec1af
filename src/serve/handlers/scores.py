"""Scoring operations. The docstring of a handler is its text in the API documentation."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from features.errors import DataRefused
from serve.app_state import AppState
from serve.errors import InvalidRequest, NotReady, Problem
from serve.http.freshness import describe_freshness, refuse_stale_snapshot
from serve.http.middleware import Call, json_response
from serve.http.request_body import read_body
from serve.http.request_parsing import check_targets, parse_request
from serve.schemas.score_schemas import RecordsRequest, ScoreRequest
from serve.scoring.scorer import ScoreBatch, Scorer

#: Up to these sizes a call is faster on the event loop than in a thread.
FEW_BYTES, FEW_CUSTOMERS = 16_384, 100


async def score_customers(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Score customers of the snapshot.

    Up to 1,000 ids per call, all targets or selected ones, reasons on request. Ids that the snapshot
    does not hold are listed in `unknown_customers`; the others are scored. An id that occurs twice
    is scored once.
    """
    body = await read_body(scope, receive)
    parse = partial(parse_request, ScoreRequest, body)
    request = await state.run(parse, in_thread=len(body) > FEW_BYTES)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    targets = check_servable(scorer, request.targets)
    ids = list(dict.fromkeys(request.customer_ids))
    score = partial(scorer.score_ids, ids, targets, request.reasons, request.language)
    in_thread = len(ids) > FEW_CUSTOMERS or request.reasons > 0
    return await _answer(state, call, scorer, await state.run(score, in_thread=in_thread))


async def score_records(state: AppState, call: Call, scope: Scope, receive: Receive) -> Response:
    """Score customers from rows sent along.

    For customers that the snapshot does not hold yet, or as of another time. The rows have the
    columns of the data contract; fields of a customer other than `customer_id` and `valid_from` are
    attributes. Only what is known before `as_of` (default: now) counts.
    """
    body = await read_body(scope, receive)
    parse = partial(parse_request, RecordsRequest, body)
    request = await state.run(parse, in_thread=len(body) > FEW_BYTES)
    scorer = state.loader.ready_scorer()
    targets = check_servable(scorer, request.targets)
    score = partial(
        scorer.score_records,
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


def known_targets(scorer: Scorer) -> list[str]:
    """Return all targets of the company, with or without a model."""
    return sorted({model.target for model in scorer.models()} | set(scorer.missing()))


def check_servable(scorer: Scorer, wanted: list[str] | None) -> Sequence[str] | None:
    """Return the wanted targets. Raises NotReady when one has no model now."""
    targets = check_targets(wanted, known_targets(scorer)) if wanted else None
    missing = scorer.missing() if targets else {}
    absent = [Problem(target, missing[target]) for target in targets or () if target in missing]
    if absent:
        raise NotReady("a requested target cannot be scored now", absent)
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
    many = len(batch.scores) > FEW_CUSTOMERS
    return await state.run(partial(json_response, answer), in_thread=many)
