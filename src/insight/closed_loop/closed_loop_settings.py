"""What a company's TOML file says of its targets and actions: `[insight.loop]`."""

from typing import Literal

from pydantic import Field, model_validator

from features.config.table_mapping import Strict


class IndicatorTarget(Strict):
    """A target of one indicator: the value to reach, and whether more or less of it is better.

    `until` is the day it is to be reached by, `owner` who answers for it, `actions` the categories of
    the actions that are to bring it about.
    """

    target: float
    better: Literal["higher", "lower"] = "higher"
    until: str = ""
    owner: str = ""
    actions: list[str] = Field(default_factory=list)


class LoopSettings(Strict):
    """Targets by indicator, and how actions are found among the events.

    Events of `kinds` are actions: `category` says what was done, `channel` by whom or through what. A
    category that ends in `holdout` marks who was drawn for it and left alone. `outcome_days` is how
    long after it an action is given to show.
    """

    targets: dict[str, IndicatorTarget] = Field(default_factory=dict)
    kinds: list[str] = Field(default=["campaign"], min_length=1)
    holdout: str = Field(default="/holdout", min_length=1)
    outcome_days: int = Field(default=90, ge=1, le=1100)
    before_days: int = Field(default=180, ge=1, le=1100)

    @model_validator(mode="after")
    def _mean_something(self) -> "LoopSettings":
        ended = [a for t in self.targets.values() for a in t.actions if a.endswith(self.holdout)]
        if ended:
            raise ValueError(f"the action {ended[0]!r} is a hold-out group; name the action itself")
        return self
