"""The errors of the HTTP service: one class per HTTP outcome, mapped in one table.

ApiError
├── MalformedJson      400
├── NoKey              401
├── Forbidden          403
├── UnknownCustomer    404
├── UnknownTarget      404
├── UnknownIndicator   404
├── UnknownPath        404
├── WrongMethod        405
├── BodyTooSlow        408
├── KeyReused          409
├── LeverStuck         409
├── BodyTooLarge       413
├── LineTooLong        413
├── WrongMediaType     415
├── InvalidRequest     422
├── TooMany            429
├── Unexpected         500
├── NotReady           503
├── Draining           503
├── NotStored          503
├── StaleFeatures      503
└── TooSlow            504
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One problem and its place in the request; never the value that was sent."""

    where: str
    problem: str


class ApiError(Exception):
    """A call that ends in an error answer. Message and problems must not hold a value that was sent."""

    def __init__(
        self,
        message: str,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.problems = list(problems)
        self.headers = dict(headers or {})

    @property
    def status(self) -> int:
        return HTTP_OUTCOMES[type(self)].status

    @property
    def code(self) -> str:
        return HTTP_OUTCOMES[type(self)].code

    def body(self, request_id: str) -> dict[str, object]:
        """Return the body of the error answer."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "details": [problem._asdict() for problem in self.problems],
                "request_id": request_id,
            }
        }


class MalformedJson(ApiError):
    """The body is not JSON (RFC 8259) in UTF-8."""


class NoKey(ApiError):
    """The call has no valid API key."""

    def __init__(self, message: str) -> None:
        super().__init__(message, (), {"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    """The API key is valid, but not for this operation or service."""


class UnknownCustomer(ApiError):
    """The snapshot does not hold this customer."""


class UnknownTarget(ApiError):
    """No target has this name."""


class UnknownIndicator(ApiError):
    """No indicator has this name, or no groups have this column."""


class UnknownPath(ApiError):
    """No route has this path."""


class WrongMethod(ApiError):
    """The path does not support this method."""


class BodyTooSlow(ApiError):
    """The body did not arrive in time."""


class KeyReused(ApiError):
    """An idempotency key was used again with different content."""


class LeverStuck(ApiError):
    """The customer does not have a lever, or its value is out of range."""


class BodyTooLarge(ApiError):
    """The body is larger than the limit."""


class LineTooLong(ApiError):
    """A line of a stream is longer than the limit."""


class WrongMediaType(ApiError):
    """The body is not uncompressed application/json."""


class InvalidRequest(ApiError):
    """The body is JSON, but not a valid request.

    `rules` counts the invalid rows by the rule they break, for the metrics.
    """

    def __init__(
        self, message: str, problems: Sequence[Problem] = (), rules: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(message, problems)
        self.rules = dict(rules or {"contract": 1})


class TooMany(ApiError):
    """The client exceeds its rate limit, or the service is busy; `seconds` is the time to wait."""

    def __init__(self, message: str, seconds: int = 1) -> None:
        super().__init__(message, (), {"Retry-After": str(seconds)})


class Unexpected(ApiError):
    """A bug; the log holds the exception with the request id."""


class NotReady(ApiError):
    """No model, no snapshot or no evaluation is loaded yet."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, problems, {"Retry-After": str(RETRY_SECONDS)})


class Draining(ApiError):
    """The service is stopping; it still answers calls, but should get no new ones."""

    def __init__(self, message: str) -> None:
        super().__init__(message, (), {"Retry-After": str(RETRY_SECONDS)})


class NotStored(ApiError):
    """The data could not be stored."""

    def __init__(self, message: str) -> None:
        super().__init__(message, (), {"Retry-After": str(RETRY_SECONDS)})


class StaleFeatures(ApiError):
    """The snapshot is older than the company permits."""

    def __init__(self, message: str) -> None:
        super().__init__(message, (), {"Retry-After": str(STALE_RETRY_SECONDS)})


class TooSlow(ApiError):
    """The answer took longer than the time limit."""


class HttpOutcome(NamedTuple):
    """The HTTP status and code of an error class; `meaning` is its text in the documentation."""

    status: int
    code: str
    meaning: str


#: Seconds until a client should call a service again that is not ready.
RETRY_SECONDS = 5
#: The next scheduled run makes new features.
STALE_RETRY_SECONDS = 600

HTTP_OUTCOMES: dict[type[ApiError], HttpOutcome] = {
    MalformedJson: HttpOutcome(400, "malformed_json", "The body is not valid JSON in UTF-8."),
    NoKey: HttpOutcome(401, "no_key", "No valid API key in `Authorization: Bearer gw_...`."),
    Forbidden: HttpOutcome(
        403, "forbidden", "The API key is not valid for this operation or service."
    ),
    UnknownCustomer: HttpOutcome(
        404, "unknown_customer", "The snapshot does not hold this customer."
    ),
    UnknownTarget: HttpOutcome(404, "unknown_target", "No target has this name."),
    UnknownIndicator: HttpOutcome(
        404, "unknown_indicator", "No indicator has this name, or no groups have this column."
    ),
    UnknownPath: HttpOutcome(404, "unknown_path", "No route has this path."),
    WrongMethod: HttpOutcome(405, "wrong_method", "The path does not support this method."),
    BodyTooSlow: HttpOutcome(408, "body_too_slow", "The body did not arrive in time."),
    KeyReused: HttpOutcome(
        409, "key_reused", "The idempotency key was used before with different content."
    ),
    LeverStuck: HttpOutcome(409, "lever_stuck", "Lever value out of range."),
    BodyTooLarge: HttpOutcome(413, "body_too_large", "The body is larger than 10 MiB."),
    LineTooLong: HttpOutcome(413, "line_too_long", "A line of a stream is longer than 64 KiB."),
    WrongMediaType: HttpOutcome(
        415, "wrong_media_type", "The body must be uncompressed application/json."
    ),
    InvalidRequest: HttpOutcome(422, "invalid_request", "The request is not valid."),
    TooMany: HttpOutcome(
        429, "too_many", "Rate limit exceeded; `Retry-After` is the number of seconds to wait."
    ),
    Unexpected: HttpOutcome(
        500, "unexpected", "Internal error; the log holds it with the request id."
    ),
    NotReady: HttpOutcome(503, "not_ready", "No model, snapshot or evaluation is loaded yet."),
    Draining: HttpOutcome(503, "draining", "The service is stopping; send new calls elsewhere."),
    NotStored: HttpOutcome(503, "not_stored", "The data could not be stored; send it again."),
    StaleFeatures: HttpOutcome(
        503, "stale_features", "The features are older than the company permits."
    ),
    TooSlow: HttpOutcome(504, "too_slow", "The answer took too long."),
}
