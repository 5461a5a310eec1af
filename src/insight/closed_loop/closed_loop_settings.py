"""Settings of targets and actions in a company file: `[insight.loop]`."""

from datetime import date
from typing import Literal

from pydantic import Field, model_validator

from features.config.toml_section import TomlSection


class IndicatorTarget(TomlSection):
    """The target of one indicator: the value to reach, and whether higher or lower is better.

    `until` is the deadline, `owner` the person responsible, `actions` the categories of the actions
    planned for it.
    """

    target: float
    better: Literal["higher", "lower"] = "higher"
    until: str = ""
    owner: str = ""
    actions: list[str] = Field(default_factory=list)


class LoopSettings(TomlSection):
    """Targets by indicator, and which events are actions.

    Events of `kinds` are actions: `category` names the action, `channel` who did it or through which
    channel. A category that ends in `holdout` marks a customer of the hold-out group. The outcome is
    counted in the `outcome_days` after an action and compared with the `before_days` before it.

    Each action is analysed once: on its date in `analysis_dates`, stated before it begins, or
    `outcome_days` after its first `enrol_days`. Customers treated later are not counted; a later wave
    needs a name of its own.
    """

    targets: dict[str, IndicatorTarget] = Field(default_factory=dict)
    kinds: list[str] = Field(default=["campaign"], min_length=1)
    holdout: str = Field(default="/holdout", min_length=1)
    outcome_days: int = Field(default=90, ge=1, le=1100)
    before_days: int = Field(default=180, ge=1, le=1100)
    enrol_days: int = Field(default=30, ge=1, le=1100)
    analysis_dates: dict[str, date] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _check_actions(self) -> "LoopSettings":
        held_out = [a for t in self.targets.values() for a in t.actions if a.endswith(self.holdout)]
        if held_out:
            raise ValueError(
                f"the action {held_out[0]!r} is a hold-out group; name the action itself"
            )
        return self
