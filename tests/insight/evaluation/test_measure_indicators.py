"""Indicators of a small company: values, changes, groups, non-response-corrected values."""

import json
from datetime import date

import pandas as pd
import pytest

from features.errors import ConfigRefused, DataRefused
from insight.evaluation.measure_indicators import measure_indicators
from support.survey_builders import on, survey_answer, write_history

PEOPLE = [f"C{i}" for i in range(8)]
INSIGHT = {
    "satisfaction": {"fewest": 2, "by": ["region"]},
    "loop": {"targets": {"csat_index": {"target": 4}, "gap_speed": {"target": 0}}},
}


def tables(scores=(5.0, 5.0, 4.0, 4.0, 2.0, 2.0, 1.0, None), earlier=5.0):
    """Four customers in the north, three in the south, one in the west; asked in August and November."""
    return {
        "customers": [{"customer_id": c, "valid_from": on(1), "region": region}
                      for c, region in zip(PEOPLE, "nnnnsssw", strict=True)],
        "surveys": [survey_answer(c, on(8), earlier, comment=None, channel=None) for c in PEOPLE]
        + [survey_answer(c, on(11), score) for c, score in zip(PEOPLE, scores, strict=True)],
        "events": [{"customer_id": c, "occurred_at": on(m), "known_at": on(m), "kind": "order"}
                   for c in PEOPLE for m in (2, 8, 11)],
    }  # fmt: skip


def measure(folder, segments=None, insight=INSIGHT, population=None, **changed):
    company, workspace, _ = write_history(folder, insight=insight, **tables(**changed))
    if population:
        path = workspace.company(company.name) / "nonresponse.json"
        path.write_text(json.dumps(population), encoding="utf-8")
    return measure_indicators(company, workspace, segments)


def csat_index(results):
    return next(i for i in results.indicators if i.name == "csat_index")


def test_last_quarter_and_the_quarter_before(tmp_path):
    results = measure(tmp_path)
    index = csat_index(results)
    # 5, 5, 4, 4, 2, 2, 1 of 1 to 5 are 10, 10, 7.5, 7.5, 2.5, 2.5, 0
    assert index.value == pytest.approx(40 / 7)
    assert (index.asked, index.answered, index.coverage, index.customers) == (8, 7, 7 / 8, 7)
    assert (index.before, index.moved) == (10.0, "unknown")  # two quarters say not what is usual
    assert index.verdict.kind == "unwatched"
    assert [p.period.month for p in index.over_time] == [7, 10]
    assert (index.goal.target, index.goal.verdict) == (4.0, "unmeasured")  # 7 cases are too few
    assert "the question was not asked; the 15 answers are to csat" in results.not_measured["gap"]


def test_values_by_attribute_and_status_with_small_groups_hidden(tmp_path):
    segments = pd.DataFrame({
        "customer_id": PEOPLE[:6], "tier": list("AABBBB"),
        "period": pd.Timestamp("2025-10-01", tz="UTC"),
    })  # fmt: skip
    index = csat_index(measure(tmp_path, segments))
    cells = {(c.by, c.group): (c.value, c.answered) for c in index.cells}
    assert cells[("region", "n")] == (8.75, 4)
    assert cells[("region", "s")] == (pytest.approx(5 / 3), 3)
    # of two unknown one answered and could be derived: A, the next smallest, is hidden too
    assert {key: cell for key, cell in cells.items() if key[0] == "tier"} == {
        ("tier", "B"): (5.0, 4)
    }
    assert index.hidden["tier"].model_dump() == {"cells": 2, "answers": 3}
    assert index.hidden["region"].model_dump() == {"cells": 1, "answers": 0}  # no answer to protect
    assert ("channel", "unknown") not in cells


def test_non_response_corrected_values_of_the_company_and_its_groups(tmp_path):
    both = {
        "said": {"value": 70.0},
        "everybody_asked": {"value": 60.0, "low": 50.0, "high": 65.0},
    }
    figure = {
        "name": "csat", "answered": both["said"], "everybody_asked": both["everybody_asked"],
        "by": {"crm_region": {"groups": {"n": both}, "hidden": 2}},
    }  # fmt: skip
    population = {"fingerprint": "abc", "questions": {"satisfaction": {"figures": [figure]}}}
    index = csat_index(measure(tmp_path / "new", population=population))
    assert (index.year, index.everybody.value, index.everybody.low) == (7.0, 6.0, 5.0)
    assert index.why_not == ""
    north, south = (next(c for c in index.cells if c.group == g) for g in "ns")
    assert (north.year, north.everybody.high) == (7.0, 6.5)
    assert (south.year, south.everybody) == (None, None)
    stale = csat_index(measure(tmp_path / "old", population=population | {"fingerprint": "old"}))
    assert (stale.year, stale.everybody) == (None, None)
    assert "estimated on other data; run `goodwill nonresponse`" in stale.why_not


