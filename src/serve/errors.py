"""Everything the service refuses: one class for each HTTP outcome, mapped in one table.

ApiError
├── MalformedJson      400
├── UnknownCustomer    404
├── UnknownPath        404
├── WrongMethod        405
├── BodyTooSlow        408
├── BodyTooLarge       413
├── WrongMediaType     415
├── InvalidRequest     422
├── Unexpected         500
├── NotReady           503
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
        return OUTCOMES[type(self)].status

    def body(self, request_id: str) -> dict[str, object]:
        """The one error shape of the service."""
        return {
            "error": {
                "code": OUTCOMES[type(self)].code,
                "message": self.message,
                "details": [problem._asdict() for problem in self.problems],
                "request_id": request_id,
            }
        }


class MalformedJson(ApiError):
    """The body is not JSON as RFC 8259 has it, or not UTF-8."""


class UnknownCustomer(ApiError):
    """The snapshot holds no such customer."""


class UnknownPath(ApiError):
    """No route has this path."""


class WrongMethod(ApiError):
    """The path exists, but not for this method."""


class BodyTooSlow(ApiError):
    """The body did not arrive in time."""


class BodyTooLarge(ApiError):
    """The body is larger than the limit."""


class WrongMediaType(ApiError):
    """The body is something else than uncompressed application/json."""


class InvalidRequest(ApiError):
    """The body is JSON, but not what the operation takes."""


class Unexpected(ApiError):
    """A bug: the log names the exception under the request id."""


class NotReady(ApiError):
    """No model or no snapshot is loaded yet."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, problems, {"Retry-After": str(RETRY_SECONDS)})


class TooSlow(ApiError):
    """The answer took longer than the service allows itself."""


class Outcome(NamedTuple):
    """How an error class looks over HTTP; `meaning` is what the documentation says."""

    status: int
    code: str
    meaning: str


#: What a client should wait before it asks a service again that is not ready.
RETRY_SECONDS = 5

OUTCOMES: dict[type[ApiError], Outcome] = {
    MalformedJson: Outcome(400, "malformed_json", "The body is not valid JSON in UTF-8."),
    UnknownCustomer: Outcome(404, "unknown_customer", "The snapshot holds no such customer."),
    UnknownPath: Outcome(404, "unknown_path", "No route has this path."),
    WrongMethod: Outcome(405, "wrong_method", "The path exists, but not for this method."),
    BodyTooSlow: Outcome(408, "body_too_slow", "The body did not arrive in time."),
    BodyTooLarge: Outcome(413, "body_too_large", "The body is larger than 10 MiB."),
    WrongMediaType: Outcome(415, "wrong_media_type", "Only uncompressed application/json is read."),
    InvalidRequest: Outcome(422, "invalid_request", "The body is not what the operation takes."),
    Unexpected: Outcome(500, "unexpected", "A bug; the log names it under the request id."),
    NotReady: Outcome(503, "not_ready", "No model or no snapshot is loaded yet."),
    TooSlow: Outcome(504, "too_slow", "The answer took too long."),
}
