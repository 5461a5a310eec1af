"""Companies that lack something: what is said of them is true, and what they have is shown."""

import re
from datetime import UTC, date, datetime

import pytest

from features.contract import TABLES
from features.progress import silent_steps
from insight.business_report.business_report_page import render_details, render_overview
from insight.business_report.report_inputs import load_report_inputs
from insight.evaluation.evaluation_files import evaluation_folder, read_evaluation
from insight.evaluation.measure_indicators import measure_indicators
from insight.evaluation.run_evaluation import evaluate_company
from support.survey_builders import on, survey_answer, write_history

PEOPLE = [f"C{i}" for i in range(30)]
INSIGHT = {"satisfaction": {"fewest": 5}}


def answers(month, **other):
    """Answers of 1 to 5 to one question of everybody, sent in one month."""
    return [survey_answer(c, on(month), 1.0 + i % 5, **other) for i, c in enumerate(PEOPLE)]


def orders(*months):
    return [
        {"customer_id": c, "occurred_at": on(m), "known_at": on(m), "kind": "order", "amount": 10.0}
        for c in PEOPLE for m in months
    ]  # fmt: skip


def both_pages(company, workspace, language):
    inputs, now = load_report_inputs(company, workspace, language), datetime(2026, 1, 1, tzinfo=UTC)
    return render_overview(inputs, now) + render_details(inputs, now)


