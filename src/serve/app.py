"""The HTTP application: Starlette with the table of operations and one middleware."""

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
from serve.process.draining import Drain
from serve.routes import OPERATIONS
from serve.scoring.reload_loop import ScorerLoader
from serve.security.audit_log import AuditLog
from serve.security.authentication import Authenticator


class OperationEndpoint:
    """An operation as an ASGI application: access control, handler, error answers."""

    def __init__(self, operation: Operation, state: AppState) -> None:
        self._operation = operation
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call: Call = scope["call"]
        call.route = self._operation.path
        call.quiet = self._operation.quiet
        with contextlib.ExitStack() as slot:
            try:
                if needed := self._operation.scope:
                    slot.enter_context(self._state.authenticator.concurrency)
                    await self._state.authenticator.authorize(
                        needed, call, scope, self._state.loader
                    )
                if NotReady in self._operation.errors and not self._operation.quiet:
                    await self._state.loader.wait_for_first_load()
                answer: ASGIApp = await self._operation.handle(self._state, call, scope, receive)
            except ApiError as error:
                if isinstance(error, InvalidRequest):
                    self._state.metrics.count_rejected_rows(call.route, error.rules)
                if isinstance(error, NoKey | Forbidden | TooMany):
                    self._state.metrics.count_refusal(error.code)
                answer = error_response(error, call)
            await answer(scope, receive, send)


def build_app(
    loader: ScorerLoader,
    authenticator: Authenticator | None = None,
    audits: Callable[[str], AuditLog] | None = None,
    drain: Drain | None = None,
) -> Starlette:
    """Build the ASGI application; its lifespan loads the scorer in the background and refreshes it.

    Without an authenticator no API key is needed. `audits` opens the audit log of a company; None
    writes none. `drain` knows whether this worker has been asked to stop.
    """
    state = AppState(loader, _openapi_document, authenticator, audits, drain)
    app = Starlette(
        routes=[
            Route(o.path, OperationEndpoint(o, state), methods=[o.method], name=o.name)
            for o in OPERATIONS
        ],
        middleware=[Middleware(RequestMiddleware, metrics=state.metrics, drain=state.drain)],
        exception_handlers={HTTPException: _routing_error},
        lifespan=lambda _: _run_loader(state),
    )
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def _run_loader(state: AppState) -> AsyncIterator[None]:
    task = asyncio.create_task(state.loader.run(state.executor))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        state.executor.shutdown(wait=False, cancel_futures=True)


async def _routing_error(request: Request, error: Exception) -> Response:
    """Turn an error of Starlette's router into our error answer."""
    answer: ApiError = UnknownPath("unknown path; see /docs")
    if isinstance(error, HTTPException) and error.status_code == WrongMethod("").status:
        allowed = dict(error.headers or {})
        answer = WrongMethod(f"this path supports {allowed.get('Allow')}", headers=allowed)
    return error_response(answer, request.scope["call"])


@lru_cache(maxsize=8)
def _openapi_document(targets: tuple[str, ...], locked: bool) -> Any:
    return build_openapi(OPERATIONS, _version(), targets, locked)


def _version() -> str:
    try:
        return version("goodwill")
    except PackageNotFoundError:  # a checkout that is not installed
        return "0.0.0"
