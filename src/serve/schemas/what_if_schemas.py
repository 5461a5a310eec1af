"""Request and answer of the what-if operation, with examples."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from serve.schemas.record_schemas import CustomerId, Text
from serve.schemas.score_schemas import AS_OF, Language, schema_config

#: A score to reach, or levers by name with the amount to set each to.
WhatIfTarget = float | Mapping[str, float]

MOST_LEVERS = 20
_MANUAL: dict[str, Any] = {"customer_id": "C-1001", "target": "churn", "set": {"reply time": 12.0}}
_CHANGE = {
    "lever": "reply time",
    "unit": "hours",
    "start": 71.2,
    "end": 14.1,
    "columns": {"reply_hours_90d": 4.9, "reply_hours_365d": 14.1},
}
LEVER = {
    "lever": "reply time",
    "unit": "hours",
    "now": 71.2,
    "least": 1.0,
    "most": 71.2,
    "targets": ["churn", "satisfaction"],
}


def _not_null(value: float | dict[str, float] | None) -> float | dict[str, float]:
    if value is None:
        raise PydanticCustomError("given", "must be left out rather than null")
    return value


Goal = Annotated[
    float | None,
    Field(ge=-1e15, le=1e15),
    AfterValidator(_not_null),
    WithJsonSchema({"type": "number", "minimum": -1e15, "maximum": 1e15}),
]
LeverSettings = Annotated[
    dict[Text, float] | None,
    Field(min_length=1, max_length=MOST_LEVERS),
    AfterValidator(_not_null),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": MOST_LEVERS,
            "additionalProperties": {"type": "number"},
            "description": "Levers of the customer, with the amount to set each to.",
        }
    ),
]


class WhatIfRequest(BaseModel):
    """A customer of the snapshot, a target, and either a score to reach or levers to set.

    The goal is in points of 100 for a probability, -100 to 100 for NPS, 0 to 100 for satisfaction,
    money for value. `GET /v1/customers/{id}` lists the customer's levers and their ranges.
    """

    model_config = ConfigDict(
        **{
            **schema_config({}),
            "json_schema_extra": {
                "examples": [{"customer_id": "C-1001", "target": "churn", "goal": 10.0}, _MANUAL],
                "oneOf": [{"required": ["goal"]}, {"required": ["set"]}],
            },
        }
    )

    customer_id: CustomerId
    target: Text
    # A factory, because the schema would show a default of null, which is not allowed.
    goal: Goal = Field(default_factory=lambda: None)
    set: LeverSettings = Field(default_factory=lambda: None)
    language: Language = "en"

    @model_validator(mode="after")
    def _exactly_one(self) -> "WhatIfRequest":
        if (self.goal is None) == (self.set is None):
            raise PydanticCustomError("wish", "needs exactly one of goal and set")
        return self

    @property
    def goal_or_settings(self) -> WhatIfTarget:
        """The goal, or the levers with their amounts."""
        return self.goal if self.goal is not None else self.set or {}


@dataclass(frozen=True, slots=True)
class LeverRange:
    """A lever of one customer: the current amount and how far it can be moved.

    `targets` are those whose model depends on it.
    """

    __pydantic_config__ = schema_config(LEVER)

    lever: str
    unit: str
    now: float | None
    least: float
    most: float
    targets: list[str]


@dataclass(frozen=True, slots=True)
class LeverChange:
    """One lever moved from the current to a new amount, with the feature columns that change."""

    __pydantic_config__ = schema_config(_CHANGE)

    lever: str
    unit: str
    start: float | None
    end: float
    columns: dict[str, float | None]


class WhatIfAnswer(BaseModel):
    """The prediction after the smallest change that reaches the goal, or with the given settings.

    With given settings, `goal` and `reached` are null; a goal out of reach comes with the nearest
    score. `abstain`: the customer is out of distribution.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    customer_id: str
    target: str
    version: str
    goal: float | None
    reached: bool | None
    score: float
    score_then: float
    moves: list[LeverChange]
    abstain: bool
    text: str


class WhatIfResponse(WhatIfAnswer):
    """The model's prediction after the change; not a promise about the customer.

    With given settings, `goal` and `reached` are null. `abstain`: the customer is out of
    distribution.
    """

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "as_of": AS_OF,
            "customer_id": "C-1001",
            "target": "churn",
            "version": "3",
            "goal": 10.0,
            "reached": True,
            "score": 18.2,
            "score_then": 9.4,
            "moves": [_CHANGE],
            "abstain": False,
            "text": "If no first reply had taken longer than 14 hours (the longest took 3 days), the "
            "model would say 9.4% churn risk instead of 18%. This is what the model says, not a "
            "promise.",
        }
    )

    request_id: str
    as_of: datetime
