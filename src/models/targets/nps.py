"""NPS: whether the next answer about recommending is a detractor's, a passive's or a promoter's."""

from features.config.company import TargetConfig
from models.targets.outputs import NPS_CLASSES, class_outputs
from models.targets.target import (
    ANSWER_COLUMNS,
    Target,
    answer_label_sql,
    describe_respondents,
    describe_window,
)


def _label_sql(config: TargetConfig) -> str:
    """0-6 detractor, 7-8 passive, 9-10 promoter; other scales are mapped onto 0-10 first."""
    ten = "case when scale_high = 10 then score else 10.0 * share end"
    label = f"case when {ten} >= 9 then 2.0 when {ten} >= 7 then 1.0 else 0.0 end"
    return answer_label_sql(config, "instrument = 'nps'", label)


TARGET = Target(
    "nps",
    title="Recommendation (NPS)",
    title_zh="推荐意愿（NPS）",
    describe_label=lambda c: (
        f"The answer to the question about recommending, if it comes {describe_window(c)} of being "
        "asked: 0 to 6 detractor, 7 and 8 passive, 9 and 10 promoter."
    ),
    describe_population=describe_respondents,
    kind="multiclass",
    classes=NPS_CLASSES,
    required_columns=ANSWER_COLUMNS,
    label_sql=_label_sql,
    rule_feature=lambda _: "nps_last",
    on_calendar=False,
    outputs=("class", *NPS_CLASSES),
    make_outputs=class_outputs,
    class_values=(-1.0, 0.0, 1.0),
    opt_in=False,
)
