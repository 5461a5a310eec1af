"""The `[feedback]` section: which feedback is plausible, and which is in the table, too."""

from datetime import datetime

from pydantic import Field

from features.config.toml_section import TomlSection


class FeedbackSettings(TomlSection):
    """What the import does with feedback from the CRM: plausible values, events that came twice.

    An amount or quantity is plausible up to `plausible_multiple` times the value that 99% of the
    company's own events of the same kind stay below; `largest_amount` and `largest_quantity` fix the
    largest plausible value instead. An event is plausible from `earliest` on (default: 366 days
    before the first event of the company's table). Other events are quarantined. An event of feedback
    is one of the table's when both have customer, kind and values in common and occurred at most
    `same_event_minutes` apart, or on the same day where one of them has no time of day.
    """

    plausible_multiple: float = Field(default=100.0, ge=1.0, le=1e9)
    largest_amount: float | None = Field(default=None, gt=0.0, le=1e15)
    largest_quantity: float | None = Field(default=None, gt=0.0, le=1e15)
    earliest: datetime | None = None
    same_event_minutes: float = Field(default=1.0, ge=0.0, le=1440.0)
