"""Two catalogues that say the same things, and the choice between them."""

import re
import string
from pathlib import Path

import pytest

import insight.business_report
from features.errors import ConfigRefused
from insight.business_report.translations import CATALOGUES, Translator, report_language
from insight.evaluation.evaluation_schema import CompanyEvaluation

FOLDER = Path(next(iter(insight.business_report.__path__)))
PAGES = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.html.j2")}
CODE = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}


def placeholders(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_both_languages_say_the_same_things():
    english, chinese = CATALOGUES["en"], CATALOGUES["zh"]
    assert english.keys() ^ chinese.keys() == set()
    apart = [k for k in english if placeholders(english[k]) != placeholders(chinese[k])]
    assert apart == []


def test_chinese_is_chinese():
    """But for names everybody writes in Latin letters."""
    latin = {key for key, text in CATALOGUES["zh"].items() if not re.search(r"[一-鿿]", text)}
    assert latin == {
        "comma", "colon", "of_dimension", "effect_of", "with_interval", "group_of", "owner",
        "channel.edi",
    }  # fmt: skip


def test_the_pages_say_nothing_the_catalogues_lack():
    asked = {key for text in PAGES.values() for key in re.findall(r'\bw\("([a-z_]+)"', text)}
    asked |= {key for text in PAGES.values() for key in re.findall(r'p\.th\("([a-z_]+)"', text)}
    asked |= {
        key
        for text in CODE.values()
        for key in re.findall(r'\bwords\(\s*"([a-z_]+)"', text)
        if key != "key"
    }
    assert len(asked) > 100
    assert asked - set(CATALOGUES["en"]) == set()


def test_nothing_in_the_catalogues_is_idle():
    """Sentences only: names are met by chance of the data."""
    everything = "".join([*PAGES.values(), *CODE.values()])
    built = ("calls_", "causes_", "moves_", "segments_", "spread_", "handled_", "alert_", "data_")
    idle = [
        key
        for key in CATALOGUES["en"]
        if "." not in key and not key.startswith(built)
        and len(re.findall(rf'"{key}"', everything)) < 3
    ]  # fmt: skip
    assert idle == []


def test_every_part_that_can_be_skipped_has_a_name():
    for part in (
        "indicators",
        "drivers",
        "segments",
        "tiers",
        "stages",
        "value",
        "traits",
        "cycle",
    ):
        assert part in CompanyEvaluation.model_fields
        assert Translator("zh").knows("part", part)


def test_reputation_is_not_credit():
    chinese = Translator("zh")
    assert "信誉" in chinese.named("cause", "firm_reputation")
    assert "信用" in chinese.named("cause", "customer_credit")


def test_a_name_nobody_translated_is_shown_as_it_is():
    assert Translator("zh").named("region", "Mars") == "Mars"
    assert Translator("en").named("by", "crm_sales_team") == "sales team"


@pytest.mark.parametrize("name", ["LANG_REPORT", "GOODWILL_LANG_REPORT"])
@pytest.mark.parametrize(("asked", "found"), [("zh", "zh"), ("en", "en"), ("", "en")])
def test_the_environment_chooses(monkeypatch, name, asked, found):
    monkeypatch.delenv("LANG_REPORT", raising=False)
    monkeypatch.setenv(name, asked)
    assert report_language() == found


def test_english_unless_asked(monkeypatch):
    monkeypatch.delenv("LANG_REPORT", raising=False)
    assert report_language() == "en"


def test_a_language_there_is_none_of_is_refused(monkeypatch):
    monkeypatch.setenv("LANG_REPORT", "fr")
    with pytest.raises(ConfigRefused, match=r"LANG_REPORT='fr'; languages are en, zh"):
        report_language()
