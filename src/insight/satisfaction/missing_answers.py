"""Why an indicator has no value: what was asked and answered instead, and when."""

import pandas as pd

from insight.satisfaction.satisfaction_inputs import SatisfactionInputs
from insight.satisfaction.satisfaction_metrics import SatisfactionMetric

#: Questions named in a reason, those with the most answers.
NAMED = 5


def describe_answers(asked: pd.DataFrame) -> str:
    """Name the answered questions with their answers, the most answered first: "nps overall (120)"."""
    answered = asked[asked["score"].notna()]
    question = answered["instrument"].astype(str) + " " + answered["dimension"].astype(str)
    counts = question.groupby(question).size().sort_values(ascending=False, kind="stable")
    named = [f"{name} ({n:,})" for name, n in counts.items()]
    more = [f"{len(named) - NAMED} more"] if len(named) > NAMED else []
    return ", ".join([*named[:NAMED], *more])


def explain_no_value(
    metric: SatisfactionMetric, data: SatisfactionInputs, dimension: str | None = None
) -> str:
    """Explain why no row of a whole period has a value of a metric, or of one of its dimensions.

    Never says that something is not there if rows outside the whole periods, of other questions, or
    without an answer are.
    """
    if metric.source == "customers":
        rows = int(metric.applies_to(data.rows["customers"]).sum())
        if rows:
            return f"not recorded for any of {rows:,} customers and periods: {metric.remedy}"
        return f"no customer counts for it in any whole {data.settings.period}: {metric.remedy}"
    inside, outside = (
        _asked(metric, rows, data, dimension) for rows in (data.rows["asked"], data.outside_rows)
    )
    if answered := int(inside["score"].notna().sum()):
        return f"{answered:,} answers without an expectation: map the column expectation of surveys"
    if answered := int(outside["value"].notna().sum()):
        return (
            f"all {answered:,} answers were asked for outside the whole "
            f"{data.settings.period}s of the data: wait for the end of the {data.settings.period}, or "
            "choose a shorter period under [insight.satisfaction]"
        )
    if len(inside) + len(outside):
        return f"asked {len(inside) + len(outside):,} times, and nobody answered"
    everything = pd.concat([data.rows["asked"], data.outside_rows])
    answers = int(everything["score"].notna().sum())
    if answers:
        return (
            f"the question was not asked; the {answers:,} answers are to "
            f"{describe_answers(everything)}: {metric.remedy}"
        )
    if len(data.refused):
        return (
            f"the question was not asked, and others cannot be used: {data.refused['why'].iloc[0]}"
        )
    return f"the question was not asked: {metric.remedy}"


def _asked(
    metric: SatisfactionMetric, rows: pd.DataFrame, data: SatisfactionInputs, dimension: str | None
) -> pd.DataFrame:
    """The questions that a metric is about: their score and its value, missing without an answer."""
    if rows.empty:
        return pd.DataFrame({"score": [], "value": []})
    asked = metric.compute(rows, data.settings)
    return asked if dimension is None else asked[asked["dimension"] == dimension]
