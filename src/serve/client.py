"""A client of the service in one file, for notebooks and programs; needs only httpx.

with Client("http://127.0.0.1:3000") as goodwill:
    for score in goodwill.scores(["C-1001", "C-1002"], targets=["churn"], reasons=3):
        print(score["customer_id"], score["predictions"]["churn"]["probability"])
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NotRequired, Self, TypedDict
from urllib.parse import quote

import httpx

Language = Literal["en", "zh"]
Output = float | str | bool | list[float] | None
#: Maximum number of ids per call.
MOST_IDS = 1_000
#: Statuses after which a call is repeated.
RETRY_STATUSES = (429, 503)


class Reason(TypedDict):
    """The contribution of one factor to a score, in points or money."""

    feature: str
    meaning: str
    unit: str
    value: float | str | None
    effect: float | None
    factor: str
    text: str


class Score(TypedDict):
    """One customer's predictions and reasons, each by target."""

    customer_id: str
    predictions: dict[str, dict[str, Output]]
    reasons: dict[str, list[Reason]]


#: The scores of an earlier run: `as_of`, `versions`, and the score of each target under its name,
#: None where there was no model.
PastScore = dict[str, Any]


class EvaluatedStatus(TypedDict):
    """The customer status of the last evaluation; None where unknown.

    `migration` has from, to, since, cause; `next_step` has manager and within_hours.
    """

    tier: str | None
    stars: int | None
    stage: str | None
    service_level: str | None
    next_step: dict[str, Any] | None
    value_score: dict[str, float | None] | None
    group: str | None
    quadrant: str | None
    migration: dict[str, str | None] | None


class Customer(Score, EvaluatedStatus):
    """One customer with everything the service knows."""

    request_id: str
    as_of: str
    feature_age_seconds: float
    warnings: list[str]
    model_versions: dict[str, str]
    owner: str | None
    region: str | None
    segment: str | None
    history: list[PastScore]
    levers: list[dict[str, Any]]
    standing_as_of: str | None


class Line(Score):
    """One line of a streamed answer: a score or an error."""

    line: int
    model_versions: dict[str, str]
    error: NotRequired[dict[str, Any]]


class Outcome(TypedDict):
    """An event of a customer, to be reported to the service."""

    customer_id: str
    occurred_at: str
    kind: str
    amount: NotRequired[float | None]
    quantity: NotRequired[float | None]
    channel: NotRequired[str | None]
    category: NotRequired[str | None]


