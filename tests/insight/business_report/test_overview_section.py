"""Tiles, alerts and trends: one verdict for all; only changes beyond chance have an arrow."""

from datetime import date

import pytest

from insight.business_report.figure_markup import format_figure
from insight.business_report.overview_section import alert_sentences, overview_tiles
from insight.business_report.report_inputs import load_report_inputs
from insight.business_report.translations import Translator
from insight.business_report.trends_section import trend_charts
from insight.business_report.verdict_text import describe_verdict
from insight.evaluation.indicator_schema import ChangeVerdict, IndicatorAlert, IndicatorLevel
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


def test_only_a_change_beyond_chance_has_an_arrow_and_a_mood(english, chinese):
    found = [t.change for t in overview_tiles(english)]
    assert [(c.arrow, c.mood) for c in found] == [("▼", "bad"), ("", ""), ("▲", "bad")]
    assert [c.text for c in found] == [
        "Lasting change since Q2 2025: +37.4; before that +42.0 (Q3: +40.0)",
        "As usual: 7.52 (Q3: 7.55)",
        "Beyond chance: 6.0% is usual (Q3: 6.0%)",
    ]
    assert overview_tiles(chinese)[0].change.text == (
        "自2025年第2季度起持续变化：现为 +37.4，此前为 +42.0（第3季度：+40.0）"
    )


def test_alerts_of_the_whole_company_come_first(english, chinese):
    assert [(a.text, a.mood) for a in alert_sentences(english)] == [
        ("All customers: 8.4% complained in Q4 2025. Beyond chance: 6.0% is usual.", "bad"),
        ("All customers: only NPS +31.2 in Q4 2025. Lasting change since Q2 2025: +37.4; before that "
         "+42.0.", "bad"),
        ("East China: only NPS +20.5 in Q4 2025. Beyond chance: +41.0 is usual.", "bad"),
    ]  # fmt: skip
    assert alert_sentences(chinese)[2].text == (
        "华东：2025年第4季度 仅 净推荐值 +20.5。超出偶然波动：通常为 +41.0。"
    )


def test_tile_alert_and_trend_say_the_same(english):
    tiles = {t.title: t.change for t in overview_tiles(english)}
    trends = {t.title: t.verdict for t in trend_charts(english)}
    alerts = [a.text for a in alert_sentences(english) if a.text.startswith("All customers")]
    for title, change in tiles.items():
        assert change.text.startswith(trends[title])
        assert bool(change.arrow) == any(a.endswith(f"{trends[title]}.") for a in alerts)


@pytest.mark.parametrize(
    ("verdict", "text"),
    [
        ({"kind": "unwatched", "direction": "unknown"}, "Not enough values to say what is usual"),
        ({"kind": "jump", "direction": "up", "expected": 40.0, "since": date(2025, 7, 1)},
         "Beyond chance since Q3 2025: +40.0 is usual"),
        ({"kind": "usual", "direction": "no", "expected": 30.0, "since": date(2024, 1, 1),
          "levels": [IndicatorLevel(since=date(2023, 1, 1), value=44.0),
                     IndicatorLevel(since=date(2024, 1, 1), value=30.5)]},
         "As usual since Q1 2024: +30.0; before that +44.0"),
    ],
)  # fmt: skip
def test_words_of_a_verdict(english, verdict, text):
    of = ChangeVerdict(**verdict)
    assert describe_verdict(of, report_builders.nps(), "quarter", english.translate) == text


def test_an_alert_about_an_indicator_with_a_verb(evaluated):
    alert = IndicatorAlert(
        indicator="complaint", by="crm_region", group="South China", period=date(2025, 10, 1),
        kind="jump", value=0.01606, expected=0.0434, errors_off=-4.4, since=date(2025, 10, 1),
    )  # fmt: skip
    write_evaluation_files(evaluated[1], report_builders.evaluation(alerts=[alert]))
    (found,) = alert_sentences(load_report_inputs(*evaluated, "en"))
    assert found.text == (
        "South China: only 1.6% complained in Q4 2025. Beyond chance: 4.3% is usual."
    )
    assert found.mood == "good"
