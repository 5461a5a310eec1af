"""The report, the console and the command line use the glossary's terms for indicators and targets."""

import re

import pytest

from insight.business_report.translations import load_names
from models.targets.registry import TARGETS
from support.trained_company import PROJECT

GLOSSARY = (PROJECT / "docs/reference/glossary.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \|", re.MULTILINE)
#: Former terms that readers of English pages should not meet any more.
FORMER = ("Customers kept", "Customers who complained", "too close to", "Leaving", "Churn risk")


def terms(heading):
    """The terms of a section of the glossary: key to (English, Chinese)."""
    section = GLOSSARY.split(f"## {heading}")[1].split("\n## ")[0]
    return {key: (english, chinese) for key, english, chinese in ROW.findall(section)}


def console_texts(language):
    console = PROJECT / "src/serve/console"
    texts = "".join(path.read_text("utf-8") for path in console.glob(f"texts_*{language}.js"))
    return dict(re.findall(r'^  "([^"]+)": "(.*)",$', texts, re.MULTILINE))


INDICATORS, TARGET_TERMS = terms("Indicators"), terms("Targets")


def test_the_glossary_has_every_indicator_and_target():
    assert set(INDICATORS) == set(load_names("en")["indicator"])
    assert set(TARGET_TERMS) == {name for name, target in TARGETS.items() if not target.opt_in}


@pytest.mark.parametrize(("place", "language"), [(0, "en"), (1, "zh")])
def test_the_report_uses_the_terms_for_indicators(place, language):
    assert load_names(language)["indicator"] == {k: t[place] for k, t in INDICATORS.items()}


@pytest.mark.parametrize(("place", "language"), [(0, "en"), (1, "zh")])
def test_the_console_uses_the_terms(place, language):
    texts = console_texts(language)
    for kind, found in (("indicator", INDICATORS), ("target", TARGET_TERMS)):
        for key, term in found.items():
            assert texts[f"{kind}.{key}"] == term[place]


def test_the_targets_use_the_terms():
    """Report, models page and command line take the names of targets from their declarations."""
    for name, (english, chinese) in TARGET_TERMS.items():
        assert (TARGETS[name].title, TARGETS[name].title_zh) == (english, chinese)


def test_former_terms_are_gone():
    pages = [*(PROJECT / "src/insight/business_report").glob("locale/en.toml"),
             *(PROJECT / "src/serve/console").glob("texts_*en.js"),
             *(PROJECT / "src/serve/cli").glob("*.py")]  # fmt: skip
    assert len(pages) > 4
    for path in pages:
        text = path.read_text(encoding="utf-8")
        assert [former for former in FORMER if former in text] == [], path.name
