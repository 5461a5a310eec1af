"""Value: net revenue over the horizon."""

from features.config.company import TargetConfig
from models.targets.outputs import value_outputs
from models.targets.target import Target, describe_window, event_label_sql


def _label_sql(config: TargetConfig) -> str:
    return event_label_sql(
        config, "coalesce(sum(e.amount) filter (e.kind in ('order', 'return')), 0.0)"
    )


TARGET = Target(
    "value",
    title="Value",
    title_zh="价值",
    describe_label=lambda c: f"Net revenue {describe_window(c)}: orders minus returns.",
    describe_population=lambda _: "Every customer known at the cutoff.",
    kind="regression",
    classes=(),
    required_columns=(("events", ("amount",)),),
    label_sql=_label_sql,
    rule_feature=lambda c: f"revenue_{c.horizon_days}d",
    on_calendar=True,
    outputs=("expected", "low", "high", "segment", "typical"),
    make_outputs=value_outputs,
    opt_in=False,
)
