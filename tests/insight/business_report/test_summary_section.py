"""Three sentences: what changed, what needs attention, what to do."""

from dataclasses import replace

import pytest

from insight.business_report.call_list import call_list
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.summary_section import summary_sentences
from insight.evaluation.indicator_schema import UNWATCHED, IntervalEstimate
from support import report_builders


def sentences(inputs, **changes):
    inputs = replace(inputs, evaluation=report_builders.evaluation(**changes))
    return {s.lead: s.text for s in summary_sentences(inputs, call_list(inputs))}


def test_what_changed_what_is_bad_and_what_to_do(english):
    assert sentences(english) == {
        "What changed:": "Revenue of July 2025 to December 2025 was EUR 1,260, 19.2% less than in the "
        "6 months before but about as much as in the same months of last year (+5.0%, no clear change).",
        "What needs attention:": "Missed: Net promoter score (NPS) +29.5, target at least +45.0. Worse "
        "than usual: 3 of the alerts below.",
        "What to do:": "Net promoter score (NPS): repeat it with more customers, or try another action "
        "(service). Call the 3 customers below: of the revenue that they are expected to bring in the "
        "next 90 days, EUR 230 is at risk by churn or dissatisfaction.",
    }  # fmt: skip


def test_the_same_in_chinese(chinese):
    found = list(sentences(chinese).values())
    assert found[0] == (
        "2025年7月至2025年12月收入为 1,260欧元，比之前 6 个月少 19.2%，"
        "但与去年同期相比无明显变化（+5.0%）。"
    )
    assert found[2].endswith(
        "请联系下列 3 位客户：其未来 90 天的预期收入中，有 230欧元 因流失或不满意而有风险。"
    )


def test_two_comparisons_that_agree_are_joined_by_and(english):
    change = IntervalEstimate(value=0.1, low=0.05, high=0.15)
    revenue = report_builders.revenue().model_copy(
        update={"on_before": change, "on_year_ago": change}
    )
    assert sentences(english, revenue=revenue)["What changed:"].endswith(
        "10.0% more than in the 6 months before and 10.0% more than in the same months of last year."
    )


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ("reached", "No target is missed, and nothing is worse than usual."),
        ("uncertain", "No target is missed, and nothing is worse than usual; not clear yet: "
                      "Satisfaction index (0 to 10) 7.62, target at least 7.40."),
        ("unmeasured", "Not measured, so the target is not judged: Satisfaction index (0 to 10)."),
    ],
)  # fmt: skip
def test_where_nothing_is_bad_the_sentence_says_so(english, verdict, text):
    csat = report_builders.csat()
    goal = csat.goal.model_copy(update={"verdict": verdict})
    found = sentences(
        english, indicators=[csat.model_copy(update={"goal": goal})], alerts=[], cycle=[]
    )
    assert found["What needs attention:"] == text
    assert found["What to do:"].startswith("Call the 3 customers below")


def test_a_history_too_short_to_say_what_is_usual_is_compared_with_last_year(english):
    csat = report_builders.csat()
    goal = csat.goal.model_copy(update={"verdict": "reached"})
    short = {"goal": goal, "verdict": UNWATCHED, "over_time": csat.over_time[-1:]}
    found = sentences(english, indicators=[csat.model_copy(update=short)], alerts=[], cycle=[])
    assert found["What needs attention:"] == (
        "No target is missed; there are not enough values yet to say what is usual."
    )
    for former, text in (
        (8.2, "Worse than a year ago: Satisfaction index (0 to 10) 7.62 (a year ago 8.20)."),
        (7.7, "No target is missed; there are not enough values yet to say what is usual."),
    ):
        day = csat.period.replace(year=csat.period.year - 1)
        earlier = csat.over_time[-1].model_copy(
            update={"period": day, "value": former, "low": former - 0.12, "high": former + 0.12}
        )
        indicator = csat.model_copy(update={**short, "over_time": [earlier, csat.over_time[-1]]})
        found = sentences(english, indicators=[indicator], alerts=[], cycle=[])
        assert found["What needs attention:"] == text


def test_what_is_not_known_is_left_out(world):
    inputs = load_report_inputs(*world(), "en")
    found = sentences(inputs, revenue=None, indicators=[], alerts=[], cycle=[])
    assert found == {}
    first = report_builders.revenue().model_copy(update={"on_before": None, "on_year_ago": None})
    assert sentences(inputs, revenue=first)["What changed:"] == (
        "Revenue of July 2025 to December 2025 was EUR 1,260."
    )
