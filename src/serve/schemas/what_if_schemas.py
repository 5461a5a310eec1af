"""What the what-if operation takes and gives, as pydantic models with examples."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from serve.schemas.record_schemas import CustomerId, Text
from serve.schemas.score_schemas import Language, schema_config
from serve.scoring.scorer import WhatIfTarget

MOST_LEVERS = 20
_BY_HAND: dict[str, Any] = {"customer_id": "C-1001", "target": "churn", "set": {"reply time": 12.0}}
_MOVE = {
    "lever": "reply time",
    "unit": "hours",
    "start": 71.2,
    "end": 14.1,
    "columns": {"reply_hours_90d": 4.9, "reply_hours_365d": 14.1},
}


def _given(value: float | dict[str, float] | None) -> float | dict[str, float]:
    if value is None:
        raise PydanticCustomError("given", "must be left out rather than null")
    return value


Goal = Annotated[
    float | None,
    Field(ge=-1e15, le=1e15),
    AfterValidator(_given),
    WithJsonSchema({"type": "number", "minimum": -1e15, "maximum": 1e15}),
]
Setting = Annotated[
    dict[Text, float] | None,
    Field(min_length=1, max_length=MOST_LEVERS),
    AfterValidator(_given),
    WithJsonSchema(
        {
            "type": "object",
            "minProperties": 1,
            "maxProperties": MOST_LEVERS,
            "additionalProperties": {"type": "number"},
            "description": "Levers of the customer, and where to set each.",
        }
    ),
]


class WhatIfRequest(BaseModel):
    """A customer of the snapshot, a target, and either a score to reach or levers set by hand.

    The goal is in points of 100 for a probability, -100 to 100 for NPS, 0 to 100 for satisfaction,
    money for value. `GET /v1/customers/{id}` names the customer's levers and how far each goes.
    """

    model_config = ConfigDict(
        **{
            **schema_config({}),
            "json_schema_extra": {
                "examples": [{"customer_id": "C-1001", "target": "churn", "goal": 10.0}, _BY_HAND],
                "oneOf": [{"required": ["goal"]}, {"required": ["set"]}],
            },
        }
    )

    customer_id: CustomerId
    target: Text
    # A factory, because a default of null would stand in a schema that has no null.
    goal: Goal = Field(default_factory=lambda: None)
    set: Setting = Field(default_factory=lambda: None)
    language: Language = "en"

    @model_validator(mode="after")
    def _one_wish(self) -> "WhatIfRequest":
        if (self.goal is None) == (self.set is None):
            raise PydanticCustomError("wish", "needs exactly one of goal and set")
        return self

    @property
    def wish(self) -> WhatIfTarget:
        """The goal, or the levers with where they are set."""
        return self.goal if self.goal is not None else self.set or {}


class MoveAnswer(BaseModel):
    """One thing to be otherwise: from where the customer stands to where he would be."""

    model_config = schema_config(_MOVE)

    lever: str
    unit: str
    start: float | None
    end: float
    columns: dict[str, float | None]


class WhatIfResponse(BaseModel):
    """What the model would say then; never a promise that the customer would.

    With levers set by hand, `goal` and `reached` are null. `abstain`: the model knows nobody like
    this customer.
    """

    model_config = schema_config(
        {
            "request_id": "7f1c2a",
            "as_of": "2025-06-30T00:00:00Z",
            "customer_id": "C-1001",
            "target": "churn",
            "version": "3",
            "goal": 10.0,
            "reached": True,
            "score": 18.2,
            "score_then": 9.4,
            "moves": [_MOVE],
            "abstain": False,
            "text": "If no first reply had taken longer than 14 hours (the longest took 3 days), the "
            "model would say 9.4 % churn risk instead of 18 %. This is what the model says, not a "
            "promise.",
        }
    )

    request_id: str
    as_of: datetime
    customer_id: str
    target: str
    version: str
    goal: float | None
    reached: bool | None
    score: float
    score_then: float
    moves: list[MoveAnswer]
    abstain: bool
    text: str
