"""One verdict and one baseline for tile, alert, trend and table: the same season of last year."""

from datetime import date

import pytest

from insight.business_report.alerts_section import alert_sentences
from insight.business_report.tiles_section import overview_tiles
from insight.business_report.trends_section import trend_charts
from insight.business_report.verdict_text import describe_verdict, format_change, format_target
from insight.evaluation.indicator_schema import ChangeVerdict, IndicatorLevel
from support import report_builders


def test_only_a_change_beyond_chance_has_an_arrow_and_a_mood(english, chinese):
    indicators = (report_builders.nps(), report_builders.csat(), report_builders.complaint())
    found = [format_change(i, "quarter", english.translate) for i in indicators]
    assert [(c.arrow, c.mood) for c in found] == [("▼", "bad"), ("", ""), ("▲", "bad")]
    assert [c.text for c in found] == [
        "Lasting change since Q2 2025: +37.4; before that +42.0 (Q4 2024: +42.0)",
        "As usual: 7.52 (Q4 2024: 7.60)",
        "Beyond chance: 6.0% is usual (Q4 2024: 5.8%)",
    ]
    assert format_change(indicators[0], "quarter", chinese.translate).text == (
        "自2025年第2季度起持续变化：现为 +37.4，此前为 +42.0（2024年第4季度：+42.0）"
    )


def test_without_last_year_only_the_verdict_is_given(english):
    young = report_builders.csat()
    young = young.model_copy(update={"over_time": young.over_time[-2:]})
    assert format_change(young, "quarter", english.translate).text == "As usual: 7.52"


def test_tile_alert_and_trend_say_the_same(english):
    tiles = {t.title: t.change for t in overview_tiles(english)[2:]}
    trends = {t.title: t.verdict for t in trend_charts(english)}
    alerts = [a.text for a in alert_sentences(english) if a.text.startswith("All customers")]
    assert len(tiles) == 3
    for title, change in tiles.items():
        assert change.text.endswith(
            trends[title]
        )  # after the respondents, where a correction is shown
        assert bool(change.arrow) == any(a.endswith(f"{trends[title]}.") for a in alerts)


def test_a_target_with_its_direction(english):
    found = format_target(report_builders.csat(), english.translate)
    assert (found.text, found.verdict, found.verdict_name) == (
        "at least 7.40",
        "reached",
        "reached",
    )
    assert format_target(report_builders.complaint(), english.translate) is None


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
