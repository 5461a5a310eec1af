"""All indicators of a small company by hand: values, moves, groups, what everybody would have said."""

import json

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


def tables(scores=(5.0, 5.0, 4.0, 4.0, 2.0, 2.0, 1.0, None), former=5.0):
    """Four in the north, three in the south, one in the west; asked in August and in November."""
    return {
        "customers": [{"customer_id": c, "valid_from": on(1), "region": region}
                      for c, region in zip(PEOPLE, "nnnnsssw", strict=True)],
        "surveys": [survey_answer(c, on(8), former, comment=None, channel=None) for c in PEOPLE]
        + [survey_answer(c, on(11), score) for c, score in zip(PEOPLE, scores, strict=True)],
        "events": [{"customer_id": c, "occurred_at": on(m), "known_at": on(m), "kind": "order"}
                   for c in PEOPLE for m in (2, 8, 11)],
    }  # fmt: skip


def told_of(folder, segments=None, insight=INSIGHT, population=None, **changed):
    company, workspace, _ = write_history(folder, insight=insight, **tables(**changed))
    if population:
        path = workspace.company(company.name) / "population.json"
        path.write_text(json.dumps(population), encoding="utf-8")
    return measure_indicators(company, workspace, segments)


def index_of(told):
    return next(i for i in told.indicators if i.name == "csat_index")


def test_the_last_quarter_beside_the_one_before(tmp_path):
    told = told_of(tmp_path)
    index = index_of(told)
    # 5, 5, 4, 4, 2, 2, 1 of 1 to 5 are 10, 10, 7.5, 7.5, 2.5, 2.5, 0
    assert index.value == pytest.approx(40 / 7)
    assert (index.asked, index.answered, index.coverage, index.customers) == (8, 7, 7 / 8, 7)
    assert (index.before, index.moved) == (10.0, "down")
    assert [p.period.month for p in index.over_time] == [7, 10]
    assert (index.goal.target, index.goal.verdict) == (4.0, "unmeasured")  # 7 cases are few
    assert "no data" in told.not_measured["gap"]


def test_groups_and_standings_with_small_ones_hidden(tmp_path):
    segments = pd.DataFrame({
        "customer_id": PEOPLE[:6], "tier": list("AABBBB"),
        "period": pd.Timestamp("2025-10-01", tz="UTC"),
    })  # fmt: skip
    index = index_of(told_of(tmp_path, segments))
    cells = {(c.by, c.group): (c.value, c.answered) for c in index.cells}
    assert cells[("region", "n")] == (8.75, 4)
    assert cells[("region", "s")] == (pytest.approx(5 / 3), 3)
    # of the two unknown one answered, who would follow from the total: A, the next smallest, went too
    assert {key: cell for key, cell in cells.items() if key[0] == "tier"} == {
        ("tier", "B"): (5.0, 4)
    }
    assert index.hidden["tier"].model_dump() == {"cells": 2, "answers": 3}
    assert index.hidden["region"].model_dump() == {"cells": 1, "answers": 0}  # nobody to give away
    assert ("channel", "unknown") not in cells


def test_what_everybody_would_have_said_stands_beside_year_and_groups(tmp_path):
    both = {
        "said": {"value": 70.0},
        "everybody_asked": {"value": 60.0, "low": 50.0, "high": 65.0},
    }
    figure = {
        "name": "csat", "answered": both["said"], "everybody_asked": both["everybody_asked"],
        "by": {"crm_region": {"groups": {"n": both}, "hidden": 2}},
    }  # fmt: skip
    population = {"fingerprint": "abc", "questions": {"satisfaction": {"figures": [figure]}}}
    index = index_of(told_of(tmp_path / "new", population=population))
    assert (index.year, index.everybody.value, index.everybody.low) == (7.0, 6.0, 5.0)
    assert index.why_not == ""
    north, south = (next(c for c in index.cells if c.group == g) for g in "ns")
    assert (north.year, north.everybody.high) == (7.0, 6.5)
    assert (south.year, south.everybody) == (None, None)
    stale = index_of(told_of(tmp_path / "old", population=population | {"fingerprint": "old"}))
    assert (stale.year, stale.everybody) == (None, None)
    assert "studied on other data; run `goodwill population` again" in stale.why_not


def test_why_a_figure_is_not_corrected(tmp_path):
    why = {i.name: i.why_not for i in told_of(tmp_path).indicators}
    assert "run `goodwill population`" in why["csat_index"]
    assert why["active"] == "it is counted of all, not asked"


def test_what_nobody_records_is_not_measured(tmp_path):
    lacking = told_of(tmp_path).not_measured
    assert lacking["complaint"].endswith("map tickets")
    assert lacking["called_back"].endswith("map visits or calls (callback_kinds)")
    assert lacking["nps"].endswith("ask the question, or leave the figure out")
    assert "has 0 comments of discontent answers" in lacking["hours_to_reply"]


def test_a_last_quarter_of_few_answers_is_not_measured(tmp_path):
    told = told_of(tmp_path, scores=[5.0, *[None] * 7])
    assert "csat_index" not in {i.name for i in told.indicators}
    assert (
        "1 answers in the quarter from 2025-10-01, a figure takes 2; the last figure is 10"
        in (told.not_measured["csat_index"])
    )


def test_scales_that_disagree_leave_the_question_out(tmp_path):
    made = tables()
    made["surveys"][3] |= {"scale_high": 10.0}
    company, workspace, _ = write_history(tmp_path, insight=INSIGHT, **made)
    told = measure_indicators(company, workspace)
    assert "scale" in told.not_measured["csat_index"]
    assert "mixed_scales" in told.not_measured["satisfied"]
    assert told.not_measured["nps"].endswith("ask the question, or leave the figure out")
    assert "active" in {i.name for i in told.indicators}


def test_scales_that_disagree_leave_only_their_own_question_out(tmp_path):
    made = tables()
    made["surveys"][3] |= {"scale_high": 10.0}
    other = {"instrument": "nps", "scale_low": 0.0, "scale_high": 10.0}
    made["surveys"] += [row | other for row in tables()["surveys"]]
    price = {"dimension": "price"}
    made["surveys"] += [row | price for row in tables()["surveys"]]
    made["surveys"] += [row | price | {"scale_high": 7.0} for row in tables()["surveys"]]
    company, workspace, _ = write_history(tmp_path, insight=INSIGHT, **made)
    told = measure_indicators(company, workspace)
    assert "nps" in {i.name for i in told.indicators}
    assert "csat overall: the scales disagree" in told.not_measured["csat_index"]
    assert "csat price: the scales disagree" in told.not_measured["dimension_price"]


def test_wrong_targets_attributes_and_no_history_are_refused(tmp_path):
    wrong = INSIGHT | {"loop": {"targets": {"csat_indx": {"target": 4}}}}
    with pytest.raises(ConfigRefused, match=r"targets\.csat_indx; did you mean csat_index"):
        told_of(tmp_path / "a", insight=wrong)
    with pytest.raises(ConfigRefused, match="by names regoin; did you mean region"):
        told_of(tmp_path / "b", insight={"satisfaction": {"by": ["regoin"]}})
    company, workspace, _ = write_history(tmp_path / "c", insight=INSIGHT, **tables())
    (workspace.history("tiny") / "history.json").unlink()
    with pytest.raises(DataRefused):
        measure_indicators(company, workspace)


def test_no_number_is_nan(tmp_path):
    for indicator in told_of(tmp_path).indicators:
        assert "NaN" not in indicator.model_dump_json()
        assert "Infinity" not in indicator.model_dump_json()
