"""The catalogues of both languages: same keys, same gaps, no unused key, and translated messages."""

import re
import string
from pathlib import Path

import pytest

import features.data_quality
import insight.business_report
from features.errors import ConfigRefused
from insight.business_report.translations import (
    Translator,
    load_catalogue,
    load_names,
    load_texts,
    report_language,
)
from insight.evaluation.evaluation_schema import CompanyEvaluation
from insight.evaluation.indicator_builder import STALE
from insight.evaluation.migration_summary import NO_MONTH

FOLDER = Path(next(iter(insight.business_report.__path__)))
PAGES = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.html.j2")}
CODE = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.py")}


def all_texts(language):
    """Sentences and names of a language by key."""
    names = {f"{kind}.{n}": text for kind, found in load_names(language).items()
             for n, text in found.items()}  # fmt: skip
    return {**load_texts(language), **names}


def gaps(text):
    return sorted({name for _, name, _, _ in string.Formatter().parse(text) if name})


def test_both_languages_have_the_same_keys_and_gaps():
    english, chinese = all_texts("en"), all_texts("zh")
    assert english.keys() ^ chinese.keys() == set()
    assert [k for k in english if gaps(english[k]) != gaps(chinese[k])] == []


def test_chinese_texts_are_chinese():
    """Except for names that are written in Latin letters everywhere."""
    latin = {key for key, text in all_texts("zh").items() if not re.search(r"[一-鿿]", text)}
    assert latin == {
        "comma", "colon", "of_dimension", "effect_of", "with_interval", "group_of", "owner",
        "alert_value", "alert_sentence", "change_year_ago", "semicolon", "channel.edi",
        "respondents_change", "line_tip", "next_step_of", "sentence_gap", "value_times",
    }  # fmt: skip
    assert not any("劣质" in text for text in all_texts("zh").values())


def test_every_key_of_the_pages_is_in_the_catalogues():
    used = {key for text in PAGES.values() for key in re.findall(r'\bw\("([a-z_]+)"', text)}
    used |= {key for text in PAGES.values() for key in re.findall(r'p\.th\("([a-z_]+)"', text)}
    used |= {key for text in PAGES.values() for key in re.findall(r'reasons\("([a-z_]+)"', text)}
    used |= {key for text in CODE.values()
             for key in re.findall(r'\btranslate\(\s*"([a-z_]+)"', text) if key != "key"}  # fmt: skip
    assert len(used) > 100
    assert used - set(load_texts("en")) == set()


def test_every_sentence_of_the_catalogues_is_used():
    everything = "".join([*PAGES.values(), *CODE.values()])
    built = (
        "calls_",
        "risks_",
        "causes_",
        "moves_",
        "segments_",
        "distribution_",
        "handled_",
        "alert_",
        "data_",
        "probability_",
        "step_",
        "by_",
        "ahead_",
        "axis_",
    )
    unused = [
        key for key in load_texts("en")
        if not key.startswith(built) and f'"{key}"' not in everything
    ]  # fmt: skip
    assert unused == []


def test_every_part_that_can_be_missing_has_a_name():
    for part in (
        "indicators",
        "drivers",
        "segments",
        "tiers",
        "stages",
        "value",
        "traits",
        "cycle",
        "revenue",
        "cohorts",
        "comments",
    ):
        assert part in CompanyEvaluation.model_fields
        assert Translator("zh").has_name("part", part)


def test_reputation_is_not_credit():
    chinese = Translator("zh")
    assert "信誉" in chinese.name("cause", "firm_reputation")
    assert "信用" in chinese.name("cause", "customer_credit")


def test_a_name_without_a_translation_is_shown_as_it_is():
    assert Translator("zh").name("region", "Mars") == "Mars"
    assert Translator("en").name("by", "crm_sales_team") == "sales team"


@pytest.mark.parametrize(
    ("message", "english", "chinese"),
    [
        ("measured for all customers, not by a survey", "measured for all customers, not by a survey",
         "该指标统计全部客户，不来自调查"),
        ("Service gap: no data in 0 rows; map tickets",
         "no data; map tickets", "没有数据：相关的 0 行均无数值；请映射工单表"),
        ("24 periods; a forecast of 3 with 12 a year needs 30: two years to learn from and the rest "
         "to test on",
         "24 periods; a forecast of 3 with 12 a year needs 30: two years to learn from and the rest "
         "to test on",
         "仅有 24 期；每年 12 期、预测 3 期需要 30 期：两年用于学习，其余用于检验"),
        ("acme has no surveys, the source of complaints; map a table of tickets, or of surveys with "
         "comments",
         "acme has no surveys, the source of complaints; map a table of tickets, or of surveys with "
         "comments",
         "没有投诉的来源数据；请映射工单表，或带留言的调查表"),
        ("evaluation.json cannot be read (ValueError); make it again with `goodwill evaluate`",
         "evaluation.json cannot be read (ValueError); make it again with `goodwill evaluate`",
         "无法读取 evaluation.json（ValueError）；请运行 `goodwill evaluate` 重新生成"),
        ("not better than the rule: roc_auc 0.51 against 0.6, gain -0.09 (-0.2 to -0.01)",
         "not better than the baseline rule: roc_auc 0.51 against 0.6, gain -0.09 (-0.2 to -0.01)",
         "模型不优于基准规则"),
        ("the company has no surveys table", "the company has no surveys table", "公司没有 surveys 表"),
        ("a new reason about 5 % of rows", "a new reason about 5% of rows", "原因请见英文版报告。"),
        ("缺少 orders", "缺少 orders", "缺少 orders"),
    ],
)  # fmt: skip
def test_messages_of_other_modules(message, english, chinese):
    assert Translator("en").message(message) == english
    assert Translator("zh").message(message) == chinese


@pytest.mark.parametrize("message", [STALE, NO_MONTH])
def test_constant_reasons_of_the_evaluation_have_a_translation(message):
    assert Translator("zh").message(message) != "原因请见英文版报告。"


def test_every_data_quality_check_has_a_chinese_sentence():
    folder = Path(next(iter(features.data_quality.__path__)))
    source = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = set(re.findall(r'"([a-z][a-z ]+)", "(?:warning|advice|error)"', source))
    named -= {"error", "red", "yellow"}  # colours of severities
    assert len(named) > 15
    assert named - set(load_catalogue("messages_zh")["finding"]) == set()


@pytest.mark.parametrize("name", ["LANG_REPORT", "GOODWILL_LANG_REPORT"])
@pytest.mark.parametrize(("wanted", "found"), [("zh", "zh"), ("en", "en"), ("", "en")])
def test_the_environment_chooses_the_language(monkeypatch, name, wanted, found):
    monkeypatch.delenv("LANG_REPORT", raising=False)
    monkeypatch.setenv(name, wanted)
    assert report_language() == found


def test_english_is_the_default(monkeypatch):
    monkeypatch.delenv("LANG_REPORT", raising=False)
    assert report_language() == "en"


def test_an_unknown_language_is_refused(monkeypatch):
    monkeypatch.setenv("LANG_REPORT", "fr")
    with pytest.raises(ConfigRefused, match=r"LANG_REPORT='fr'; languages are en, zh"):
        report_language()
