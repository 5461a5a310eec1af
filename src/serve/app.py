"""The HTTP application: one table of operations, routed by Starlette inside one envelope."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serve import handlers
from serve.desk import Desk
from serve.envelope import Call, Envelope, error_response
from serve.errors import (
    ApiError,
    BodyTooLarge,
    BodyTooSlow,
    InvalidRequest,
    MalformedJson,
    NotReady,
    TooSlow,
    UnknownCustomer,
    UnknownPath,
    WrongMediaType,
    WrongMethod,
)
from serve.openapi import Operation, document
from serve.schemas import (
    HealthAnswer,
    ModelsAnswer,
    RecordsRequest,
    ScoreAnswer,
    ScoreRequest,
)
from serve.upkeep import Upkeep
from serve.what_if_schemas import WhatIfRequest, WhatIfResponse

_BODY = (MalformedJson, BodyTooSlow, BodyTooLarge, WrongMediaType, InvalidRequest)
_SCORING = (NotReady, TooSlow)

#: Every route there is. A new endpoint is one row here and its handler.
OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "POST",
        "/v1/scores",
        handlers.score_customers,
        ScoreAnswer,
        body=ScoreRequest,
        errors=(*_BODY, *_SCORING),
        tag="scores",
    ),
    Operation(
        "POST",
        "/v1/scores/records",
        handlers.score_records,
        ScoreAnswer,
        body=RecordsRequest,
        errors=(*_BODY, *_SCORING),
        tag="scores",
    ),
    Operation(
        "GET",
        "/v1/customers/{id}",
        handlers.show_customer,
        ScoreAnswer,
        errors=(UnknownCustomer, *_SCORING),
        tag="scores",
    ),
    Operation(
        "POST",
        "/v1/whatif",
        handlers.what_if,
        WhatIfResponse,
        body=WhatIfRequest,
        errors=(UnknownCustomer, *_BODY, *_SCORING),
        tag="scores",
    ),
    Operation(
        "GET", "/v1/models", handlers.list_models, ModelsAnswer, errors=(NotReady,), tag="models"
    ),
    Operation("GET", "/livez", handlers.live, HealthAnswer, quiet=True),
    Operation("GET", "/readyz", handlers.ready, HealthAnswer, errors=(NotReady,), quiet=True),
    Operation("GET", "/metrics", handlers.show_metrics, "text/plain", quiet=True),
    Operation("GET", "/openapi.json", handlers.show_openapi, "application/json"),
    Operation("GET", "/docs", handlers.show_docs, "text/html"),
    Operation("GET", "/", handlers.show_index, "text/html"),
)


class Endpoint:
    """An operation as an ASGI application."""

    def __init__(self, operation: Operation, desk: Desk) -> None:
        self._operation = operation
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call = scope["call"]
        call.route = self._operation.path
        call.quiet = self._operation.quiet
        try:
            if NotReady in self._operation.errors and not self._operation.quiet:
                await self._desk.upkeep.first_load()
            answer: Response = await self._operation.handle(self._desk, call, scope, receive)
        except ApiError as error:
            answer = error_response(error, call)
        await answer(scope, receive, send)


def application(upkeep: Upkeep) -> Starlette:
    """The ASGI application; its lifespan loads the scorer behind it and keeps it fresh."""
    desk = Desk(upkeep, lambda targets: _described(tuple(sorted(targets))))
    app = Starlette(
        routes=[
            Route(o.path, Endpoint(o, desk), methods=[o.method], name=o.name) for o in OPERATIONS
        ],
        middleware=[Middleware(Envelope, metrics=desk.metrics)],
        exception_handlers={HTTPException: _unrouted},
        lifespan=lambda _: _keep(desk),
    )
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def _keep(desk: Desk) -> AsyncIterator[None]:
    task = asyncio.create_task(desk.upkeep.run(desk.executor))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        desk.executor.shutdown(wait=False, cancel_futures=True)


async def _unrouted(request: Request, error: Exception) -> Response:
    """What Starlette's router refuses, in our shape."""
    refused: ApiError = UnknownPath("no such path; see /docs")
    if isinstance(error, HTTPException) and error.status_code == WrongMethod("").status:
        allowed = dict(error.headers or {})
        refused = WrongMethod(f"this path takes {allowed.get('Allow')}", headers=allowed)
    return error_response(refused, request.scope["call"])


@lru_cache(maxsize=8)
def _described(targets: tuple[str, ...]) -> Any:
    return document(OPERATIONS, _version(), targets)


def _version() -> str:
    try:
        return version("goodwill")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0.0.0"
