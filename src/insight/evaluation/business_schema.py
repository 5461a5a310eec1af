"""Revenue, retention by cohort and topics of comments: parts of an evaluation beside its indicators."""

from datetime import date

from pydantic import Field

from insight.evaluation.indicator_schema import EvaluationModel, IntervalEstimate


class RevenueOfMonth(EvaluationModel):
    """Net revenue of one whole month; `month` is its first day."""

    month: date
    value: float


class RevenueChange(EvaluationModel):
    """Net revenue (orders minus returns) of the last whole months, compared with two earlier spans.

    `since` is the first day of the first of these `months`, `until` the first day after the last.
    `before` is the revenue of as many months directly before, `year_ago` that of the same months a year
    earlier. `on_before` and `on_year_ago` are the changes as shares, with 95% intervals: what chance
    does when customers buy independently of each other. None where the data do not reach back so far.
    """

    since: date
    until: date
    months: int
    value: float
    before: float | None = None
    year_ago: float | None = None
    on_before: IntervalEstimate | None = None
    on_year_ago: IntervalEstimate | None = None
    over_time: list[RevenueOfMonth]


class CustomerCohort(EvaluationModel):
    """Customers by the quarter that the data know them from; `start` is its first day.

    `kept` is the share that is a customer at the end of that quarter and of each one after it.
    `earlier`: the data begin in this quarter, so that many have been customers for longer.
    """

    start: date
    earlier: bool
    customers: int
    kept: list[float]


class CommentTopic(EvaluationModel):
    """A topic of comments in the last whole `months` of the data.

    `share` of all comments of that time mention it, `year_ago` of those in the same months a year
    earlier (None with too few); `change` is the difference with its 95% interval. `negative` is the
    share of its comments with a negative sentiment. `examples` are sentences by language that name
    nobody: every word of them is used by many customers.
    """

    topic: str
    months: int
    comments: int
    customers: int
    share: float
    year_ago: float | None = None
    change: IntervalEstimate | None = None
    negative: float | None = None
    examples: dict[str, list[str]] = Field(default_factory=dict)
