"""Inline SVG charts: real text, colours of the page, tooltips, unique ids."""

import re
import xml.etree.ElementTree as ET

import pytest

from insight.business_report.svg import InteractiveChart
from models.plots.style import INK, MODEL


@pytest.fixture
def svg():
    chart = InteractiveChart("one", "净推荐值 <NPS>")
    chart.axis.plot([0, 1, 2], [1.0, 3.0, 2.0], color=MODEL)
    chart.axis.set_xticks([0, 1, 2])
    chart.axis.set_xticklabels(["一月", "1.2345", "$x$ <b>"], color=INK)
    chart.tip(1, 3.0, '三月: 3.25 (1 至 5) <script>"')
    return chart.svg()


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 - our own text


def texts(svg):
    return ["".join(node.itertext()) for node in parsed(svg).iter() if node.tag == "text"]


def test_text_stays_text_in_the_font_of_the_page(svg):
    """Also Chinese text, for which matplotlib has no glyphs: its warnings would fail the test."""
    assert {"一月", "1.2345"} <= set(texts(svg))
    assert "font-family" not in svg


def test_points_have_tooltips(svg):
    root = parsed(svg)
    tips = [node for node in root.iter() if node.get("class") == "tip"]
    assert [tip.get("data-tip") for tip in tips] == ['三月: 3.25 (1 至 5) <script>"']
    assert tips[0].find("title").text == tips[0].get("data-tip")
    assert tips[0].get("tabindex") == "0"
    assert "<script" not in svg


def test_colours_are_those_of_the_page(svg):
    assert "var(--accent)" in svg
    assert "var(--ink)" in svg
    assert INK.lower() not in svg.lower()


def test_the_chart_has_a_label_and_is_self_contained(svg):
    root = parsed(svg)
    assert root.get("aria-label") == "净推荐值 <NPS>"
    assert root.get("viewBox")
    assert root.get("width") is None
    for name in set(re.findall(r'#([\w-]+)["\)]', svg)):
        assert f'id="{name}"' in svg
    assert "<metadata" not in svg


def test_two_charts_have_different_ids(svg):
    other = InteractiveChart("two", "same")
    other.axis.plot([0, 1, 2], [1.0, 3.0, 2.0], color=MODEL)
    ids = [set(re.findall(r' id="([^"]+)"', each)) for each in (str(svg), str(other.svg()))]
    assert all(ids)
    assert ids[0] & ids[1] == set()
