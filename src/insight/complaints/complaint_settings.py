"""Settings of the complaint analysis: `[insight.complaints]`."""

from typing import Literal

from pydantic import Field, field_validator

from features.config.toml_section import TomlSection


class ComplaintSettings(TomlSection):
    """How complaints are found, and which exposures count as possible causes.

    `source`: tickets, or the comments of dissatisfied answers if a company has no tickets (unset:
    tickets if there are any). An exposure counts within `window_days` before the index date. A reply
    after `reply_hours` and a solution after `close_days` are slow. `delivery` are the kinds of event
    that fulfil a promise to the customer (their `due_at`), `before_delivery` those that fulfil an
    internal one. A promise is broken `late_days[0]` days after its due day; the other numbers are bounds
    of the dose bands. `leave_days` is the time between two cutoffs at which churn is examined.
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
