"""Satisfaction: the next answer about overall satisfaction, on five levels from 0 to 100."""

from features.config.company import TargetConfig
from models.targets.outputs import LEVELS, satisfaction_outputs
from models.targets.target import (
    ANSWER_COLUMNS,
    Target,
    answer_label_sql,
    describe_respondents,
    describe_window,
)


def _label_sql(config: TargetConfig) -> str:
    overall = "instrument = 'csat' and coalesce(dimension, 'overall') = 'overall'"
    return answer_label_sql(config, overall, "round(4.0 * share)::double")


TARGET = Target(
    "satisfaction",
    title="Satisfaction",
    title_zh="满意度",
    describe_label=lambda c: (
        f"The answer to the question about overall satisfaction, if it comes {describe_window(c)} of "
        "being asked, on five levels from 0 to 100."
    ),
    describe_population=describe_respondents,
    kind="ordinal",
    classes=tuple(f"{level:.0f}" for level in LEVELS),
    required_columns=ANSWER_COLUMNS,
    label_sql=_label_sql,
    rule_feature=lambda _: "csat_last",
    on_calendar=False,
    outputs=("score", "low", "high", "dissatisfied"),
    make_outputs=satisfaction_outputs,
    class_values=LEVELS,
    opt_in=False,
)
