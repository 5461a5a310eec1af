"""Requests and answers of the scoring operations, the health checks and errors, with examples.

Pydantic validates requests and documents answers. What an answer holds once for each customer or
reason is a plain dataclass: building and serializing it costs a fraction of a pydantic model's time.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from serve.schemas.record_schemas import CustomerId, Instant, Records, Text

MOST_IDS, MOST_TARGETS, MOST_REASONS, DEFAULT_REASONS = 1_000, 20, 10, 3

#: Example values, also used by the examples of other models.
AS_OF = "2025-06-30T00:00:00Z"
REASON = {
    "feature": "days_since_order",
    "meaning": "Days since the last order",
    "unit": "days",
    "value": 74.0,
    "effect": 5.2,
    "factor": "days_since_order",
    "text": "74 days since the last order: +5.2 points churn risk",
}
SCORE = {
    "customer_id": "C-1001",
    "predictions": {
        "churn": {
            "probability": 0.31,
            "in_population": True,
            "months_left": 8.9,
            "survival": [1.0, 0.9, 0.79],
            "abstain": False,
        }
    },
    "reasons": {"churn": [REASON]},
}
_ERROR = {
    "code": "invalid_request",
    "message": "the request has 1 problem",
    "details": [{"where": "customer_ids[2]", "problem": "Input should be a valid string"}],
    "request_id": "7f1c2a",
}
_EVENT = {
    "customer_id": "C-1001",
    "occurred_at": "2025-05-02T10:00:00Z",
    "kind": "order",
    "amount": 129.9,
}


def _reasons(value: object) -> int:
    if isinstance(value, bool):
        return DEFAULT_REASONS if value else 0
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if whole and 0 <= value <= MOST_REASONS:  # type: ignore[operator]  # JSON knows no 2.0
        return int(value)  # type: ignore[call-overload, no-any-return]
    raise PydanticCustomError(
        "reasons", f"must be a whole number from 0 to {MOST_REASONS}, or true for {DEFAULT_REASONS}"
    )


Reasons = Annotated[
    int,
    PlainValidator(_reasons),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 0, "maximum": MOST_REASONS},
                {"type": "boolean"},
            ]
        }
    ),
    Field(description=f"Reasons per target: 0 to {MOST_REASONS}; true means {DEFAULT_REASONS}."),
]
Language = Annotated[Literal["en", "zh"], Field(description="Language of the sentences.")]
Targets = Annotated[
    list[Text] | None,
    Field(
        min_length=1, max_length=MOST_TARGETS, description="Targets to score; all when left out."
    ),
]


def schema_config(example: dict[str, Any]) -> ConfigDict:
    """Make the configuration of every model: strict types, no unknown fields, one example."""
    return ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [example]},
    )


class ScoreRequest(BaseModel):
    """Customers of the snapshot to score; an id that occurs twice is scored once."""

    model_config = schema_config(
        {"customer_ids": ["C-1001", "C-9999"], "targets": ["churn"], "reasons": 3}
    )

    customer_ids: list[CustomerId] = Field(min_length=1, max_length=MOST_IDS)
    targets: Targets = None
    reasons: Reasons = 0
    language: Language = "en"


class RecordsRequest(BaseModel):
    """Rows of customers, to be scored as of `as_of` (default: now)."""

    model_config = schema_config(
        {
            "records": {
                "customers": [
                    {"customer_id": "C-1001", "valid_from": "2024-01-01T00:00:00Z", "size": 40}
                ],
                "events": [_EVENT],
            },
            "as_of": AS_OF,
            "targets": ["churn"],
        }
    )

    records: Records
    as_of: Instant | None = None
    targets: Targets = None
    reasons: Reasons = 0
    language: Language = "en"


#: One output of a model: a probability or score, a class, a flag, a curve; None without a prediction.
Output = float | str | bool | list[float] | None
Predictions = dict[str, dict[str, Output]]


@dataclass(frozen=True, slots=True)
class ScoreReason:
    """The contribution of one factor to one customer's score.

    `effect` is in points of 100 (NPS: of -100 to 100) or money. `feature` is the column with the
    largest part of it and `value` that column at the cutoff, null where it is missing.
    """

    __pydantic_config__ = schema_config(REASON)

    feature: str
    meaning: str
    value: float | str | None
    effect: float | None
    unit: str
    factor: str
    text: str


@dataclass(frozen=True, slots=True)
class CustomerScore:
    """One customer's predictions and reasons, each by target."""

    __pydantic_config__ = schema_config(SCORE)

    customer_id: str
    predictions: Predictions
    reasons: dict[str, list[ScoreReason]]


class ScoreAnswer(BaseModel):
    """Scores made with one set of model versions; unknown customers are listed, not an error."""

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "as_of": AS_OF,
            "feature_age_seconds": 5400.0,
            "warnings": [],
            "model_versions": {"churn": "3"},
            "scores": [SCORE],
            "unknown_customers": ["C-9999"],
        }
    )

    request_id: str
    as_of: datetime
    feature_age_seconds: float
    warnings: list[str]
    model_versions: dict[str, str]
    scores: list[CustomerScore]
    unknown_customers: list[str]


class HealthAnswer(BaseModel):
    """State of the process; `missing` gives the reason for each unavailable target or evaluation."""

    model_config = schema_config({"status": "ready", "missing": {"nps": "no champion yet"}})

    status: str
    missing: dict[str, str] = {}


class ErrorDetail(BaseModel):
    """One problem and its place in the request; never the value that was sent."""

    model_config = schema_config(_ERROR["details"][0])  # type: ignore[arg-type]

    where: str
    problem: str


class ErrorBody(BaseModel):
    """What went wrong; `code` is stable, `message` is for people."""

    model_config = schema_config(_ERROR)

    code: str
    message: str
    details: list[ErrorDetail]
    request_id: str


class ErrorAnswer(BaseModel):
    """The body of every error answer."""

    model_config = schema_config({"error": _ERROR})

    error: ErrorBody
