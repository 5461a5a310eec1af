"""What is predicted: each target is one declaration of its label, population, rule and metrics.

A label looks at `[cutoff + gap, cutoff + gap + horizon)`, for satisfaction and NPS at the answer to
the question sent at the cutoff. SQL sees the history's tables, `known(customer_id, since)`, when each
customer was first known, and `cutoffs(cutoff)`; `{start}` and `{end}` bound the label window.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from features.config.company import Company, TargetConfig
from features.config.table_mapping import near
from features.definitions.company_schema import Schema
from features.errors import ConfigRefused
from models.targets.outputs import (
    LEVELS,
    NPS_CLASSES,
    Answer,
    class_and_shares,
    level_and_dissatisfied,
    probability,
    value_and_segment,
)
from models.targets.population import Condition

Kind = Literal["binary", "multiclass", "ordinal", "regression"]


@dataclass(frozen=True)
class Target:
    """One prediction: its label in SQL, whom it is about and the rule of thumb it must beat.

    `means` and `whom` say the label and the population in a sentence each, for the report.
    `labels` gives SQL for (customer_id, cutoff, label, weight) from a company's settings; `needs`
    are the tables and columns it cannot do without; `rule` names the features of the business rule;
    `on_calendar` tells labels at calendar cutoffs from labels at the sending of a question.
    `answer` turns calibrated predictions into the `outputs` people use; `mix` is the combination
    of class scores that reasons explain.
    """

    name: str
    title: str
    means: Callable[[TargetConfig], str]
    whom: Callable[[TargetConfig], str]
    kind: Kind
    classes: tuple[str, ...]
    needs: tuple[tuple[str, tuple[str, ...]], ...]
    labels: Callable[[TargetConfig], str]
    rule: Callable[[TargetConfig], str]
    on_calendar: bool
    outputs: tuple[str, ...]
    answer: Answer
    mix: tuple[float, ...] | None = None
    population: Callable[[TargetConfig], Condition | None] = lambda _: None

    def span_days(self, config: TargetConfig) -> int:
        """Days from a cutoff until its label is ripe: gap and horizon."""
        return config.gap_days + config.horizon_days


def _within(config: TargetConfig) -> str:
    """The label window in words."""
    if not config.gap_days:
        return f"within {config.horizon_days} days"
    return (
        f"from day {config.gap_days} to day {config.gap_days + config.horizon_days} "
        "after the cutoff"
    )


def _asked(_config: TargetConfig) -> str:
    return "Customers who were asked; a label exists for those who answered."


def _churn_means(config: TargetConfig) -> str:
    what = "cancels" if config.definition == "cancel" else "orders nothing"
    return f"The customer {what} {_within(config)}."


def _churn_whom(config: TargetConfig) -> str:
    if config.definition == "cancel":
        return "Customers with an open contract at the cutoff."
    if config.active_days:
        return f"Customers who ordered in the {config.active_days} days before the cutoff."
    return "Customers who ordered at least once before the cutoff."


def _window_events(config: TargetConfig, value: str) -> str:
    """A label over the events in the window, for every customer known at every cutoff."""
    start = f"c.cutoff + interval {config.gap_days} day"
    end = f"c.cutoff + interval {config.gap_days + config.horizon_days} day"
    return f"""
        select k.customer_id, c.cutoff, {value} as label, 1.0 as weight
        from known k join cutoffs c on k.since < c.cutoff
        left join events e on e.customer_id = k.customer_id
            and e.occurred_at >= {start} and e.occurred_at < {end}
        group by k.customer_id, c.cutoff
    """


def _churn_labels(config: TargetConfig) -> str:
    if config.definition == "cancel":
        return _window_events(config, "(count(*) filter (e.kind = 'cancel') > 0)::double")
    return _window_events(config, "(count(*) filter (e.kind = 'order') = 0)::double")


def _churn_population(config: TargetConfig) -> Condition:
    if config.definition == "cancel":
        return Condition("open_contracts", at_least=1)
    return Condition("days_since_order", at_least=0, at_most=config.active_days)


def _value_labels(config: TargetConfig) -> str:
    return _window_events(
        config, "coalesce(sum(e.amount) filter (e.kind in ('order', 'return')), 0.0)"
    )


def _answers(config: TargetConfig, instrument: str, label: str) -> str:
    """The answers that came within the horizon, at the moment their question was sent."""
    return f"""
        select customer_id, sent_at as cutoff, {label} as label, weight
        from (select *, (score - scale_low) / (scale_high - scale_low) as share from surveys)
        where {instrument} and score is not null
            and answered_at < sent_at + interval {config.horizon_days} day
    """


def _satisfaction_labels(config: TargetConfig) -> str:
    overall = "instrument = 'csat' and coalesce(dimension, 'overall') = 'overall'"
    return _answers(config, overall, "round(4.0 * share)::double")


def _nps_labels(config: TargetConfig) -> str:
    """0-6 detractor, 7-8 passive, 9-10 promoter; another scale is stretched onto 0-10 first."""
    ten = "case when scale_high = 10 then score else 10.0 * share end"
    label = f"case when {ten} >= 9 then 2.0 when {ten} >= 7 then 1.0 else 0.0 end"
    return _answers(config, "instrument = 'nps'", label)


_ANSWERS = ("instrument", "score", "answered_at")

TARGETS: dict[str, Target] = {
    "satisfaction": Target(
        "satisfaction",
        title="Satisfaction",
        means=lambda c: (
            f"The answer to the question about overall satisfaction, if it comes {_within(c)} of "
            "being asked, on five levels from 0 to 100."
        ),
        whom=_asked,
        kind="ordinal",
        classes=tuple(f"{level:.0f}" for level in LEVELS),
        needs=(("surveys", _ANSWERS),),
        labels=_satisfaction_labels,
        rule=lambda _: "csat_last",
        on_calendar=False,
        outputs=("score", "low", "high", "dissatisfied"),
        answer=level_and_dissatisfied,
        mix=LEVELS,
    ),
    "nps": Target(
        "nps",
        title="Recommendation (NPS)",
        means=lambda c: (
            f"The answer to the question about recommending, if it comes {_within(c)} of being "
            "asked: 0 to 6 detractor, 7 and 8 passive, 9 and 10 promoter."
        ),
        whom=_asked,
        kind="multiclass",
        classes=NPS_CLASSES,
        needs=(("surveys", _ANSWERS),),
        labels=_nps_labels,
        rule=lambda _: "nps_last",
        on_calendar=False,
        outputs=("class", *NPS_CLASSES),
        answer=class_and_shares,
        mix=(-1.0, 0.0, 1.0),
    ),
    "churn": Target(
        "churn",
        title="Churn",
        means=_churn_means,
        whom=_churn_whom,
        kind="binary",
        classes=("stays", "leaves"),
        needs=(("events", ("kind",)),),
        labels=_churn_labels,
        rule=lambda c: "days_since_event" if c.definition == "cancel" else "days_since_order",
        on_calendar=True,
        outputs=("probability", "in_population", "months_left", "survival"),
        answer=probability,
        population=_churn_population,
    ),
    "value": Target(
        "value",
        title="Value",
        means=lambda c: f"Net revenue {_within(c)}: orders minus returns.",
        whom=lambda _: "Every customer known at the cutoff.",
        kind="regression",
        classes=(),
        needs=(("events", ("amount",)),),
        labels=_value_labels,
        rule=lambda c: f"revenue_{c.horizon_days}d",
        on_calendar=True,
        outputs=("expected", "low", "high", "segment"),
        answer=value_and_segment,
    ),
}


def trainable(company: Company, schema: Schema) -> tuple[list[Target], dict[str, str]]:
    """The targets a company's data allow, and for each other one the reason why not."""
    check_names(company)
    able, unable = [], {}
    for target in TARGETS.values():
        reason = _why_not(target, company, schema)
        if reason:
            unable[target.name] = reason
        else:
            able.append(target)
    return able, unable


def check_names(company: Company) -> None:
    """Raise ConfigRefused when a company's file sets up a target that does not exist."""
    for name in [*company.targets, *(r.target for r in company.references)]:
        if name not in TARGETS:
            raise ConfigRefused(
                f"{company.path.name}: unknown key targets.{name}{near(name, [*TARGETS])}"
            )


def _why_not(target: Target, company: Company, schema: Schema) -> str | None:
    config = company.target(target.name)
    if not config.enabled:
        return f"targets.{target.name}.enabled is false in {company.path.name}"
    if target.name == "churn" and config.definition is None:
        return (
            "targets.churn.definition is not set: 'cancel' (contracts) or 'silence' (no contracts)"
        )
    for table, columns in target.needs:
        if table not in schema.tables:
            return f"the company has no {table} table"
        lacking = [c for c in columns if c not in schema.tables[table]]
        if lacking:
            return f"{table} has no values in {', '.join(lacking)}"
    return None
