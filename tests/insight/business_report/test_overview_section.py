"""Tiles and alerts: only what is beyond chance points up or down, and the mood follows the target."""

from insight.business_report.overview_section import alert_sentences, overview_tiles


def test_figures_with_targets_come_first(english):
    found = overview_tiles(english)
    assert [t.title for t in found] == [
        "Net promoter score (NPS)", "Satisfaction index (0 to 10)", "Customers who complained",
    ]  # fmt: skip
    assert [t.aim and (t.aim.text, t.aim.verdict, t.aim.word) for t in found] == [
        ("at least +45.0", "missed", "missed"), ("at least 7.40", "reached", "reached"), None,
    ]  # fmt: skip


def test_values_have_intervals_and_cases(english):
    first, second, third = (t.figure for t in overview_tiles(english))
    assert (first.value, first.interval, first.cases) == ("+31.2", "+27.5 to +35.0", "n = 120")
    assert (second.value, second.interval) == ("7.62", "7.50 to 7.74")
    assert (third.value, third.interval) == ("8.4 %", "7.0 to 10.0 %")


def test_an_arrow_only_beyond_chance_and_red_where_it_is_bad(english):
    found = [t.change for t in overview_tiles(english)]
    assert [(c.arrow, c.mood) for c in found] == [("▼", "bad"), ("", ""), ("▲", "bad")]
    assert found[0].text == "−8.8 (before +40.0)"
    assert found[1].text == "within chance (before 7.55)"
    assert found[2].text == "+2.4 points (before 6.0 %)"


def test_alerts_are_sentences_the_farthest_first(english, chinese):
    assert [(a.text, a.mood) for a in alert_sentences(english)] == [
        ("Net promoter score (NPS), Region East China: +20.5 in quarter 4 of 2025, +41.0 was to be "
         "expected (4.1 standard errors off).", "bad"),
        ("Net promoter score (NPS), all customers: drifting, +31.2 in quarter 4 of 2025 against the "
         "usual +42.0 (3.2 standard errors off by now).", "bad"),
    ]  # fmt: skip
    assert alert_sentences(chinese)[0].text == (
        "净推荐值（NPS），区域“华东”：2025年第4季度为 +20.5，预期为 +41.0（偏离 4.1 个标准误）。"
    )
