"""Scores a stream: one customer per line in, one score per line out, in constant memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from pydantic import BaseModel, Field, WithJsonSchema
from pydantic_core import to_json
from starlette.types import ASGIApp, Receive, Scope, Send

from serve.app_state import AppState
from serve.errors import ApiError, BodyTooSlow, InvalidRequest, LineTooLong, UnknownCustomer
from serve.handlers.scores import check_servable
from serve.http.freshness import describe_freshness, refuse_stale_snapshot
from serve.http.middleware import Call, ClientLeft
from serve.http.request_body import BODY_SECONDS, check_media_type
from serve.http.request_parsing import parse_query, parse_request
from serve.schemas.record_schemas import CustomerId
from serve.schemas.score_schemas import MOST_REASONS, MOST_TARGETS, Language, schema_config
from serve.scoring.scorer import Scorer

ANSWER_MEDIA = "application/x-ndjson"
REQUEST_MEDIA = ("application/json", "application/x-ndjson", "application/jsonl")
#: Customers that are scored together, and the maximum length of a line.
BATCH_SIZE, LINE_BYTES = 500, 65_536
EXAMPLE_IN = {"customer_id": "C-1001"}
EXAMPLE_OUT = (
    '{"line": 1, "customer_id": "C-1001", "predictions": {"churn": {"probability": 0.31}}, '
    '"reasons": {}, "as_of": "2025-06-30T00:00:00Z", "feature_age_seconds": 5400.0, "warnings": [], '
    '"model_versions": {"churn": "3"}}\n{"end": true, "lines": 1, "scored": 1, "failed": 0}\n'
)


class StreamQuery(BaseModel):
    """Options for all customers of the stream."""

    model_config = schema_config({"targets": ["churn", "value"]})

    targets: Annotated[
        str | None,
        Field(max_length=1_000),
        WithJsonSchema(
            {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": MOST_TARGETS,
                "description": "Targets, comma-separated; all when left out.",
            }
        ),
    ] = None
    reasons: int = Field(0, ge=0, le=MOST_REASONS, description="Reasons per target.")
    language: Language = "en"


class StreamLine(BaseModel):
    """One line of the stream."""

    model_config = schema_config({"customer_id": "C-1001"})

    customer_id: CustomerId


async def score_stream(state: AppState, call: Call, scope: Scope, receive: Receive) -> ASGIApp:
    """Score a stream of customers.

    JSON lines in, `{"customer_id": "C-1001"}` each; JSON lines out in the same order, each with
    `line`, the number of the line it answers, and `customer_id`, `predictions`, `reasons`,
    `model_versions`, `as_of`, or an `error` in the usual form. Any number of lines: memory stays
    constant, and answers start before the last line arrives. The last line is
    `{"end": true, "lines": ..., "scored": ..., "failed": ...}`; without it the stream was cut off.
    """
    check_media_type(dict(scope["headers"]), [media.encode() for media in REQUEST_MEDIA])
    query = parse_query(StreamQuery, scope)
    scorer = state.loader.ready_scorer()
    refuse_stale_snapshot(scorer)
    targets = check_servable(scorer, None if query.targets is None else query.targets.split(","))
    score = partial(
        scorer.score_ids, targets=targets, reasons=query.reasons, language=query.language
    )
    return ScoreStream(state, call, scorer, score)


class ScoreStream:
    """The answer to a stream in progress, as an ASGI application."""

    def __init__(self, state: AppState, call: Call, scorer: Scorer, score: Any) -> None:
        self._state, self._call, self._scorer, self._score = state, call, scorer, score
        self._lines = self._scored = self._failed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-type", ANSWER_MEDIA.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        last: dict[str, Any] = {"end": True}
        try:
            async for lines in read_line_batches(receive):
                body = b"".join([_line(answer) for answer in await self._answers(lines)])
                await send({"type": "http.response.body", "body": body, "more_body": True})
        except ApiError as error:  # the status was sent: end the stream with the reason
            last = error.body(self._call.request_id)
        last |= {"lines": self._lines, "scored": self._scored, "failed": self._failed}
        self._call.facts.update(lines=self._lines, customers=self._scored)
        await send({"type": "http.response.body", "body": _line(last), "more_body": False})

    async def _answers(self, lines: list[bytes]) -> list[dict[str, Any]]:
        """Return the answers to the lines, in the same order."""
        wanted: dict[int, str] = {}
        answers: dict[int, dict[str, Any]] = {}
        for text in lines:
            self._lines += 1
            if text.strip():
                try:
                    wanted[self._lines] = parse_request(StreamLine, text).customer_id
                except ApiError as error:
                    rules = error.rules if isinstance(error, InvalidRequest) else {error.code: 1}
                    self._state.metrics.count_rejected_rows(self._call.route, rules)
                    answers[self._lines] = error.body(self._call.request_id)
        answers |= await self._scores(wanted)
        self._failed += sum("error" in answer for answer in answers.values())
        return [{"line": number, **answers[number]} for number in sorted(answers)]

    async def _scores(self, wanted: dict[int, str]) -> dict[int, dict[str, Any]]:
        if not wanted:
            return {}
        ids = list(dict.fromkeys(wanted.values()))
        batch = await self._state.run(partial(self._score, ids), in_thread=True)
        self._state.record_scores(self._call, batch)
        found = {one.customer_id: one for one in batch.scores}
        common = {
            **describe_freshness(batch, self._scorer.limits),
            "model_versions": batch.versions,
        }
        unknown = UnknownCustomer("the snapshot does not hold this customer")
        self._scored += sum(i in found for i in wanted.values())
        return {
            number: asdict(found[i]) | common
            if i in found
            else {"customer_id": i, **unknown.body(self._call.request_id)}
            for number, i in wanted.items()
        }


async def read_line_batches(receive: Receive) -> AsyncIterator[list[bytes]]:
    """Yield the lines of a body as they arrive, up to 500 together.

    Raises LineTooLong, BodyTooSlow when nothing arrives for half a minute, or ClientLeft.
    """
    rest = b""
    while True:
        try:
            async with asyncio.timeout(BODY_SECONDS):
                message = await receive()
        except TimeoutError:
            raise BodyTooSlow(f"no data arrived for {BODY_SECONDS:.0f} seconds") from None
        if message["type"] == "http.disconnect":
            raise ClientLeft
        *lines, rest = (rest + message.get("body", b"")).split(b"\n")
        if max(map(len, (*lines, rest))) > LINE_BYTES:
            raise LineTooLong(
                f"a line is longer than {LINE_BYTES} bytes; send one customer per line"
            )
        more = message.get("more_body", False)
        if not more and rest:
            lines.append(rest)
        for start in range(0, len(lines), BATCH_SIZE):
            yield lines[start : start + BATCH_SIZE]
        if not more:
            return


def _line(content: Any) -> bytes:
    return bytes(to_json(content, inf_nan_mode="null")) + b"\n"
