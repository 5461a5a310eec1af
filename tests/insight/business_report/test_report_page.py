"""Both pages: complete whatever is missing, safe to open, with the numbers of the evaluation."""

import re
from dataclasses import replace

import pytest

from features.errors import ConfigRefused, DataRefused
from features.progress import silent_steps
from insight.business_report.business_report_page import (
    count_customers,
    render_details,
    render_overview,
    report_files,
    write_report,
)
from insight.business_report.report_inputs import load_report_inputs
from insight.evaluation.evaluation_files import evaluation_folder
from insight.evaluation.evaluation_schema import CustomerCounts
from insight.model_report.model_report_page import model_report_path
from support import report_builders

from .conftest import write_evaluation_files

OVERVIEW = ("overview", "calls")
DETAILS = ("indicators", "trends", "groups", "drivers", "cohorts", "distributions", "tiers",
           "complaints", "comments", "loop", "data", "models")  # fmt: skip
TARGETS = ("satisfaction", "nps", "churn", "value")


REASONS = {
    "en": {
        "no surveys and no orders": "no surveys and no orders",
        "40 complete rows; 50 are needed": "40 complete rows; 50 are needed",
        "no customer has revenue": "no customer has revenue",
    },
    "zh": {
        "no surveys and no orders": "没有调查和订单数据",
        "40 complete rows; 50 are needed": "仅有 40 份完整答卷，需要 50 份",
        "no customer has revenue": "没有客户有收入",
    },
}


def text_of(page):
    """The text of a page, without style, script and tags."""
    body = re.sub(r"<(style|script|title)>.*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (CustomerCounts(customers=2894, left=2106, unknown=0), "2,894 (2,106 have left)"),
        (CustomerCounts(customers=9, left=0, unknown=0), "9"),
        (CustomerCounts(customers=9, left=1, unknown=2),
         "9 (1 have left, 2 unclear)"),
    ],
)  # fmt: skip
def test_the_head_counts_customers_by_the_one_definition(english, counts, expected):
    evaluation = english.evaluation.model_copy(update={"customers": counts})
    assert count_customers(replace(english, evaluation=evaluation)) == expected


def both(inputs):
    """Both pages."""
    now = report_builders.AS_OF
    return render_overview(inputs, now) + render_details(inputs, now)


def exact(page, **wanted):
    """The data attributes of the page that belong to an indicator."""
    found = []
    for tag in re.findall(r"<\w+ data-indicator=[^>]*>", page):
        attributes = dict(re.findall(r'data-(\w+)="([^"]*)"', tag))
        if all(attributes.get(k, "") == v for k, v in wanted.items()):
            found.append(attributes)
    return found


def test_every_section_is_there(overview, details):
    for page, parts in ((overview, OVERVIEW), (details, DETAILS)):
        assert tuple(re.findall(r'<section id="([a-z]+)">', page)) == parts
        assert tuple(re.findall(r'<a href="#([a-z]+)">', page)) == parts
        assert page.count("<section") == page.count("</section>")
        assert page.rstrip().endswith("</html>")
        assert len(page.encode()) < 1_000_000


def test_the_pages_lead_to_each_other(overview, details):
    code = ".zh" if 'lang="zh-Hans"' in overview else ""
    assert overview.count(f'href="report-details{code}.html"') == 2  # at the top and at the end
    assert details.count(f'href="report{code}.html"') == 2


def test_page_one_is_read_in_five_minutes(english):
    """At 200 words a minute, with a full list of fifteen customers."""
    page = render_overview(english, report_builders.AS_OF)
    words = len(text_of(page).split())
    entry = len(text_of(page[page.index("<tbody>") : page.index("</tbody>")]).split()) / 3
    assert words + 12 * entry < 1000


def test_the_page_declares_its_language(page, inputs):
    tag = {"en": "en", "zh": "zh-Hans"}[inputs.translate.language]
    assert page.count(f'<html lang="{tag}">') == 2


