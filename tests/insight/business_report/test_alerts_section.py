"""Alerts as sentences: bad news first, then the whole company, then the clearest."""

from datetime import date

from insight.business_report.alerts_section import alert_sentences
from insight.business_report.report_inputs import load_report_inputs
from insight.evaluation.indicator_schema import IndicatorAlert
from support import report_builders

from .conftest import write_evaluation_files


def test_alerts_compare_with_the_same_season_of_last_year(english, chinese):
    assert [(a.text, a.mood) for a in alert_sentences(english)] == [
        ("All customers: 8.4% complained in Q4 2025. Beyond chance: 6.0% is usual (Q4 2024: 5.8%).",
         "bad"),
        ("All customers: only NPS +31.2 in Q4 2025. Lasting change since Q2 2025: +37.4; before that "
         "+42.0 (Q4 2024: +42.0).", "bad"),
        ("East China: only NPS +20.5 in Q4 2025. Beyond chance: +41.0 is usual (Q4 2024: +39.0).",
         "bad"),
    ]  # fmt: skip
    assert alert_sentences(chinese)[2].text == (
        "华东：2025年第4季度 仅 净推荐值 +20.5。超出偶然波动：通常为 +41.0（2024年第4季度：+39.0）。"
    )


def test_bad_news_comes_first(evaluated):
    """Fewer complaints in the south stand before the fall of NPS in the evaluation."""
    good = IndicatorAlert(
        indicator="complaint", by="crm_region", group="South China", period=date(2025, 10, 1),
        kind="jump", value=0.01606, expected=0.0434, errors_off=-4.4, since=date(2025, 10, 1),
    )  # fmt: skip
    bad = report_builders.evaluation().alerts[1]
    write_evaluation_files(evaluated[1], report_builders.evaluation(alerts=[good, bad]))
    first, second = alert_sentences(load_report_inputs(*evaluated, "en"))
    assert (first.mood, second.mood) == ("bad", "good")
    assert second.text == (
        "South China: only 1.6% complained in Q4 2025. Beyond chance: 4.3% is usual."
    )
