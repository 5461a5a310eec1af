"""Tiles and alerts: only significant changes have an arrow, and targets decide good or bad."""

from datetime import date

from insight.business_report.figure_markup import format_figure
from insight.business_report.overview_section import alert_sentences, overview_tiles
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.translations import Translator
from insight.evaluation.evaluation_schema import IndicatorAlert
from support import report_builders

from .conftest import write_evaluation_files


def test_indicators_with_targets_come_first(english):
    found = overview_tiles(english)
    assert [t.title for t in found] == [
        "Net promoter score (NPS)", "Satisfaction index (0 to 10)", "Complaint rate",
    ]  # fmt: skip
    assert [t.target and (t.target.text, t.target.verdict, t.target.verdict_name) for t in found] == [
        ("at least +45.0", "missed", "missed"), ("at least 7.40", "reached", "reached"), None,
    ]  # fmt: skip


def test_values_have_intervals_and_cases(english):
    first, second, third = (t.figure for t in overview_tiles(english))
    assert (first.value, first.interval, first.cases) == ("+31.2", "+27.5 to +35.0", "n = 120")
    assert (second.value, second.interval) == ("7.62", "7.50 to 7.74")
    assert (third.value, third.interval) == ("8.4%", "7.0 to 10.0%")


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


def test_only_a_significant_change_has_an_arrow_and_a_mood(english):
    found = [t.change for t in overview_tiles(english)]
    assert [(c.arrow, c.mood) for c in found] == [("▼", "bad"), ("", ""), ("▲", "bad")]
    assert found[0].text == "−8.8 (Q3: +40.0)"
    assert found[1].text == "No clear change (Q3: 7.55)"
    assert found[2].text == "+2.4 points (Q3: 6.0%)"


def test_alerts_are_sentences_the_strongest_first(english, chinese):
    assert [(a.text, a.mood) for a in alert_sentences(english)] == [
        ("East China: only NPS +20.5 in Q4 2025; +41.0 is usual. Unlikely to be chance.", "bad"),
        ("All customers: only NPS +31.2 in Q4 2025 after a gradual change; +42.0 is usual. "
         "Unlikely to be chance.", "bad"),
    ]  # fmt: skip
    assert alert_sentences(chinese)[0].text == (
        "华东：2025年第4季度 仅 净推荐值 +20.5，通常为 +41.0，不太可能是偶然。"
    )


def test_an_alert_about_an_indicator_with_a_verb(evaluated):
    alert = IndicatorAlert(
        indicator="complaint", by="crm_region", group="South China", period=date(2025, 10, 1),
        kind="jump", value=0.01606, expected=0.0434, errors_off=-4.4,
    )  # fmt: skip
    write_evaluation_files(evaluated[1], report_builders.evaluation(alerts=[alert]))
    (found,) = alert_sentences(load_report_inputs(*evaluated, "en"))
    assert found.text == (
        "South China: only 1.6% complained in Q4 2025; 4.3% is usual. Unlikely to be chance."
    )
    assert found.mood == "good"