class ServiceError(Exception):
    """The service answered with an error; `code` is stable, `request_id` finds the call in its log."""

    def __init__(self, status: int, error: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {error['code']}: {error['message']} ({error['request_id']})")
        self.status, self.code = status, str(error["code"])
        self.details: list[dict[str, str]] = error["details"]
        self.request_id = str(error["request_id"])


class Client:
    """Calls one service. `key` is sent as a bearer token; after 429 and 503, up to `tries` attempts."""

    def __init__(
        self, url: str, key: str | None = None, *, tries: int = 3, seconds: float = 60.0
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=seconds, trust_env=False)
        self._tries = tries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._http.close()

    def scores(
        self, customer_ids: Iterable[str], targets: Sequence[str] | None = None,
        reasons: int = 0, language: Language = "en",
    ) -> list[Score]:  # fmt: skip
        """Score any number of customers, 1,000 per call; unknown ones are left out."""
        found: list[Score] = []
        distinct = [*dict.fromkeys(customer_ids)]
        for start in range(0, len(distinct), MOST_IDS):
            ids = distinct[start : start + MOST_IDS]
            body = {"customer_ids": ids, "targets": targets, "reasons": reasons,
                    "language": language}  # fmt: skip
            found += self._call("POST", "/v1/scores", json=body)["scores"]
        return found

    def score_records(
        self, records: Mapping[str, Any], as_of: str | None = None, reasons: int = 0
    ) -> list[Score]:
        """Score customers from rows that are sent along."""
        body = {"records": records, "as_of": as_of, "reasons": reasons}
        scores: list[Score] = self._call("POST", "/v1/scores/records", json=body)["scores"]
        return scores

    def stream(
        self, customer_ids: Iterable[str], targets: Sequence[str] | None = None, reasons: int = 0
    ) -> Iterator[Line]:
        """Score a stream of customers; yield a line for each, also for errors.

        Raises ServiceError when the stream is refused or ends early.
        """
        query = {"reasons": str(reasons)} | ({"targets": ",".join(targets)} if targets else {})
        lines = (json.dumps({"customer_id": c}).encode() + b"\n" for c in customer_ids)
        headers = {"Content-Type": "application/x-ndjson"}
        with self._http.stream(
            "POST", "/v1/scores/stream", params=query, content=lines, headers=headers
        ) as answer:
            if answer.is_error:
                answer.read()
                raise _error(answer)
            line: dict[str, Any] = {}
            for text in answer.iter_lines():
                line = json.loads(text)
                if "line" in line:
                    yield line  # type: ignore[misc]
        if "end" not in line:
            raise ServiceError(answer.status_code, line.get("error", _CUT_OFF))

    def find(self, prefix: str, limit: int = 20) -> list[str]:
        """Find customers by the start of their id."""
        query = {"prefix": prefix, "limit": str(limit)}
        found: list[str] = self._call("GET", "/v1/customers", params=query)["customers"]
        return found

    def customer(self, customer_id: str, language: Language = "en") -> Customer:
        """Get one customer with everything the service knows."""
        path = f"/v1/customers/{quote(customer_id, safe='')}"
        found: Customer = self._call("GET", path, params={"language": language})
        return found

    def calls(
        self, order: Literal["risk", "churn_change", "value_change"] = "risk", *,
        limit: int = 25, after: str | None = None, language: Language = "en", **wanted: str,
    ) -> dict[str, Any]:  # fmt: skip
        """Get the call list; `wanted` are owner, region, tier and stage, `after` continues a list."""
        query: dict[str, str | None] = {
            "order": order, "limit": str(limit), "after": after, "language": language, **wanted,
        }  # fmt: skip
        return self._get("calls", query)

    def what_if(
        self, customer_id: str, target: str, *, goal: float | None = None,
        levers: Mapping[str, float] | None = None, language: Language = "en",
    ) -> dict[str, Any]:  # fmt: skip
        """Find what brings a customer to `goal`, or predict with given `levers`; pass one of them."""
        wanted = {"goal": goal} if levers is None else {"set": dict(levers)}
        body = {"customer_id": customer_id, "target": target, "language": language, **wanted}
        found: dict[str, Any] = self._call("POST", "/v1/whatif", json=body)
        return found

    def feedback(self, idempotency_key: str, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Report outcomes; a call repeated with the same key is stored once."""
        body = {"idempotency_key": idempotency_key, "outcomes": outcomes}
        answer: dict[str, Any] = self._call("POST", "/v1/feedback", json=body)
        return answer

    def indicators(self, name: str | None = None, by: str | None = None) -> dict[str, Any]:
        """Get the indicators of the last evaluation: all or one, with all groups or one column's."""
        return self._get("indicators", {"name": name, "by": by})

    def segments(self, by: str | None = None) -> dict[str, Any]:
        """Get the segments of the last evaluation: all, or those by tier, stars or stage."""
        return self._get("segments", {"by": by})

    def models(self) -> list[dict[str, Any]]:
        """List the loaded models."""
        models: list[dict[str, Any]] = self._call("GET", "/v1/models")["models"]
        return models

    def model(self, target: str) -> dict[str, Any]:
        """Get one model: measures, calibration, card."""
        model: dict[str, Any] = self._call("GET", f"/v1/models/{quote(target, safe='')}")
        return model

    def _get(self, name: str, query: Mapping[str, str | None]) -> dict[str, Any]:
        given = {field: value for field, value in query.items() if value is not None}
        answer: dict[str, Any] = self._call("GET", f"/v1/{name}", params=given)
        return answer

    def _call(self, method: str, path: str, **how: Any) -> Any:
        for _ in range(self._tries - 1):
            answer = self._http.request(method, path, **how)
            if answer.status_code not in RETRY_STATUSES:
                break
            time.sleep(min(10.0, float(answer.headers.get("Retry-After", 1))))
        else:
            answer = self._http.request(method, path, **how)
        if answer.is_error:
            raise _error(answer)
        return answer.json()


_CUT_OFF = {
    "code": "cut_off", "message": "the stream ended early", "details": [], "request_id": "unknown",
}  # fmt: skip


def _error(answer: httpx.Response) -> ServiceError:
    try:
        return ServiceError(answer.status_code, answer.json()["error"])
    except (ValueError, KeyError, TypeError):  # e.g. from a proxy before the service
        request = answer.headers.get("x-request-id", "unknown")
        body = {"code": "no_answer", "message": answer.reason_phrase, "details": []}
        return ServiceError(answer.status_code, {**body, "request_id": request})
