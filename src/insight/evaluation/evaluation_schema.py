"""What an evaluation holds: one declaration for the file, the report and the HTTP answers."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from insight.evaluation.figure import Figure, Told
from insight.evaluation.schema_indicators import (
    Alert,
    Cell,
    Driver,
    Drivers,
    Forecast,
    Goal,
    Hidden,
    Indicator,
    Point,
    Turn,
    Verdict,
)
from insight.evaluation.schema_segments import Cause, Moves, Policy, Segment, Trait, Value, Weight

__all__ = [
    "Alert",
    "Cause",
    "Cell",
    "Driver",
    "Drivers",
    "Evaluation",
    "Figure",
    "Forecast",
    "Goal",
    "Hidden",
    "Indicator",
    "Moves",
    "Point",
    "Policy",
    "Segment",
    "Told",
    "Trait",
    "Turn",
    "Value",
    "Verdict",
    "Weight",
]


class Evaluation(Told):
    """Everything of one evaluation; `skipped` says of each part that is missing why.

    `period` is how long a period of the indicators is. `not_measured` are indicators without data.
    `stability` is how alike the groups of resampled customers are (1: always the same).
    """

    format: Literal[1] = 1
    company: str
    made_at: datetime
    as_of: datetime
    fingerprint: str
    versions: dict[str, str]
    currency: str
    period: Literal["month", "quarter", "year"]
    indicators: list[Indicator] = Field(default_factory=list)
    not_measured: dict[str, str] = Field(default_factory=dict)
    alerts: list[Alert] = Field(default_factory=list)
    too_young: int = 0
    drivers: Drivers | None = None
    segments: list[Segment] = Field(default_factory=list)
    stability: float | None = None
    tiers: Moves | None = None
    stages: Moves | None = None
    value: Value | None = None
    traits: list[Trait] = Field(default_factory=list)
    cycle: list[Turn] = Field(default_factory=list)
    skipped: dict[str, str] = Field(default_factory=dict)
