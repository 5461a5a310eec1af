"""Indicators of an evaluation: values over time and by group, goals, verdicts, forecasts, alerts.

Numbers are never NaN: what is not known is null. The order of the fields is the order in the file.
"""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

TargetVerdict = Literal["reached", "missed", "uncertain", "unmeasured"]
ChangeDirection = Literal["up", "down", "no", "unknown"]
VerdictKind = Literal["usual", "jump", "shift", "unwatched"]


class EvaluationModel(BaseModel):
    """Part of an evaluation. Unknown keys are refused, so that a file of another format is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IntervalEstimate(EvaluationModel):
    """A value with its 95% interval."""

    value: float
    low: float | None = None
    high: float | None = None


class PeriodValue(EvaluationModel):
    """An indicator in one whole period; `period` is the first day of it."""

    period: date
    value: float
    low: float | None
    high: float | None
    asked: int
    answered: int


class IndicatorForecast(EvaluationModel):
    """Forecast of an indicator's next periods.

    `skill` is the share of the error that it avoids compared with repeating the value of the same
    season; `trials` is the number of backtests behind it.
    """

    method: str
    skill: float
    trials: int
    points: list[PeriodValue]


class GroupValue(EvaluationModel):
    """An indicator of one group in the last period.

    `year` is the value among those who answered questions of the last year; `everybody` estimates it
    for everybody who was asked. Only satisfaction is forecast by group; `no_forecast` gives the reason
    where a forecast is missing. `over_time` has the values of headline indicators in the periods with
    enough answers, for attributes with few groups.
    """

    by: str
    group: str
    value: float
    low: float | None
    high: float | None
    asked: int
    answered: int
    coverage: float
    customers: int
    year: float | None = None
    everybody: IntervalEstimate | None = None
    forecast: IndicatorForecast | None = None
    no_forecast: str = ""
    over_time: list[PeriodValue] = Field(default_factory=list)


class HiddenGroups(EvaluationModel):
    """Number of groups too small to show, and of the answers in them."""

    cells: int
    answers: int


class IndicatorGoal(EvaluationModel):
    """The target of an indicator and whether it is reached.

    It is reached or missed when the whole interval lies on that side of the target: that of the figure
    corrected for non-response, where there is one. `gap` is the distance to the target, 0 where the
    value reaches it, null where nothing is measured.
    """

    target: float
    better: Literal["higher", "lower"]
    until: str = ""
    owner: str = ""
    verdict: TargetVerdict
    gap: float | None = None


class EmptyPeriod(EvaluationModel):
    """The last whole period, where an indicator has too few cases in it for a value.

    `period` is its first day, `answered` the number of cases in it; `last` is the day of the last case
    of all, null where it is not recorded.
    """

    period: date
    cases: Literal["answers", "customers", "complaints"]
    answered: int
    last: date | None = None


class IndicatorLevel(EvaluationModel):
    """The level of an indicator, without season, from the period `since` on."""

    since: date
    value: float


class ChangeVerdict(EvaluationModel):
    """What the control chart says about the last period: the one verdict of tile, alert and trend.

    `usual`; `jump`: beyond chance, not yet lasting; `shift`: a lasting change, found in this period;
    `unwatched`: too short a history, or no standard errors. `direction` is that of the change.
    `expected` is the usual value of the period before any change, with season; beyond `low` and `high` a
    single value is beyond chance. `since` is the first period of the change, or else of the current
    level. `errors_off` is the change in standard errors, `chance` the probability that chance alone
    looks as clear. `levels` are the levels up to now, the last one current.
    """

    kind: VerdictKind
    direction: ChangeDirection
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    since: date | None = None
    errors_off: float | None = None
    chance: float | None = None
    levels: list[IndicatorLevel] = Field(default_factory=list)

    @property
    def level(self) -> float | None:
        """The current level, without season."""
        return self.levels[-1].value if self.levels else None

    @property
    def is_alert(self) -> bool:
        """Whether the last period is beyond chance."""
        return self.kind in ("jump", "shift")


UNWATCHED = ChangeVerdict(kind="unwatched", direction="unknown")


class Indicator(EvaluationModel):
    """An indicator in the last whole period, over time, and by group.

    Where the last whole period is empty, or nearly, `empty_period` describes it, and everything else is
    that of the last period with enough cases.
    `asked` counts the rows it is about, `answered` those with a value; `coverage` is their ratio.
    `before` is the value of the period before. `verdict` is what the control chart says, `moved` its
    direction. `year` is the value among those who answered questions of the last year; `everybody`
    estimates it for everybody who was asked, and `why_not` gives the reason where it is missing.
    """

    name: str
    dimension: str | None = None
    title: str
    unit: str
    kind: Literal["rate", "mean", "median"]
    period: date
    value: float
    low: float | None
    high: float | None
    asked: int
    answered: int
    coverage: float
    customers: int
    before: float | None = None
    moved: ChangeDirection = "unknown"
    verdict: ChangeVerdict = UNWATCHED
    year: float | None = None
    everybody: IntervalEstimate | None = None
    why_not: str = ""
    goal: IndicatorGoal | None = None
    over_time: list[PeriodValue] = Field(default_factory=list)
    forecast: IndicatorForecast | None = None
    no_forecast: str = ""
    cells: list[GroupValue] = Field(default_factory=list)
    hidden: dict[str, HiddenGroups] = Field(default_factory=dict)
    empty_period: EmptyPeriod | None = Field(default=None, exclude_if=lambda found: found is None)


class IndicatorAlert(EvaluationModel):
    """An indicator of a group that is beyond chance in the last period: its verdict, as an alert.

    `by` and `group` are "all" for the indicator of the whole company. The other fields are those of
    `ChangeVerdict`; `level` is the new level of a `shift`.
    """

    indicator: str
    dimension: str | None = None
    by: str
    group: str
    period: date
    kind: Literal["jump", "shift"]
    value: float
    expected: float
    errors_off: float
    since: date | None = None
    level: float | None = None
