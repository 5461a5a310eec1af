"""Contents of an evaluation: one declaration for `evaluation.json`, the report and the HTTP answers.

Numbers are never NaN: what is not known is null. The order of the fields is the order in the file.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from insight.evaluation.business_schema import CommentTopic, CustomerCohort, RevenueChange
from insight.evaluation.indicator_schema import (
    EvaluationModel,
    Indicator,
    IndicatorAlert,
    IntervalEstimate,
    TargetVerdict,
)

SegmentKind = Literal["tier", "stars", "stage", "quadrant", "value", "group"]


class SatisfactionDriver(EvaluationModel):
    """A dimension that drives satisfaction: its effect, its share of importance, its mean score."""

    name: str
    effect: IntervalEstimate
    importance: IntervalEstimate
    performance: IntervalEstimate
    quadrant: str
    clear: bool


class SatisfactionDrivers(EvaluationModel):
    """The drivers of overall satisfaction, the most important first.

    `explained` is the share of the variance they explain. `left_out` gives the dimensions that too few
    customers answer, with the reason.
    """

    outcome: str
    rows: int
    incomplete: int
    explained: float
    drivers: list[SatisfactionDriver]
    left_out: dict[str, str] = Field(default_factory=dict)


class PdcaCycle(EvaluationModel):
    """One target in the PDCA cycle: plan, do, check, act."""

    indicator: str
    plan: str
    do: str
    check: str
    act: str
    verdict: TargetVerdict


class TierChange(EvaluationModel):
    """A customer's change of tier since the month before.

    `since` is when it happened, as far as known. `cause` is a dimension of the value score, or
    `borders`, `confirmed`, `score appeared`.
    """

    from_: Annotated[str, Field(alias="from")]
    to: str
    since: datetime | None
    cause: str | None


class NextStep(EvaluationModel):
    """Who contacts the customer, and within how many hours: the service policy of their tier.

    `manager` is `dedicated`, `shared` or `none` (customer service).
    """

    manager: str
    within_hours: float


class CustomerStatus(EvaluationModel):
    """The status of one customer in the evaluation; null where it is not known."""

    tier: str | None = None
    stars: int | None = None
    stage: str | None = None
    service_level: str | None = None
    next_step: Annotated[
        NextStep | None, Field(description="Null for a customer without a tier.")
    ] = None
    value_score: Annotated[
        IntervalEstimate | None, Field(description="0 to 100, with its interval.")
    ] = None
    group: Annotated[str | None, Field(description="Group of similar customers.")] = None
    quadrant: Annotated[str | None, Field(description="Of potential and risk.")] = None
    migration: Annotated[
        TierChange | None, Field(description="Null where the tier did not change.")
    ] = None


class TierPolicy(EvaluationModel):
    """How the customers of a tier are served."""

    service_level: str
    manager: str
    first_reply_hours: float
    visits_per_year: int
    offers: list[str]


class Segment(EvaluationModel):
    """Customers with the same value of one attribute of their status, and what is predicted for them.

    `by` is tier, stars, stage, quadrant, value (the predicted segment) or group (similar customers,
    described by a `rule`: `rule_share` of the customers it is true of are in the group, and it is true
    of `rule_reach` of the group). `expected_value` is a sum in the company's currency, with the ends of
    its 90% interval; `satisfaction` (0 to 100) and `churn_probability` are means.
    """

    by: SegmentKind
    name: str
    customers: int
    share: float
    expected_value: float | None = None
    expected_low: float | None = None
    expected_high: float | None = None
    share_of_value: float | None = None
    satisfaction: float | None = None
    churn_probability: float | None = None
    rule: str | None = None
    rule_share: float | None = None
    rule_reach: float | None = None
    policy: TierPolicy | None = None


class MigrationCause(EvaluationModel):
    """Moves between tiers by cause: a dimension of the score, or another reason."""

    cause: str
    up: int
    down: int
    other: int


class MigrationMatrix(EvaluationModel):
    """Migration matrix between two dates: customers by state before (rows) and after (columns).

    `moved` is the share of the customers known at both dates who changed; `plain` the share that tiers
    drawn from each month's own quantiles would have moved. `rebuilt`: the earlier date was computed
    later, with today's models.
    """

    since: datetime
    until: datetime
    before: list[str]
    after: list[str]
    customers: list[list[int]]
    moved: float | None
    plain: float | None = None
    causes: list[MigrationCause] = Field(default_factory=list)
    rebuilt: bool = False


class Trait(EvaluationModel):
    """A trait that separates the best customers from the worst: effect -1 to 1 with its interval."""

    name: str
    effect: IntervalEstimate
    best: str
    worst: str


class DimensionWeight(EvaluationModel):
    """Weight of one dimension of the value score, by every weighting method."""

    dimension: str
    by_method: dict[str, float]


class ItemRaterAgreement(EvaluationModel):
    """Agreement of the expert raters of one item (1: perfect), over the customers with two ratings.

    `icc` is the intraclass correlation of a single rater, `alpha` Krippendorff's; None if undefined.
    """

    item: str
    raters: int
    customers: int
    icc: IntervalEstimate | None
    alpha: IntervalEstimate | None


class ValueScoreSummary(EvaluationModel):
    """How the value score is made: the weighting method in use, the weights by method, the scales.

    `top_changed` is the largest share of the best fifth that another method would replace. `left_out`
    are metrics that no customer has, with the reason. `star_means` is the outcome whose chance the
    stars express, `star_chances` the chances from which a customer has 2, 3, 4 and 5 stars.
    `rater_agreement` is absent from the file without expert ratings by two raters or more.
    """

    method: str
    version: str
    drawn: datetime
    weights: list[DimensionWeight]
    top_changed: float | None
    left_out: dict[str, str]
    scored: int
    unscored: int
    star_means: str = ""
    star_chances: list[float] = Field(default_factory=list)
    rater_agreement: list[ItemRaterAgreement] = Field(
        default_factory=list, exclude_if=lambda items: not items
    )


class CustomerCounts(EvaluationModel):
    """Everybody known at the end of the data: customers, who has left, and without evidence."""

    customers: int
    left: int
    unknown: int


class CompanyEvaluation(EvaluationModel):
    """A company's evaluation.

    `customers` counts by the one definition; None without events and in older evaluations.
    `period` is the length of a period of the indicators. `not_measured` gives the indicators without
    data and `skipped` the missing parts, each with the reason. Alerts of the whole company come
    first; `too_young` counts the lines that are not watched: too short a history, or no intervals.
    `stability` is the agreement of the groups between resamples of the customers (1: always the same).
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
    alerts: list[IndicatorAlert] = Field(default_factory=list)
    too_young: int = 0
    drivers: SatisfactionDrivers | None = None
    customers: CustomerCounts | None = None
    segments: list[Segment] = Field(default_factory=list)
    stability: float | None = None
    tiers: MigrationMatrix | None = None
    stages: MigrationMatrix | None = None
    value: ValueScoreSummary | None = None
    traits: list[Trait] = Field(default_factory=list)
    cycle: list[PdcaCycle] = Field(default_factory=list)
    revenue: RevenueChange | None = None
    cohorts: list[CustomerCohort] = Field(default_factory=list)
    comments: list[CommentTopic] = Field(default_factory=list)
    skipped: dict[str, str] = Field(default_factory=dict)
