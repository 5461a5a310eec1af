"""Settings of the satisfaction metrics: `[insight.satisfaction]`."""

from typing import Literal

from pydantic import Field, model_validator

from features.config.toml_section import TomlSection


class SatisfactionSettings(TomlSection):
    """How metrics are computed and grouped.

    `by` names customer attributes (region, account_owner, ...) to group by besides the channel; a cell
    of fewer than `fewest` answers is suppressed. `detractors_to` and `promoters_from` are on 0 to 10,
    `satisfied_from` on 0 to 100. `mixed_scales` says how to treat a question asked on several scales.
    A customer with an event of `active_kinds` within a period is active in it. `customer_days` is the
    former name of `targets.churn.active_days`, which says who is a customer without contracts.
    `loyal_periods`: a customer who ordered in each of this many periods is loyal.
    """

    period: Literal["month", "quarter", "year"] = "quarter"
    by: list[str] = Field(default_factory=list)
    fewest: int = Field(default=20, ge=2)
    detractors_to: float = Field(default=6.0, ge=0.0, le=10.0)
    promoters_from: float = Field(default=9.0, ge=0.0, le=10.0)
    satisfied_from: float = Field(default=75.0, gt=0.0, le=100.0)
    effort_low_is_easy: bool = False
    mixed_scales: Literal["refuse", "linear", "equipercentile"] = "refuse"
    customer_days: int | None = Field(default=None, ge=1)
    active_kinds: list[str] = Field(default=["order", "login", "visit"], min_length=1)
    callback_kinds: list[str] = Field(default=["visit"], min_length=1)
    complaint_kinds: list[str] = Field(default=["complaint"], min_length=1)
    loyal_periods: int = Field(default=4, ge=2, le=24)

    @model_validator(mode="after")
    def _cut_points_in_order(self) -> "SatisfactionSettings":
        if self.detractors_to >= self.promoters_from:
            raise ValueError(
                f"detractors_to is {self.detractors_to:g}, not below promoters_from, "
                f"{self.promoters_from:g}; the standard is 6 and 9"
            )
        return self