def evaluate(folder, insight=INSIGHT, **tables):
    """The evaluation of a company without models, and its report in both languages."""
    start = tables.pop("start", "2025-01-01T00:00:00+00:00")
    stored = {name: [{c: row.get(c) for c in TABLES[name].names} for row in rows]
              for name, rows in tables.items()}  # fmt: skip
    company, workspace, _ = write_history(folder, insight=insight, start=start, **stored)
    evaluate_company(company, workspace, silent_steps())
    found = read_evaluation(evaluation_folder(workspace, company.name))
    pages = [
        re.sub(
            r"\s+", " ", re.sub(r"<(style|script|svg).*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL)
        )
        for text in (both_pages(company, workspace, language) for language in ("en", "zh"))
    ]
    return found, pages


def test_surveys_that_end_two_quarters_before_the_last_order(tmp_path):
    """The last answers are of June, one day after 1 June; orders go on until November."""
    surveys = [row for month in (2, 3, 6) for row in answers(month)]
    found, (english, chinese) = evaluate(
        tmp_path, INSIGHT | {"loop": {"targets": {"csat_index": {"target": 4}}}},
        surveys=surveys, events=orders(2, 5, 8, 11),
    )  # fmt: skip
    index = next(i for i in found.indicators if i.name == "csat_index")
    assert (index.value, index.period, index.answered) == (5.0, date(2025, 4, 1), 30)
    assert (index.before, index.empty_period.last) == (5.0, date(2025, 6, 2))
    assert "No answers in Q4 2025; the last are from June 2025." in english
    assert "2025年第4季度没有回答，最近的在2025年6月。" in chinese
    assert next(i for i in found.indicators if i.name == "active").empty_period is None
    assert found.cycle[0].verdict == "unmeasured"
    assert (
        "no answers in the period from 2025-10-01, the last value is 5 of" in found.cycle[0].check
    )
    assert "自 2025-10-01 起的统计期内没有回答" in chinese


def test_the_last_answers_may_be_of_the_period_that_has_not_ended(tmp_path):
    """The data end on 20 December: the third quarter is the last whole one, and answers are of June."""
    surveys = [row for month in (6, 12) for row in answers(month, comment=None, channel=None)]
    company, workspace, _ = write_history(
        tmp_path, insight=INSIGHT, surveys=surveys, events=orders(2, 11)
    )  # fmt: skip
    path = workspace.history("tiny") / "history.json"
    path.write_text(path.read_text().replace("2026-01-01", "2025-12-20"), encoding="utf-8")
    index = next(
        i for i in measure_indicators(company, workspace).indicators if i.name == "csat_index"
    )
    assert (index.period, index.empty_period.period) == (date(2025, 4, 1), date(2025, 7, 1))
    assert index.empty_period.last == date(2025, 12, 2)


@pytest.mark.slow
def test_only_surveys_that_end_early(tmp_path):
    """Nothing but surveys; two questions that nobody answered make the data go on until December."""
    late = [survey_answer(c, on(12), None) for c in PEOPLE[:2]]
    found, (english, chinese) = evaluate(tmp_path, surveys=[*answers(2), *answers(6), *late])
    assert {"csat_index", "satisfied"} == {i.name for i in found.indicators}
    assert "No answers in Q4 2025; the last are from June 2025." in english
    for page in (english, chinese):
        assert "The data do not contain" not in page
        assert "数据中没有" not in page
    assert "has no surveys" not in english
    assert "没有调查数据" not in chinese


@pytest.mark.slow
def test_answers_to_other_questions_are_named(tmp_path):
    """Customer effort and service gaps: satisfaction is not asked, which is all that is said of it."""
    effort = answers(11, instrument="ces")
    pairs = answers(11, instrument="servqual", dimension="speed", expectation=5.0)
    found, (english, chinese) = evaluate(tmp_path, surveys=[*effort, *pairs])
    assert {(i.name, i.dimension) for i in found.indicators} == {("effort", None), ("gap", "speed")}
    why = found.not_measured["csat_index"]
    assert "the 60 answers are to ces overall (30), servqual speed (30)" in why
    assert "there are answers on ces overall (30), servqual speed (30)" in found.skipped["drivers"]
    assert why in english
    assert "现有 60 份回答的题目为 ces overall (30), servqual speed (30)" in chinese
    for reason in [*found.not_measured.values(), *found.skipped.values()]:
        assert "no surveys" not in reason


@pytest.mark.slow
def test_questions_with_two_scales_are_not_called_missing(tmp_path):
    mixed = [row | {"scale_high": 5.0 + i % 2} for i, row in enumerate(answers(11))]
    found, (english, _) = evaluate(tmp_path, surveys=mixed, events=orders(2, 11))
    assert "the scales disagree" in found.not_measured["csat_index"]
    assert "the scales disagree" in found.skipped["drivers"]
    assert "has no surveys" not in english


@pytest.mark.slow
def test_answers_before_the_first_whole_period_are_not_denied(tmp_path):
    """The data begin in February: all answers are of the first quarter, which is not whole."""
    found, _ = evaluate(
        tmp_path, surveys=answers(3), events=orders(4, 8, 11), start="2025-02-01T00:00:00+00:00"
    )
    assert found.not_measured["csat_index"].startswith(
        "all 30 answers were asked for outside the whole quarters of the data"
    )


@pytest.mark.slow
def test_surveys_that_nobody_answers(tmp_path):
    asked = [survey_answer(c, on(m), None) for c in PEOPLE for m in (2, 11)]
    found, (english, chinese) = evaluate(tmp_path, surveys=asked, events=orders(2, 11))
    assert found.not_measured["csat_index"] == "asked 60 times, and nobody answered"
    assert "询问 60 次，无人回答" in chinese
    assert "no question was answered in a whole period" in found.skipped["drivers"]
    assert "has no surveys" not in english


@pytest.mark.slow
def test_perceptions_without_expectations_are_not_called_unanswered(tmp_path):
    surveys = answers(11, instrument="servqual", dimension="speed")
    found, (_, chinese) = evaluate(tmp_path, surveys=surveys, events=orders(2, 11))
    assert found.not_measured["gap_speed"] == (
        "30 answers without an expectation: map the column expectation of surveys"
    )
    assert "30 份回答缺少期望值" in chinese


def test_only_events(tmp_path):
    found, (english, chinese) = evaluate(tmp_path, events=orders(2, 5, 8, 11))
    assert {"active", "repurchase"} <= {i.name for i in found.indicators}
    assert found.skipped["drivers"].startswith("the company has no surveys")  # which is true
    assert "公司没有调查数据" in chinese
    assert "No answers in" not in english


@pytest.mark.slow
def test_tickets_of_other_kinds_are_named(tmp_path):
    tickets = [
        {"customer_id": c, "opened_at": on(11), "kind": "request", "closed_at": on(11, 3)}
        for c in PEOPLE
    ]  # fmt: skip
    found, (english, chinese) = evaluate(
        tmp_path, tickets=tickets, surveys=answers(11), events=orders(2, 11)
    )
    assert "its tickets are request (30)" in found.not_measured["reopen_rate"]
    assert "现有工单类别为 request (30)" in chinese
    assert "has no tickets" not in english
