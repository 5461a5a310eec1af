"""What the what-if operation takes and gives, as pydantic models with examples."""

from datetime import datetime

from pydantic import BaseModel, Field

from serve.records import CustomerId, Text
from serve.schemas import Language, shape

_MOVE = {
    "lever": "reply time",
    "unit": "hours",
    "start": 71.2,
    "end": 14.1,
    "columns": {"reply_hours_90d": 4.9, "reply_hours_365d": 14.1},
}


class WhatIfRequest(BaseModel):
    """A customer of the snapshot, a target, and the score it should reach.

    The goal is in points of 100 for a probability, -100 to 100 for NPS, 0 to 100 for satisfaction,
    money for value.
    """

    model_config = shape({"customer_id": "C-1001", "target": "churn", "goal": 10.0})

    customer_id: CustomerId
    target: Text
    goal: float = Field(ge=-1e15, le=1e15)
    language: Language = "en"


class MoveAnswer(BaseModel):
    """One thing to be otherwise: from where the customer stands to where he would be."""

    model_config = shape(_MOVE)

    lever: str
    unit: str
    start: float | None
    end: float
    columns: dict[str, float | None]


class WhatIfResponse(BaseModel):
    """What the model would say then; never a promise that the customer would."""

    model_config = shape(
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
    goal: float
    reached: bool
    score: float
    score_then: float
    moves: list[MoveAnswer]
    text: str
