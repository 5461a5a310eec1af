"""The declaration of a target: its label, population, business rule and outputs.

A label covers `[cutoff + gap, cutoff + gap + horizon)`. For targets labelled by survey answers, the
cutoff is the moment the question was sent. Label SQL sees the tables of the history,
`known(customer_id, since)`, when each customer was first known, `departures(customer_id, kind,
occurred_at, known_at)`, the cancellations that end a customer's last contract
(`features.customer_definition`), and `cutoffs(cutoff)`. A row whose label is null is left out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.config.company import TargetConfig
from features.config.snapshot_settings import LABEL
from features.customer_definition import CustomerDefinition

Floats = NDArray[np.float64]
Kind = Literal["binary", "multiclass", "ordinal", "regression"]
Outputs = dict[str, NDArray[Any]]
#: (calibrated predictions, feature table, manifest) -> outputs, one value a row each.
OutputFunction = Callable[[Floats, pa.Table, Mapping[str, Any]], Outputs]

#: In place of a rule's feature: the column that alone predicts best, chosen among the training rows.
BEST_COLUMN = "the best single column"


@dataclass(frozen=True)
class Condition:
    """A population condition on one feature: `at_least <= column <= at_most`."""

    column: str
    at_least: float | None = None
    at_most: float | None = None


def customer_condition(definition: CustomerDefinition) -> Condition:
    """The population condition of the customers at the cutoff."""
    at_least, at_most = definition.bounds
    return Condition(definition.column, at_least, at_most)


def population_mask(features: pa.Table, condition: Condition | None) -> NDArray[np.bool_]:
    """Mark the rows that meet the condition; a missing value does not meet it.

    Those whom a snapshot marks as having left never do.
    """
    inside = np.ones(features.num_rows, bool)
    if LABEL in features.column_names:
        inside &= features[LABEL].to_numpy() != 1
    if condition is None:
        return inside
    value = np.asarray(features[condition.column].to_numpy(), np.float64)
    inside &= ~np.isnan(value)
    if condition.at_least is not None:
        inside &= np.nan_to_num(value, nan=-np.inf) >= condition.at_least
    if condition.at_most is not None:
        inside &= np.nan_to_num(value, nan=np.inf) <= condition.at_most
    return inside


@dataclass(frozen=True)
class Target:
    """One prediction: its label in SQL, its population and the business rule it must beat.

    `describe_label` and `describe_population` return one sentence each for the report. `label_sql`
    returns SQL for (customer_id, cutoff, label, weight); `required_columns` are the tables and
    columns it reads; `rule_feature` names the feature of the business rule, or is `BEST_COLUMN`.
    `on_calendar`: labels at calendar cutoffs; otherwise at the moment a question was sent.
    `make_outputs` turns calibrated predictions into `outputs`; `class_values` weights class
    probabilities into the one score that reasons explain. `missing_setting` names a setting that the
    company still has to make. An `opt_in` target is trained only for companies whose file has a
    `[targets.NAME]` section.
    """

    name: str
    title: str
    title_zh: str
    describe_label: Callable[[TargetConfig], str]
    describe_population: Callable[[TargetConfig], str]
    kind: Kind
    classes: tuple[str, ...]
    required_columns: tuple[tuple[str, tuple[str, ...]], ...]
    label_sql: Callable[[TargetConfig], str]
    rule_feature: Callable[[TargetConfig], str]
    on_calendar: bool
    outputs: tuple[str, ...]
    make_outputs: OutputFunction
    class_values: tuple[float, ...] | None = None
    population: Callable[[TargetConfig], Condition | None] = lambda _: None
    missing_setting: Callable[[TargetConfig], str | None] = lambda _: None
    opt_in: bool = True

    def span_days(self, config: TargetConfig) -> int:
        """Days from a cutoff to the end of its label window: gap plus horizon."""
        return config.gap_days + config.horizon_days


def describe_window(config: TargetConfig) -> str:
    """Describe the label window in words."""
    if not config.gap_days:
        return f"within {config.horizon_days} days"
    return (
        f"from day {config.gap_days} to day {config.gap_days + config.horizon_days} "
        "after the cutoff"
    )


def event_label_sql(config: TargetConfig, value: str) -> str:
    """SQL for a label that aggregates the events of the window, as the SQL expression `value`.

    One row for every cutoff and every customer known at that cutoff.
    """
    start = f"c.cutoff + interval {config.gap_days} day"
    end = f"c.cutoff + interval {config.gap_days + config.horizon_days} day"
    return f"""
        select k.customer_id, c.cutoff, {value} as label, 1.0 as weight
        from known k join cutoffs c on k.since < c.cutoff
        left join events e on e.customer_id = k.customer_id
            and e.occurred_at >= {start} and e.occurred_at < {end}
        group by k.customer_id, c.cutoff
    """


def departure_label_sql(config: TargetConfig) -> str:
    """SQL for a label that is 1 when a customer's last open contract ends within the window.

    Null where it ended before the window began: after the cutoff (a gap), or before it without anybody
    knowing. Such a customer can neither stay nor leave within the window.
    """
    start = f"c.cutoff + interval {config.gap_days} day"
    end = f"c.cutoff + interval {config.gap_days + config.horizon_days} day"
    return f"""
        select k.customer_id, c.cutoff, 1.0 as weight,
               case when count(*) filter (d.occurred_at < {start}) = 0
                    then (count(*) filter (d.kind = 'cancel') > 0)::double end as label
        from known k join cutoffs c on k.since < c.cutoff
        left join departures d on d.customer_id = k.customer_id
            and d.occurred_at < {end} and greatest(d.occurred_at, d.known_at) >= c.cutoff
        group by k.customer_id, c.cutoff
    """


#: What a label from survey answers requires.
ANSWER_COLUMNS = (("surveys", ("instrument", "score", "answered_at")),)


def answer_label_sql(config: TargetConfig, instrument: str, label: str) -> str:
    """SQL for a label from the answers that arrive within the horizon.

    The cutoff is the moment the question was sent; `instrument` is an SQL condition on surveys.
    """
    return f"""
        select customer_id, sent_at as cutoff, {label} as label, weight
        from (select *, (score - scale_low) / (scale_high - scale_low) as share from surveys)
        where {instrument} and score is not null
            and answered_at < sent_at + interval {config.horizon_days} day
    """


def describe_respondents(_config: TargetConfig) -> str:
    """Describe the population of a target labelled by survey answers."""
    return "Customers who were asked; a label exists for those who answered."
