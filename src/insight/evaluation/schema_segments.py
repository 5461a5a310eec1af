"""Segments of customers as an evaluation tells them: tiers, stars, stages, groups, and who moved."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from insight.evaluation.figure import Figure, Told


class Policy(Told):
    """What a tier is served with."""

    service_level: str
    manager: str
    first_reply_hours: float
    visits_per_year: int
    offers: list[str]


class Segment(Told):
    """A group of customers by one attribute of their standing, with what is expected of them.

    `by` is tier, stars, stage, quadrant, value (the predicted segment) or group (customers alike,
    with a `rule` that holds for `rule_share` of those it is true of and reaches `rule_reach`).
    `expected_value` is summed in the company's currency; satisfaction 0 to 100 and churn are means.
    """

    by: Literal["tier", "stars", "stage", "quadrant", "value", "group"]
    name: str
    customers: int
    share: float
    expected_value: float | None = None
    share_of_value: float | None = None
    satisfaction: float | None = None
    churn_probability: float | None = None
    rule: str | None = None
    rule_share: float | None = None
    rule_reach: float | None = None
    policy: Policy | None = None


class Cause(Told):
    """What moved customers between tiers: a dimension of the score, or a plain cause."""

    cause: str
    up: int
    down: int
    other: int


class Moves(Told):
    """Who moved between two dates: customers by state before (a row each) and after.

    `moved` is the share of those known at both dates; `plain` what plain quantiles would have moved.
    `rebuilt`: the earlier date was worked out afterwards with today's models.
    """

    since: datetime
    until: datetime
    before: list[str]
    after: list[str]
    customers: list[list[int]]
    moved: float | None
    plain: float | None = None
    causes: list[Cause] = Field(default_factory=list)
    rebuilt: bool = False


class Trait(Told):
    """What separates the best customers from the worst: effect -1 to 1 with its interval."""

    name: str
    effect: Figure
    best: str
    worst: str


class Weight(Told):
    """What a dimension of the value score weighs, by every method."""

    dimension: str
    by_method: dict[str, float]


class Value(Told):
    """How the value score is made: whose weights count, how far methods disagree, the yardstick.

    `top_changed` is the largest share of the best fifth that other weights would replace.
    `left_out` are measures nobody has, and why. `star_means` says what a star's chance is of.
    """

    method: str
    version: str
    drawn: datetime
    weights: list[Weight]
    top_changed: float | None
    left_out: dict[str, str]
    scored: int
    unscored: int
    star_means: str = ""
    star_chances: list[float] = Field(default_factory=list)
