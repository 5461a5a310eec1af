"""Indicators of a company: computed in every cell with data, otherwise skipped with a reason."""

from datetime import UTC, datetime

import pytest

from features.errors import DataRefused
from insight.satisfaction.indicators import compute_indicators
from support.survey_builders import on, survey_answer, write_history

SETTINGS = {"satisfaction": {"fewest": 2, "by": ["region"]}}


def tables():
    people = [f"C{i}" for i in range(6)]
    return {
        "customers": [{"customer_id": c, "valid_from": on(1), "region": r}
                      for c, r in zip(people, "nnnsss", strict=True)],
        "surveys": [survey_answer(c, on(month), 1.0 + (i + month) % 5) for i, c in enumerate(people)
                    for month in (2, 11)],
        "events": [{"customer_id": c, "occurred_at": on(m), "known_at": on(m), "kind": "order"}
                   for c in people for m in (2, 5, 11)],
    }  # fmt: skip


def test_metrics_with_data_are_computed_over_time_and_by_group(tmp_path):
    company, workspace, _ = write_history(tmp_path, insight=SETTINGS, **tables())
    found = compute_indicators(company, workspace)
    figures = {figure.name: figure for figure in found.indicators}
    assert found.last_period == datetime(2025, 10, 1, tzinfo=UTC)
    assert {"csat_index", "satisfied", "retention", "repurchase"} <= set(figures)
    index = figures["csat_index"]
    # 3..5, 1, 2, 3 in February (mean 3.0 of 1 to 5), one step lower each in November
    assert index.over_time.table["value"].tolist() == pytest.approx([5.0, 4.583333])
    assert index.by["region"].table["region"].tolist() == ["n", "s"]
    assert (
        index.uncorrected_reason
        == "non-response has not been estimated yet; run `goodwill nonresponse`"
    )
    assert figures["retention"].over_time.table["value"].eq(1.0).all()


def test_a_metric_without_data_is_skipped_with_its_reason(tmp_path):
    company, workspace, _ = write_history(tmp_path, insight=SETTINGS, **tables())
    skipped = compute_indicators(company, workspace).skipped
    assert skipped["effort"] == skipped["gap"]
    assert skipped["effort"] == (
        "the question was not asked; the 12 answers are to csat overall (12): ask this question "
        "in a survey, or map its instrument and dimension"
    )
    assert skipped["complaint"].startswith("not recorded for any of 18 customers and periods: map")


def test_a_company_without_surveys_still_has_behavioural_rates(tmp_path):
    events = tables()["events"]
    company, workspace, _ = write_history(
        tmp_path, insight={"satisfaction": {"fewest": 2}}, events=events
    )
    found = compute_indicators(company, workspace)
    assert "no surveys; satisfaction is measured with surveys" in found.skipped["csat_index"]
    assert "retention" in {figure.name for figure in found.indicators}


def test_questions_outside_whole_periods_are_counted(tmp_path):
    made = tables()
    early = survey_answer("C0", datetime(2024, 12, 30, tzinfo=UTC), 3.0)
    company, workspace, _ = write_history(
        tmp_path, insight=SETTINGS, **{**made, "surveys": [*made["surveys"], early]}
    )
    assert compute_indicators(company, workspace).outside == 1


def test_data_without_a_whole_period_are_refused(tmp_path):
    company, workspace, _ = write_history(
        tmp_path, insight={"satisfaction": {"period": "year"}}, **tables()
    )
    path = workspace.history("tiny") / "history.json"
    path.write_text(path.read_text().replace("2025-01-01T", "2025-02-01T"), encoding="utf-8")
    with pytest.raises(DataRefused, match=r"hold no whole year; choose a shorter period"):
        compute_indicators(company, workspace)
