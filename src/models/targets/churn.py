"""Churn: a cancellation, or no order within the horizon where the company has no contracts."""

from features.config.company import TargetConfig
from models.targets.outputs import churn_outputs
from models.targets.target import Condition, Target, describe_window, event_label_sql


def _describe_label(config: TargetConfig) -> str:
    what = "cancels" if config.definition == "cancel" else "orders nothing"
    return f"The customer {what} {describe_window(config)}."


def _describe_population(config: TargetConfig) -> str:
    if config.definition == "cancel":
        return "Customers with an open contract at the cutoff."
    if config.active_days:
        return f"Customers who ordered in the {config.active_days} days before the cutoff."
    return "Customers who ordered at least once before the cutoff."


def _label_sql(config: TargetConfig) -> str:
    if config.definition == "cancel":
        return event_label_sql(config, "(count(*) filter (e.kind = 'cancel') > 0)::double")
    return event_label_sql(config, "(count(*) filter (e.kind = 'order') = 0)::double")


def _population(config: TargetConfig) -> Condition:
    if config.definition == "cancel":
        return Condition("open_contracts", at_least=1)
    return Condition("days_since_order", at_least=0, at_most=config.active_days)


def _missing_setting(config: TargetConfig) -> str | None:
    if config.definition is None:
        return (
            "targets.churn.definition is not set: 'cancel' (contracts) or 'silence' (no contracts)"
        )
    return None


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
    rule_feature=lambda c: "days_since_event" if c.definition == "cancel" else "days_since_order",
    on_calendar=True,
    outputs=("probability", "in_population", "months_left", "survival"),
    make_outputs=churn_outputs,
    population=_population,
    missing_setting=_missing_setting,
    opt_in=False,
)
