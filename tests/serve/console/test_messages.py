"""The console translates stored messages with the patterns of the report."""

import json
import re

import pytest

from insight.business_report.translations import load_catalogue
from support.trained_company import PROJECT

CONSOLE = PROJECT / "src/serve/console"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_patterns_are_those_of_the_report(language: str) -> None:
    script = (CONSOLE / f"messages_{language}.js").read_text(encoding="utf-8")
    rows = re.findall(r"^  (\[.*\]),$", script, re.MULTILINE)
    pairs = [tuple(json.loads(row)) for row in rows]
    expected = list(load_catalogue(f"messages_{language}")["message"].items())
    assert pairs == expected, f"write messages_{language}.js again from messages_{language}.toml"