def test_reason_for_no_corrected_value(tmp_path):
    why = {i.name: i.why_not for i in measure(tmp_path).indicators}
    assert "run `goodwill nonresponse`" in why["csat_index"]
    assert why["active"] == "measured for all customers, not by a survey"


def test_unrecorded_indicators_are_not_measured(tmp_path):
    reasons = measure(tmp_path).not_measured
    assert reasons["complaint"].endswith("map tickets")
    assert reasons["called_back"].endswith("map visits or calls (callback_kinds)")
    assert reasons["nps"].endswith("or map its instrument and dimension")
    assert "has 0 comments of dissatisfied customers" in reasons["hours_to_reply"]


def test_too_few_answers_in_the_last_quarter_show_the_quarter_before(tmp_path):
    results = measure(tmp_path, scores=[5.0, *[None] * 7])
    index = csat_index(results)
    assert (index.value, index.period, index.answered) == (10.0, date(2025, 7, 1), 8)
    assert index.empty_period.model_dump() == {
        "period": date(2025, 10, 1), "cases": "answers", "answered": 1, "last": date(2025, 11, 2),
    }  # fmt: skip
    assert index.goal.verdict == "unmeasured"  # the older value does not reach the target now
    assert {(c.by, c.group) for c in index.cells} == {("region", "n")}  # 4, 3 and 1 answered


def test_too_few_answers_in_every_quarter_are_not_measured(tmp_path):
    insight = INSIGHT | {"satisfaction": {"fewest": 9}}
    assert measure(tmp_path, insight=insight).not_measured["csat_index"] == (
        "at most 8 answers in a quarter; the indicator needs 9. Wait, survey more customers, or choose "
        "a longer period under [insight.satisfaction]"
    )


def test_conflicting_scales_leave_the_question_out(tmp_path):
    rows = tables()
    rows["surveys"][3] |= {"scale_high": 10.0}
    company, workspace, _ = write_history(tmp_path, insight=INSIGHT, **rows)
    results = measure_indicators(company, workspace)
    assert "scale" in results.not_measured["csat_index"]
    assert "mixed_scales" in results.not_measured["satisfied"]
    assert "others cannot be used: csat overall: the scales disagree" in results.not_measured["nps"]
    assert "active" in {i.name for i in results.indicators}


def test_conflicting_scales_leave_other_questions_in(tmp_path):
    rows = tables()
    rows["surveys"][3] |= {"scale_high": 10.0}
    other = {"instrument": "nps", "scale_low": 0.0, "scale_high": 10.0}
    rows["surveys"] += [row | other for row in tables()["surveys"]]
    price = {"dimension": "price"}
    rows["surveys"] += [row | price for row in tables()["surveys"]]
    rows["surveys"] += [row | price | {"scale_high": 7.0} for row in tables()["surveys"]]
    company, workspace, _ = write_history(tmp_path, insight=INSIGHT, **rows)
    results = measure_indicators(company, workspace)
    assert "nps" in {i.name for i in results.indicators}
    assert "csat overall: the scales disagree" in results.not_measured["csat_index"]
    assert "csat price: the scales disagree" in results.not_measured["dimension_price"]


def test_unknown_targets_and_attributes_and_a_missing_history_are_refused(tmp_path):
    wrong = INSIGHT | {"loop": {"targets": {"csat_indx": {"target": 4}}}}
    with pytest.raises(ConfigRefused, match=r"targets\.csat_indx; did you mean csat_index"):
        measure(tmp_path / "a", insight=wrong)
    with pytest.raises(ConfigRefused, match="by names regoin; did you mean region"):
        measure(tmp_path / "b", insight={"satisfaction": {"by": ["regoin"]}})
    company, workspace, _ = write_history(tmp_path / "c", insight=INSIGHT, **tables())
    (workspace.history("tiny") / "history.json").unlink()
    with pytest.raises(DataRefused):
        measure_indicators(company, workspace)


def test_no_number_is_nan(tmp_path):
    for indicator in measure(tmp_path).indicators:
        assert "NaN" not in indicator.model_dump_json()
        assert "Infinity" not in indicator.model_dump_json()