def test_numbers_are_exactly_those_of_the_evaluation(page):
    """Indicators, corrected values and groups; the tile and the table agree."""
    for i in report_builders.evaluation().indicators:
        own = exact(page, indicator=i.name, dimension=i.dimension or "", of="")
        assert {float(f["value"]) for f in own} == {i.value}
        assert {int(f["n"]) for f in own} == {i.answered}
        for cell in i.cells:
            (found,) = exact(page, indicator=i.name, of=f"{cell.by}={cell.group}")
            assert (float(found["value"]), float(found["low"])) == (cell.value, cell.low)
            (corrected,) = exact(page, indicator=i.name, of=f"{cell.by}={cell.group} everybody")
            assert float(corrected["value"]) == cell.everybody.value
        for found in exact(page, indicator=i.name, of="everybody"):
            assert float(found["value"]) == i.everybody.value
    assert (
        len(exact(page, indicator="nps", of="everybody")) == 2
    )  # the tile shows the corrected one
    assert len(exact(page, indicator="csat_index", of="")) == 2


def test_the_chinese_page_has_no_english_sentence(chinese):
    text = text_of(both(chinese))
    assert not re.search(r"[A-Za-z'’]+(?:,? [A-Za-z'’]+){3,}", text)
    assert "劣质" not in text


def test_the_chinese_page_has_no_english_sentence_for_an_unknown_reason(evaluated):
    reasons = {"stages": "a reason that nobody has translated yet"}
    write_evaluation_files(evaluated[1], report_builders.evaluation(skipped=reasons))
    text = text_of(both(load_report_inputs(*evaluated, "zh")))
    assert "原因请见英文版报告。" in text
    assert "a reason that" not in text


def test_english_numbers_have_no_space_before_the_percent_sign(english):
    text = text_of(both(english))
    assert re.search(r"\d%", text)
    assert not re.search(r"\d %", text)


def test_the_page_loads_nothing_from_outside(page):
    """Links lead to customers in the console; nothing is loaded from there."""
    assert page.count("default-src 'none'") == 2
    links = re.findall(r'<a href="(https?://[^"]*)"', page)
    assert links == [f"http://127.0.0.1:3000/#customer/{c}" for c in ("C2", "C1", "C3")]
    others = re.sub(r"<a [^>]*>", "", page)
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", others)
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)
    for anchor in re.findall(r'href="#([\w-]+)"', page):
        assert f'id="{anchor}"' in page


@pytest.mark.parametrize("targets", [(), *((t,) for t in TARGETS), TARGETS])
def test_before_the_first_evaluation_the_page_says_what_to_run(world, scores_of, targets, language):
    scores = scores_of(*targets) if targets else None
    page = both(load_report_inputs(*world(scores), language))
    assert page.count('id="never"') == 2
    assert "make evaluate" in page
    assert "nan" not in text_of(page).lower().split()
    found = re.findall(r'<section id="([a-z]+)">', page)
    assert found == ["calls", "distributions", "complaints", "data", "models"]
    assert re.findall(r'<a href="#([a-z]+)">', page) == found


@pytest.mark.parametrize(
    "lacking",
    [
        {
            "indicators": [],
            "alerts": [],
            "cycle": [],
            "skipped": {"indicators": "no surveys and no orders"},
        },
        {"drivers": None, "skipped": {"drivers": "40 complete rows; 50 are needed"}},
        {"segments": [], "tiers": None, "skipped": {"standing": "no customer has revenue"}},
        {"cycle": []},
    ],
)
def test_a_missing_section_gives_the_reason(evaluated, language, lacking):
    write_evaluation_files(evaluated[1], report_builders.evaluation(**lacking))
    page = text_of(both(load_report_inputs(*evaluated, language)))
    for why in lacking.get("skipped", {}).values():
        assert REASONS[language][why] in page


