"""Indicators as an evaluation tells them: over time, by group, against targets, and their drivers."""

from datetime import date
from typing import Literal

from pydantic import Field

from insight.evaluation.figure import Figure, Told

Verdict = Literal["reached", "missed", "uncertain", "unmeasured"]


class Point(Told):
    """An indicator in one whole period, which begins on `period`."""

    period: date
    value: float
    low: float | None
    high: float | None
    asked: int
    answered: int


class Forecast(Told):
    """An indicator's next periods; `skill` is the error spared against the same season repeated."""

    method: str
    skill: float
    trials: int
    points: list[Point]


class Cell(Told):
    """An indicator of one group in the last period, beside what everybody asked would have said.

    `everybody` is of the last year's questions, as is `year`, what those said who answered them. Only
    groups' satisfaction is forecast; `no_forecast` says why it is not.
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
    everybody: Figure | None = None
    forecast: Forecast | None = None
    no_forecast: str = ""


class Hidden(Told):
    """Groups too small to be shown, and the answers in them."""

    cells: int
    answers: int


class Goal(Told):
    """The target of an indicator and whether the whole interval lies on its good side.

    `gap` is what is missing to it, 0 where it is reached, null where nothing is measured.
    """

    target: float
    better: Literal["higher", "lower"]
    until: str = ""
    owner: str = ""
    verdict: Verdict
    gap: float | None = None


class Indicator(Told):
    """A figure of the last whole period, over time, and by group.

    `asked` and `answered` are the rows it is about and those with a value; `coverage` their ratio.
    `before` is the period before, `moved` whether the difference is beyond chance. `everybody` is what
    everybody asked in the last year would have said, beside `year`, what those said who answered;
    `why_not` says why it is missing.
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
    moved: Literal["up", "down", "no", "unknown"] = "unknown"
    year: float | None = None
    everybody: Figure | None = None
    why_not: str = ""
    goal: Goal | None = None
    over_time: list[Point] = Field(default_factory=list)
    forecast: Forecast | None = None
    no_forecast: str = ""
    cells: list[Cell] = Field(default_factory=list)
    hidden: dict[str, Hidden] = Field(default_factory=dict)


class Alert(Told):
    """A group's indicator that lies beyond chance in the last period (`jump` at once, or `drift`).

    `by` and `group` are "all" where it is that of the whole company.
    """

    indicator: str
    dimension: str | None = None
    by: str
    group: str
    period: date
    kind: Literal["jump", "drift"]
    value: float
    expected: float
    errors_off: float


class Driver(Told):
    """A dimension satisfaction hangs on: its effect, its share of importance, its mean."""

    name: str
    effect: Figure
    importance: Figure
    performance: Figure
    quadrant: str
    clear: bool


class Drivers(Told):
    """The drivers of overall satisfaction, the most important first; `explained` of the variance.

    `left_out` are dimensions too few people answer, and why.
    """

    outcome: str
    rows: int
    incomplete: int
    explained: float
    drivers: list[Driver]
    left_out: dict[str, str] = Field(default_factory=dict)


class Turn(Told):
    """One target's turn of the cycle: plan, do, check, act."""

    indicator: str
    plan: str
    do: str
    check: str
    act: str
    verdict: Verdict
