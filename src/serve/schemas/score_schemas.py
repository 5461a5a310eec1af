"""What the operations take and give, as pydantic models with examples."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from serve.schemas.examples import AS_OF, ERROR, EVENT, REASON, SCORE, SCORE_ANSWER
from serve.schemas.record_schemas import CustomerId, Instant, Records, Text

MOST_IDS, MOST_TARGETS, MOST_REASONS, USUAL_REASONS = 1_000, 20, 10, 3


def _reasons(value: object) -> int:
    if isinstance(value, bool):
        return USUAL_REASONS if value else 0
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if whole and 0 <= value <= MOST_REASONS:  # type: ignore[operator]  # JSON knows no 2.0
        return int(value)  # type: ignore[call-overload, no-any-return]
    raise PydanticCustomError(
        "reasons", f"must be a whole number from 0 to {MOST_REASONS}, or true for {USUAL_REASONS}"
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
    Field(description=f"Reasons a target: 0 to {MOST_REASONS}; true means {USUAL_REASONS}."),
]
Language = Annotated[Literal["en", "zh"], Field(description="Of the sentences.")]
Targets = Annotated[
    list[Text] | None,
    Field(
        min_length=1, max_length=MOST_TARGETS, description="Targets to score; all when left out."
    ),
]


def schema_config(example: dict[str, Any]) -> ConfigDict:
    """How every model reads and writes: nothing beyond its fields, no lax types; with an example."""
    return ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        allow_inf_nan=False,
        json_schema_extra={"examples": [example]},
    )


class ScoreRequest(BaseModel):
    """Customers of the snapshot to score; an id named twice is scored once."""

    model_config = schema_config({"customer_ids": ["C-1001", "C-9999"], "targets": ["churn"], "reasons": 3})

    customer_ids: list[CustomerId] = Field(min_length=1, max_length=MOST_IDS)
    targets: Targets = None
    reasons: Reasons = 0
    language: Language = "en"


class RecordsRequest(BaseModel):
    """Rows of customers to score as they would stand at `as_of` (default: now)."""

    model_config = schema_config(
        {
            "records": {
                "customers": [
                    {"customer_id": "C-1001", "valid_from": "2024-01-01T00:00:00Z", "size": 40}
                ],
                "events": [EVENT],
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


class ReasonAnswer(BaseModel):
    """What moved a score: `effect` is in points of 100 (NPS: of -100 to 100) or money."""

    model_config = schema_config(REASON)

    feature: str
    meaning: str
    unit: str
    value: float | str | None
    effect: float | None
    factor: str
    text: str


Predictions = dict[str, dict[str, float | str | bool | list[float] | None]]


class CustomerScore(BaseModel):
    """One customer's predictions and reasons, each by target."""

    model_config = schema_config(SCORE)

    customer_id: str
    predictions: Predictions
    reasons: dict[str, list[ReasonAnswer]]


class ScoreAnswer(BaseModel):
    """Scores made with one set of model versions; unknown customers are named, not an error."""

    model_config = schema_config(SCORE_ANSWER)

    request_id: str
    as_of: datetime
    feature_age_seconds: float
    warnings: list[str]
    model_versions: dict[str, str]
    scores: list[CustomerScore]
    unknown_customers: list[str]


class HealthAnswer(BaseModel):
    """How the process is; `missing` names what cannot be told (a target, the evaluation) and why."""

    model_config = schema_config({"status": "ready", "missing": {"nps": "no champion yet"}})

    status: str
    missing: dict[str, str] = {}


class ErrorDetail(BaseModel):
    """One thing that is wrong, and where; never the value that was sent."""

    model_config = schema_config({"where": "customer_ids[2]", "problem": "Input should be a valid string"})

    where: str
    problem: str


class ErrorBody(BaseModel):
    """What went wrong; `code` is stable, `message` is for people."""

    model_config = schema_config(ERROR["error"])

    code: str
    message: str
    details: list[ErrorDetail]
    request_id: str


class ErrorAnswer(BaseModel):
    """The one shape of every error."""

    model_config = schema_config(ERROR)

    error: ErrorBody
