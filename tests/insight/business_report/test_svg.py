"""A picture inside the page: letters as letters, colours of the page, words on its points."""

import re
import xml.etree.ElementTree as ET

import pytest

from insight.business_report.svg import InteractiveChart
from models.plots.style import INK, MODEL


@pytest.fixture
def drawn():
    canvas = InteractiveChart("one", "净推荐值 <NPS>")
    canvas.axis.plot([0, 1, 2], [1.0, 3.0, 2.0], color=MODEL)
    canvas.axis.set_xticks([0, 1, 2])
    canvas.axis.set_xticklabels(["一月", "1.2345", "$x$ <b>"], color=INK)
    canvas.tip(1, 3.0, '三月: 3.25 (1 至 5) <script>"')
    return canvas.svg()


def parsed(drawn):
    return ET.fromstring(drawn)  # noqa: S314 - our own


def texts(drawn):
    return ["".join(node.itertext()) for node in parsed(drawn).iter() if node.tag == "text"]


def test_letters_stay_letters_in_the_font_of_the_page(drawn):
    """Chinese too, though the drawing library knows no such letter and warnings are errors here."""
    assert {"一月", "1.2345"} <= set(texts(drawn))
    assert "font-family" not in drawn


def test_points_say_what_they_are(drawn):
    root = parsed(drawn)
    tips = [node for node in root.iter() if node.get("class") == "tip"]
    assert [tip.get("data-tip") for tip in tips] == ['三月: 3.25 (1 至 5) <script>"']
    assert tips[0].find("title").text == tips[0].get("data-tip")
    assert tips[0].get("tabindex") == "0"
    assert "<script" not in drawn


def test_colours_are_those_of_the_page(drawn):
    assert "var(--accent)" in drawn
    assert "var(--ink)" in drawn
    assert INK.lower() not in drawn.lower()


def test_it_has_a_name_and_needs_nothing(drawn):
    root = parsed(drawn)
    assert root.get("aria-label") == "净推荐值 <NPS>"
    assert root.get("viewBox")
    assert root.get("width") is None
    for name in set(re.findall(r'#([\w-]+)["\)]', drawn)):
        assert f'id="{name}"' in drawn
    assert "<metadata" not in drawn


def test_two_pictures_share_no_names(drawn):
    other = InteractiveChart("two", "same")
    other.axis.plot([0, 1, 2], [1.0, 3.0, 2.0], color=MODEL)
    ids = [set(re.findall(r' id="([^"]+)"', each)) for each in (str(drawn), str(other.svg()))]
    assert all(ids)
    assert ids[0] & ids[1] == set()
