"""Middleware around every call: request id, error answers, timing, log line, metrics."""

import logging
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serve.errors import ApiError, Unexpected
from serve.observability.log_lines import describe_exception, facts
from serve.observability.prometheus import METHODS, Metrics
from serve.process.draining import Drain

log = logging.getLogger("goodwill.serve")

UNMATCHED_ROUTE = "unmatched"
#: Status that is logged when the client closed the connection early, as nginx does.
CLIENT_LEFT = 499

_VALID_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class ClientLeft(Exception):
    """The client closed the connection before its request was complete."""


@dataclass(slots=True)
class Call:
    """A call in progress. `route` is the template it matched; `facts` go to the log, never values."""

    request_id: str
    method: str
    started: float = field(default_factory=time.perf_counter)
    route: str = UNMATCHED_ROUTE
    status: int = 0
    facts: dict[str, Any] = field(default_factory=dict)
    quiet: bool = False
    client: str = ""


def json_response(content: Any, status: int = 200, headers: Any = None) -> Response:
    """Build a JSON answer: floats round-trip exactly; NaN and infinities become null."""
    body = to_json(content, inf_nan_mode="null")
    return Response(body, status, headers, media_type="application/json")


def error_response(error: ApiError, call: Call) -> Response:
    """Build the answer to a call that failed."""
    return json_response(error.body(call.request_id), error.status, error.headers)


def start_call(scope: Scope) -> Call:
    """Create the call of `scope`, with the client's request id if that is a short plain token."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _VALID_ID.fullmatch(value):
            return Call(value.decode("ascii"), scope["method"])
    return Call(uuid.uuid4().hex, scope["method"])


class RequestMiddleware:
    """ASGI middleware around all routes."""

    def __init__(self, app: ASGIApp, metrics: Metrics, drain: Drain) -> None:
        self._app = app
        self._drain = drain
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = scope["call"] = start_call(scope)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
                message["headers"].append((b"x-request-id", call.request_id.encode("ascii")))
                if self._drain.started:  # the client's next call opens a connection elsewhere
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        except ClientLeft:
            call.status = CLIENT_LEFT
        except Exception as error:
            answer = _error_answer(error, call)
            if not call.status:  # nothing was sent yet
                await answer(scope, receive, send_with_id)
        finally:
            self._record(call)

    def _record(self, call: Call) -> None:
        seconds = time.perf_counter() - call.started
        self._metrics.count_answer(call.route, call.method, call.status, seconds)
        if call.quiet:
            return
        line = facts(
            request_id=call.request_id,
            method=call.method if call.method in METHODS else "OTHER",
            route=call.route,
            status=call.status,
            ms=round(1000 * seconds, 3),
            **call.facts,
        )
        log.info("call answered", extra=line)


def _error_answer(error: Exception, call: Call) -> Response:
    if isinstance(error, ApiError):
        return error_response(error, call)
    _log_crash(error, call)
    unexpected = Unexpected("internal error; the log holds it with the request id")
    return error_response(unexpected, call)


def _log_crash(error: Exception, call: Call) -> None:
    """Log the exception with the call; the message of a foreign one may hold a value."""
    line = facts(request_id=call.request_id, route=call.route, **describe_exception(error))
    log.error("call failed with an exception", extra=line)
