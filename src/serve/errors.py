"""Everything the service refuses: one class for each HTTP outcome, mapped in one table.

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
├── NotStored          503
├── StaleFeatures      503
└── TooSlow            504
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is wrong, and where in the request; never the value that was sent."""

    where: str
    problem: str


class ApiError(Exception):
    """A call that ends in an error answer. Neither message nor problems may hold a sent value."""

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
        """The one error shape of the service."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "details": [problem._asdict() for problem in self.problems],
                "request_id": request_id,
            }
        }


class MalformedJson(ApiError):
    """The body is not JSON as RFC 8259 has it, or not UTF-8."""


class NoKey(ApiError):
    """The call carries no key, or none that works."""

    def __init__(self, message: str) -> None:
        super().__init__(message, (), {"WWW-Authenticate": "Bearer"})


class Forbidden(ApiError):
    """The key is good, but not for this."""


class UnknownCustomer(ApiError):
    """The snapshot holds no such customer."""


class UnknownTarget(ApiError):
    """Nothing is predicted under this name."""


class UnknownIndicator(ApiError):
    """Nothing is measured under this name, or by this column."""


class UnknownPath(ApiError):
    """No route has this path."""


class WrongMethod(ApiError):
    """The path exists, but not for this method."""


class BodyTooSlow(ApiError):
    """The body did not arrive in time."""


class KeyReused(ApiError):
    """An idempotency key came again, with another content."""


class LeverStuck(ApiError):
    """A lever cannot be set so for this customer, as he stands."""


class BodyTooLarge(ApiError):
    """The body is larger than the limit."""


class LineTooLong(ApiError):
    """A line of a stream is larger than the limit."""


class WrongMediaType(ApiError):
    """The body is something else than uncompressed application/json."""


class InvalidRequest(ApiError):
    """The body is JSON, but not what the operation takes.

    `rules` counts the rows at fault by the rule they break, for the metrics.
    """

    def __init__(
        self, message: str, problems: Sequence[Problem] = (), rules: Mapping[str, int] | None = None
    ) -> None:
        super().__init__(message, problems)
        self.rules = dict(rules or {"contract": 1})


class TooMany(ApiError):
    """The client asks more often than it may, or the service is busy; `seconds` is how long to wait."""

    def __init__(self, message: str, seconds: int = 1) -> None:
        super().__init__(message, (), {"Retry-After": str(seconds)})


class Unexpected(ApiError):
    """A bug: the log names the exception under the request id."""


class NotReady(ApiError):
    """No model, no snapshot or no evaluation is loaded yet."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, problems, {"Retry-After": str(RETRY_SECONDS)})


class NotStored(ApiError):
    """What was sent could not be written down."""

    def __init__(self, message: str) -> None:
        super().__init__(message, (), {"Retry-After": str(RETRY_SECONDS)})


class StaleFeatures(ApiError):
    """The snapshot is older than the company allows to answer from."""

    def __init__(self, message: str) -> None:
        super().__init__(message, (), {"Retry-After": str(STALE_RETRY_SECONDS)})


class TooSlow(ApiError):
    """The answer took longer than the service allows itself."""


class HttpOutcome(NamedTuple):
    """How an error class looks over HTTP; `meaning` is what the documentation says."""

    status: int
    code: str
    meaning: str


#: What a client should wait before it asks a service again that is not ready.
RETRY_SECONDS = 5
#: New features come with the next run of the schedule.
STALE_RETRY_SECONDS = 600

HTTP_OUTCOMES: dict[type[ApiError], HttpOutcome] = {
    MalformedJson: HttpOutcome(400, "malformed_json", "The body is not valid JSON in UTF-8."),
    NoKey: HttpOutcome(401, "no_key", "No key that works was sent as `Authorization: Bearer gw_...`."),
    Forbidden: HttpOutcome(403, "forbidden", "The key is not for this operation or this service."),
    UnknownCustomer: HttpOutcome(404, "unknown_customer", "The snapshot holds no such customer."),
    UnknownTarget: HttpOutcome(404, "unknown_target", "Nothing is predicted under this name."),
    UnknownIndicator: HttpOutcome(
        404, "unknown_indicator", "Nothing is measured under this name, or by this column."
    ),
    UnknownPath: HttpOutcome(404, "unknown_path", "No route has this path."),
    WrongMethod: HttpOutcome(405, "wrong_method", "The path exists, but not for this method."),
    BodyTooSlow: HttpOutcome(408, "body_too_slow", "The body did not arrive in time."),
    KeyReused: HttpOutcome(409, "key_reused", "The idempotency key came with another content before."),
    LeverStuck: HttpOutcome(409, "lever_stuck", "A lever cannot be set so for this customer."),
    BodyTooLarge: HttpOutcome(413, "body_too_large", "The body is larger than 10 MiB."),
    LineTooLong: HttpOutcome(413, "line_too_long", "A line of a stream is longer than 64 KiB."),
    WrongMediaType: HttpOutcome(415, "wrong_media_type", "Only uncompressed application/json is read."),
    InvalidRequest: HttpOutcome(422, "invalid_request", "The body is not what the operation takes."),
    TooMany: HttpOutcome(
        429, "too_many", "More calls than allowed; `Retry-After` says when to ask again."
    ),
    Unexpected: HttpOutcome(500, "unexpected", "A bug; the log names it under the request id."),
    NotReady: HttpOutcome(503, "not_ready", "No model, snapshot or evaluation is loaded yet."),
    NotStored: HttpOutcome(503, "not_stored", "What was sent could not be written down; nothing was."),
    StaleFeatures: HttpOutcome(
        503, "stale_features", "The features are older than the company allows."
    ),
    TooSlow: HttpOutcome(504, "too_slow", "The answer took too long."),
}
