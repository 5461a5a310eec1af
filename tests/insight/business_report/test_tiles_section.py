"""Six tiles: money first, then indicators by how bad they are, with the figure that is judged."""

from dataclasses import replace

import pytest

from insight.business_report.figure_markup import format_figure
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.tiles_section import (
    compared,
    direction_of,
    overview_tiles,
    worst_first,
)
from insight.business_report.translations import Translator
from insight.evaluation.indicator_schema import IntervalEstimate
from support import report_builders

from .conftest import write_evaluation_files


def tiles(inputs):
    return {t.title: t for t in overview_tiles(inputs)}


def test_money_comes_first_then_the_worst_indicators(english):
    assert list(tiles(english)) == [
        "Revenue", "Revenue at risk by churn", "Net promoter score (NPS)", "Complaint rate",
        "Satisfaction index (0 to 10)",
    ]  # fmt: skip


def test_a_missed_target_is_never_left_out(english):
    """Of six indicators with targets, the four worst are shown."""
    verdicts = ("reached", "uncertain", "reached", "unmeasured", "uncertain", "missed")
    several = [
        report_builders.csat().model_copy(update={
            "name": f"i{n}", "title": f"I{n}",
            "goal": report_builders.csat().goal.model_copy(update={"verdict": verdict}),
        })
        for n, verdict in enumerate(verdicts)
    ]  # fmt: skip
    evaluation = report_builders.evaluation(indicators=several, alerts=[])
    found = overview_tiles(replace(english, evaluation=evaluation))
    assert [t.title for t in found[2:]] == ["I5", "I1", "I4", "I3"]


def test_the_tile_shows_the_corrected_figure_and_its_verdict(english):
    nps = tiles(english)["Net promoter score (NPS)"]
    assert (nps.figure.value, nps.figure.interval) == ("+29.5", "+24.0 to +35.0")
    assert nps.when == "last 12 months, corrected for non-response"
    assert nps.notes == ()
    assert nps.change.text.startswith("Respondents in Q4 2025: +31.2. ")
    assert (nps.target.text, nps.target.verdict) == ("at least +45.0", "missed")


def test_a_figure_without_a_correction_is_that_of_the_period(english):
    csat = tiles(english)["Satisfaction index (0 to 10)"]
    assert (csat.when, csat.figure.value, csat.figure.interval) == (
        "Q4 2025",
        "7.62",
        "7.50 to 7.74",
    )
    assert csat.notes == ()


def test_revenue_is_compared_with_the_same_months_of_last_year(english, chinese):
    found = tiles(english)["Revenue"]
    assert (found.figure.value, found.when) == ("EUR 1,260", "July 2025 to December 2025")
    assert found.notes == ("−19.2% on the 6 months before",)
    assert found.change.text == "+5.0%, no clear change on the same 6 months of last year"
    assert (found.change.arrow, found.change.mood) == ("", "")
    assert tiles(chinese)["收入"].when == "2025年7月至2025年12月"


def with_revenue(inputs, **changes):
    revenue = report_builders.revenue().model_copy(update=changes)
    evaluation = report_builders.evaluation(revenue=revenue)
    return tiles(replace(inputs, evaluation=evaluation))["Revenue"]


def test_a_clear_loss_of_revenue_is_bad_news(english):
    lost = IntervalEstimate(value=-0.2, low=-0.3, high=-0.1)
    found = with_revenue(english, on_year_ago=lost)
    assert (found.change.arrow, found.change.mood) == ("▼", "bad")
    without_a_year = with_revenue(english, on_year_ago=None, year_ago=None)
    assert without_a_year.change.text == "−19.2% on the 6 months before"
    assert (without_a_year.change.mood, without_a_year.notes) == ("bad", ())
    alone = with_revenue(english, on_year_ago=None, on_before=None)
    assert alone.change.text == "Nothing earlier to compare with"


def test_revenue_at_risk_is_probability_times_value(english):
    """0.5 x 100 + 0.1 x 1000 + 0.25 x 200 of 1300; C4 is gone."""
    found = tiles(english)["Revenue at risk by churn"]
    assert (found.figure.value, found.when) == ("EUR 200", "next 90 days")
    assert found.change.text == "15.4% of the EUR 1,300 expected"
    assert found.figure.exact == {"revenue": "at_risk", "value": "200.0"}


def test_revenue_at_risk_has_the_interval_of_the_model(trained_company):
    found = tiles(replace_evaluation(load_report_inputs(*trained_company, "en")))
    (note,) = found["Revenue at risk by churn"].notes
    assert note.startswith("90% interval ")


def replace_evaluation(inputs):
    return replace(inputs, evaluation=report_builders.evaluation())


def test_without_scores_and_amounts_all_tiles_are_indicators(world):
    company, workspace = world()
    write_evaluation_files(workspace, report_builders.evaluation(revenue=None))
    found = overview_tiles(load_report_inputs(company, workspace, "en"))
    assert [t.title for t in found] == [
        "Net promoter score (NPS)", "Complaint rate", "Satisfaction index (0 to 10)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "direction", "text"),
    [
        (0.01, 0.2, "up", "+10.0%"),
        (-0.01, 0.2, None, "+10.0%, no clear change"),
        (None, None, None, "+10.0%, no clear change"),
    ],
)
def test_a_change_is_clear_if_its_interval_lies_on_one_side_of_zero(
    english, low, high, direction, text
):
    change = IntervalEstimate(value=0.1, low=low, high=high)
    assert direction_of(change) == direction
    assert compared(change, english) == text


def test_bad_alerts_come_before_unclear_targets(english):
    """The complaint rate rose; it has no target."""
    indicators = [report_builders.csat(), report_builders.complaint()]
    indicators[0] = indicators[0].model_copy(
        update={"goal": indicators[0].goal.model_copy(update={"verdict": "uncertain"})}
    )
    assert [i.name for i in worst_first(indicators, english)] == ["complaint", "csat_index"]


def test_the_ends_of_an_interval_are_told_apart():
    """No complaint of 10,000 customers: 0 to 3.69 / 10,000, per 100 customers."""
    rare = report_builders.complaint().model_copy(
        update={"unit": "complaints", "kind": "mean", "value": 0.0, "low": 0.0, "high": 0.0369}
    )
    for language, text in (("en", "0.00 to 0.04"), ("zh", "0.00 至 0.04")):
        figure = format_figure(rare, rare, Translator(language))
        assert (figure.value, figure.interval) == ("0.00", text)
    share = rare.model_copy(update={"unit": "share", "kind": "rate", "high": 0.00003})
    assert format_figure(share, share, Translator("en")).interval == "0 to < 0.1%"