def test_the_page_says_that_the_evaluation_is_of_older_data(evaluated):
    write_evaluation_files(evaluated[1], report_builders.evaluation(fingerprint="other"))
    assert "The data have changed since" in both(load_report_inputs(*evaluated, "en"))


def test_the_page_says_that_the_evaluation_cannot_be_read(evaluated):
    (evaluation_folder(evaluated[1], "tiny") / "evaluation.json").write_text("{}", encoding="utf-8")
    page = both(load_report_inputs(*evaluated, "en"))
    assert "Results of the last evaluation are incomplete." in page
    assert "evaluation.json cannot be read" in page


def test_text_from_outside_is_escaped(world, scores_of):
    scores = scores_of("churn")
    scores["customer_id"][0] = "<img src=x onerror=alert(1)>"
    company, workspace = world(scores, title="<script>alert(1)</script> & Co")
    cells = [report_builders.cell("crm_region", "<b>$x$</b>", 1.0, 0.5)]
    nps = report_builders.nps().model_copy(update={"cells": cells, "title": "<i>"})
    write_evaluation_files(
        workspace, report_builders.evaluation(indicators=[nps], skipped={"traits": "<u>none</u>"})
    )
    page = both(load_report_inputs(company, workspace, "en"))
    assert page.count("<script") == 2
    for raw in ("<img", "<b>$", "<i>x", "<u>"):
        assert raw not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in page


def test_all_pages_are_written_and_linked(evaluated, monkeypatch):
    company, workspace = evaluated
    monkeypatch.setenv("LANG_REPORT", "zh")
    (path,) = write_report(company, workspace, silent_steps())
    files = report_files(workspace, "tiny", "zh")
    assert (files.overview, files.details.name) == (path, "report-details.zh.html")
    assert path.name == "report.zh.html"
    details = files.details.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in details
    assert 'href="report.zh.html"' in details
    page = path.read_text(encoding="utf-8")
    assert '<html lang="zh-Hans">' in page
    assert "hreflang" not in page  # it is the only language
    assert '<a href="models.html">' in page
    assert "data-quality.html" not in page  # there is none
    assert model_report_path(workspace, "tiny").is_file()
    assert not list(path.parent.glob("*.new"))


def test_a_language_is_written_beside_the_other_and_both_link_to_each_other(evaluated):
    company, workspace = evaluated
    assert write_report(company, workspace, silent_steps(), "en") == [workspace.report("tiny")]
    write_evaluation_files(workspace, report_builders.evaluation(fingerprint="other"))
    first, second = write_report(company, workspace, silent_steps(), "zh")
    assert [first.name, second.name] == ["report.zh.html", "report.html"]
    chinese, english = first.read_text("utf-8"), second.read_text("utf-8")
    assert 'href="report.html" hreflang="en" lang="en">English</a>' in chinese
    assert 'href="report.zh.html" hreflang="zh-Hans" lang="zh-Hans">中文</a>' in english
    assert '<html lang="en">' in english
    assert "The data have changed since" in english  # both are of the same results
    details = report_files(workspace, "tiny", "zh").details.read_text("utf-8")
    assert 'href="report-details.html" hreflang="en" lang="en">English</a>' in details
    assert "hreflang" not in render_overview(
        load_report_inputs(*evaluated, "en"), report_builders.AS_OF
    )


def test_a_wrong_language_is_refused_before_anything_is_written(evaluated, monkeypatch):
    company, workspace = evaluated
    monkeypatch.setenv("LANG_REPORT", "de")
    with pytest.raises(ConfigRefused, match="LANG_REPORT='de'"):
        write_report(company, workspace, silent_steps())
    assert not workspace.report("tiny").exists()


def test_without_a_history_it_is_refused(world):
    company, workspace = world()
    (workspace.history("tiny") / "history.json").unlink()
    with pytest.raises(DataRefused, match="goodwill data"):
        write_report(company, workspace, silent_steps())
