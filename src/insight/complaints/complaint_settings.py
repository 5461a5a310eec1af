"""What a company's TOML file says of its complaints: `[insight.complaints]`."""

from typing import Literal

from pydantic import Field, field_validator

from features.config.toml_section import TomlSection


class ComplaintSettings(TomlSection):
    """How complaints are found, and which past counts as a possible cause.

    `source`: tickets, or the comments of discontent answers where a company has no tickets (unset:
    tickets where there are some). `window_days` is how far a cause may lie before an answer or a
    departure. A reply after `reply_hours` and a solution after `close_days` are slow. `delivery`
    names the kinds of event that end a promise to the customer (their `due_at`), `before_delivery`
    those that end a promise inside the chain. A promise is broken `late_days[0]` days after its
    day; the numbers after it divide the late ones. `leave_days` is the time between two cutoffs at
    which departures are looked at.
    """

    source: Literal["tickets", "surveys"] | None = None
    kinds: list[str] = Field(default=["complaint"], min_length=1)
    window_days: int = Field(default=90, ge=1, le=1100)
    leave_days: int = Field(default=90, ge=1, le=1100)
    reply_hours: float = Field(default=24.0, gt=0)
    close_days: float = Field(default=7.0, gt=0)
    delivery: list[str] = Field(default=["shipment"])
    before_delivery: list[str] = Field(default=["handover"])
    late_days: list[float] = Field(default=[1.0, 3.0, 7.0, 14.0], min_length=1)

    @field_validator("late_days")
    @classmethod
    def _rise(cls, days: list[float]) -> list[float]:
        if sorted(set(days)) != days:
            raise ValueError("the days should rise, as in [1, 3, 7, 14]")
        return days
