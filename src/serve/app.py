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

from serve.app_state import AppState
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
from serve.http.middleware import Call, RequestMiddleware, error_response
from serve.http.openapi import Operation, build_openapi
from serve.routes import OPERATIONS
from serve.scoring.reload_loop import ScorerLoader
from serve.security.audit_log import AuditLog
from serve.security.authentication import Authenticator


class OperationEndpoint:
    """An operation as an ASGI application."""

    def __init__(self, operation: Operation, state: AppState) -> None:
        self._operation = operation
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call = scope["call"]
        call.route = self._operation.path
        call.quiet = self._operation.quiet
        with contextlib.ExitStack() as place:
            try:
                if need := self._operation.scope:
                    place.enter_context(self._state.authenticator.concurrency)
                    await self._state.authenticator.authorize(need, call, scope, self._state.loader)
                if NotReady in self._operation.errors and not self._operation.quiet:
                    await self._state.loader.wait_for_first_load()
                answer: ASGIApp = await self._operation.handle(self._state, call, scope, receive)
            except ApiError as error:
                if isinstance(error, InvalidRequest):
                    self._state.metrics.rejected(call.route, error.rules)
                if isinstance(error, NoKey | Forbidden | TooMany):
                    self._state.metrics.refused(error.code)
                answer = error_response(error, call)
            await answer(scope, receive, send)


def build_app(
    loader: ScorerLoader,
    authenticator: Authenticator | None = None,
    audits: Callable[[str], AuditLog] | None = None,
) -> Starlette:
    """The ASGI application; its lifespan loads the scorer behind it and keeps it fresh.

    Without a authenticator nobody needs a key; `audits` opens the audit of a company, None keeps none.
    """
    state = AppState(loader, _described, authenticator, audits)
    app = Starlette(
        routes=[
            Route(o.path, OperationEndpoint(o, state), methods=[o.method], name=o.name) for o in OPERATIONS
        ],
        middleware=[Middleware(RequestMiddleware, metrics=state.metrics)],
        exception_handlers={HTTPException: _unrouted},
        lifespan=lambda _: _keep(state),
    )
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def _keep(state: AppState) -> AsyncIterator[None]:
    task = asyncio.create_task(state.loader.run(state.executor))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        state.executor.shutdown(wait=False, cancel_futures=True)


async def _unrouted(request: Request, error: Exception) -> Response:
    """What Starlette's router refuses, in our shape."""
    refused: ApiError = UnknownPath("no such path; see /docs")
    if isinstance(error, HTTPException) and error.status_code == WrongMethod("").status:
        allowed = dict(error.headers or {})
        refused = WrongMethod(f"this path takes {allowed.get('Allow')}", headers=allowed)
    return error_response(refused, request.scope["call"])


@lru_cache(maxsize=8)
def _described(targets: tuple[str, ...], locked: bool) -> Any:
    return build_openapi(OPERATIONS, _version(), targets, locked)


def _version() -> str:
    try:
        return version("goodwill")
    except PackageNotFoundError:  # a checkout that was never installed
        return "0.0.0"
