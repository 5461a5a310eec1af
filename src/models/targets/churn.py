"""Churn: the end of the last contract, or no order within the horizon where there are no contracts.

In a snapshot without dates it is what the table's label says.
"""

from features.config.company import TargetConfig
from features.customer_definition import CustomerDefinition
from models.targets.outputs import churn_outputs
from models.targets.target import (
    BEST_COLUMN,
    Condition,
    Target,
    customer_condition,
    departure_label_sql,
    describe_window,
    event_label_sql,
)


def _describe_label(config: TargetConfig) -> str:
    if config.is_snapshot:
        return "The customer is marked as having left in the snapshot, which has no dates."
    what = "cancels" if config.definition == "cancel" else "orders nothing"
    return f"The customer {what} {describe_window(config)}."


def _label_sql(config: TargetConfig) -> str:
    if config.definition == "cancel":
        return departure_label_sql(config)
    return event_label_sql(config, "(count(*) filter (e.kind = 'order') = 0)::double")


def _missing_setting(config: TargetConfig) -> str | None:
    if config.definition is None:
        return (
            "targets.churn.definition is not set: 'cancel' (contracts) or 'silence' (no contracts)"
        )
    return None


def _rule_feature(config: TargetConfig) -> str:
    if config.is_snapshot:
        return BEST_COLUMN
    return "days_since_event" if config.definition == "cancel" else "days_since_order"


def _population(config: TargetConfig) -> Condition | None:
    return None if config.is_snapshot else customer_condition(CustomerDefinition.from_churn(config))


def _describe_population(config: TargetConfig) -> str:
    if config.is_snapshot:
        return "Every customer of the snapshot; those who have left get no prediction."
    return CustomerDefinition.from_churn(config).text


TARGET = Target(
    "churn",
    title="Churn",
    title_zh="流失",
    describe_label=_describe_label,
    describe_population=_describe_population,
    kind="binary",
    classes=("stays", "leaves"),
    required_columns=(("events", ("kind",)),),
    label_sql=_label_sql,
    rule_feature=_rule_feature,
    on_calendar=True,
    outputs=("probability", "in_population", "months_left", "survival"),
    make_outputs=churn_outputs,
    population=_population,
    missing_setting=_missing_setting,
    opt_in=False,
)
