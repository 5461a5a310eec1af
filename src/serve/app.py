"""The HTTP application: one table of operations, routed by Starlette inside one envelope."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from serve.app_state import Desk
from serve.errors import (
    ApiError,
    Forbidden,
    InvalidRequest,
    NoKey,
    NotReady,
    TooMany,
    UnknownPath,
    WrongMethod,
)
from serve.http.middleware import Call, Envelope, error_response
from serve.http.openapi import Operation, document
from serve.routes import OPERATIONS
from serve.scoring.reload_loop import Upkeep
from serve.security.audit_log import Audit
from serve.security.authentication import Gatekeeper


class Endpoint:
    """An operation as an ASGI application."""

    def __init__(self, operation: Operation, desk: Desk) -> None:
        self._operation = operation
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call = scope["call"]
        call.route = self._operation.path
        call.quiet = self._operation.quiet
        with contextlib.ExitStack() as place:
            try:
                if need := self._operation.scope:
                    place.enter_context(self._desk.gate.places)
                    await self._desk.gate.let_in(need, call, scope, self._desk.upkeep)
                if NotReady in self._operation.errors and not self._operation.quiet:
                    await self._desk.upkeep.first_load()
                answer: ASGIApp = await self._operation.handle(self._desk, call, scope, receive)
            except ApiError as error:
                if isinstance(error, InvalidRequest):
                    self._desk.metrics.rejected(call.route, error.rules)
                if isinstance(error, NoKey | Forbidden | TooMany):
                    self._desk.metrics.refused(error.code)
                answer = error_response(error, call)
            await answer(scope, receive, send)


def application(
    upkeep: Upkeep,
    gate: Gatekeeper | None = None,
    audits: Callable[[str], Audit] | None = None,
) -> Starlette:
    """The ASGI application; its lifespan loads the scorer behind it and keeps it fresh.

    Without a gate nobody needs a key; `audits` opens the audit of a company, None keeps none.
    """
    desk = Desk(upkeep, _described, gate, audits)
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
def _described(targets: tuple[str, ...], locked: bool) -> Any:
    return document(OPERATIONS, _version(), targets, locked)


def _version() -> str:
    try:
        return version("goodwill")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0.0.0"
