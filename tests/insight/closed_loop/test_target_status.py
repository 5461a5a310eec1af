"""Indicators compared with targets, and the PDCA table."""

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.config.company import Company
from features.errors import ConfigRefused
from insight.closed_loop.closed_loop_settings import IndicatorTarget, LoopSettings
from insight.closed_loop.holdout_effect import TreatmentEffect, not_identifiable
from insight.closed_loop.pdca import build_pdca_cycles
from insight.closed_loop.target_status import (
    CheckedTarget,
    Measurement,
    UnmeasuredTarget,
    check_targets,
)
from insight.company_settings import read_section
from models.evaluation.bootstrap import Interval
from support.report_builders import nps

MORE = IndicatorTarget(target=80, better="higher", actions=["call"])
LESS = IndicatorTarget(target=0.1, better="lower")


def one(target: IndicatorTarget, measured: Measurement | None) -> CheckedTarget | UnmeasuredTarget:
    (found,) = check_targets({"x": target}, {"x": measured})
    return found


@pytest.mark.parametrize(
    ("target", "low", "high", "verdict"),
    [
        (MORE, 81, 85, "reached"),
        (MORE, 80, 85, "reached"),
        (MORE, 70, 79, "missed"),
        (MORE, 70, 80, "uncertain"),
        (LESS, 0.02, 0.08, "reached"),
        (LESS, 0.12, 0.2, "missed"),
        (LESS, 0.08, 0.2, "uncertain"),
    ],
)
def test_the_whole_interval_must_lie_on_one_side(
    target: IndicatorTarget, low: float, high: float, verdict: str
) -> None:
    found = one(target, Measurement((low + high) / 2, low, high, 100))
    assert isinstance(found, CheckedTarget)
    assert found.verdict == verdict


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0, 30))
def test_higher_and_lower_are_symmetric(goal: float, value: float, half: float) -> None:
    up = one(IndicatorTarget(target=goal), Measurement(value, value - half, value + half, 99))
    down = one(
        IndicatorTarget(target=-goal, better="lower"),
        Measurement(-value, -value - half, -value + half, 99),
    )
    assert isinstance(up, CheckedTarget)
    assert isinstance(down, CheckedTarget)
    assert (up.verdict, up.gap) == (down.verdict, down.gap)
    assert (up.gap == 0) == (value >= goal)


def test_the_figure_corrected_for_non_response_decides() -> None:
    """NPS +31.2 (27.5 to 35) of respondents, +29.5 (24 to 35) corrected: 26 is no longer reached."""
    target = IndicatorTarget(target=26)
    (found,) = check_targets({"nps": target}, {"nps": nps()})
    assert isinstance(found, CheckedTarget)
    assert (found.measured.value, found.verdict, found.corrected) == (29.5, "uncertain", True)
    (cycle,) = build_pdca_cycles([found])
    assert cycle.check == "29.5 (24 to 35, corrected for non-response): uncertain"
    answered = nps().model_copy(update={"everybody": None})
    (raw,) = check_targets({"nps": target}, {"nps": answered})
    assert isinstance(raw, CheckedTarget)
    assert (raw.verdict, raw.corrected) == ("reached", False)


def test_no_data_and_too_few_cases_are_unmeasured() -> None:
    nothing, few = one(MORE, None), one(MORE, Measurement(90, 85, 95, 7))
    assert isinstance(nothing, UnmeasuredTarget)
    assert isinstance(few, UnmeasuredTarget)
    assert nothing.why.startswith("no data")
    assert few.why == "7 cases; at least 20 are needed"


def test_an_unmeasured_target_has_the_given_reason() -> None:
    (found,) = check_targets({"nps": MORE}, {"nps": None}, {"nps": "the question was never asked"})
    assert isinstance(found, UnmeasuredTarget)
    assert found.why == "the question was never asked"


def test_a_target_of_an_unknown_indicator_is_refused_with_a_similar_name() -> None:
    with pytest.raises(ConfigRefused, match=r"insight\.loop\.targets\.scat.*csat"):
        check_targets({"scat": MORE}, {"csat": None})


def test_targets_are_read_from_the_company_file() -> None:
    table = {"files": "e.csv", "columns": {}}
    raw = {"company": {"name": "acme"}, "tables": {"events": table}, "path": Path("acme.toml")}
    given_ = {"loop": {"targets": {"csat": {"target": 8, "until": "2026-12-31"}}}}
    company = Company.model_validate({**raw, "insight": given_})
    assert read_section(company, "loop", LoopSettings).targets["csat"].target == 8
    wrong = {"loop": {"targets": {"csat": {"target": 8, "better": "more"}}}}
    with pytest.raises(ConfigRefused, match=r"insight\.loop\.targets\.csat\.better: 'more'"):
        read_section(Company.model_validate({**raw, "insight": wrong}), "loop", LoopSettings)
    held = {"loop": {"targets": {"csat": {"target": 8, "actions": ["call/holdout"]}}}}
    with pytest.raises(ConfigRefused, match="'call/holdout' is a hold-out group"):
        read_section(Company.model_validate({**raw, "insight": held}), "loop", LoopSettings)


LOG = pd.DataFrame([{"action": "call", "treated": 900, "held_out": 100}])
WORKS = TreatmentEffect("hold-out", 900, 100, Interval(3, 1, 5), 3, 0.2, "")
UNSEEN = TreatmentEffect("hold-out", 900, 100, Interval(1, -1, 3), 1, 0.2, "")
HARMS = TreatmentEffect("hold-out", 900, 100, Interval(-3, -5, -1), 3, 0.2, "")


@pytest.mark.parametrize(
    ("measured", "effects", "act"),
    [
        (Measurement(70, 68, 72, 500), {"call": WORKS}, "extend it"),
        (Measurement(90, 88, 92, 500), {"call": WORKS}, "make it the rule"),
        (Measurement(70, 68, 72, 500), {"call": HARMS}, "stop it and try another"),
        (Measurement(70, 68, 72, 500), {"call": UNSEEN}, "repeat it larger, or try another"),
        (
            Measurement(70, 68, 72, 500),
            {"call": not_identifiable(900, 0, "all")},
            "repeat it with a part left alone by lot",
        ),
        (Measurement(70, 68, 72, 500), {}, "measure its effect"),
        (None, {"call": WORKS}, "measure it first"),
    ],
)
def test_next_step_by_result_of_the_action(
    measured: Measurement | None, effects: dict[str, TreatmentEffect], act: str
) -> None:
    (row,) = build_pdca_cycles([one(MORE, measured)], LOG, effects)
    assert row.act == act
    assert row.plan == "at least 80"
    assert row.do == "call: 900 customers, 100 left alone"


def test_a_missed_target_without_action_needs_one() -> None:
    (row,) = build_pdca_cycles([one(LESS, Measurement(0.2, 0.15, 0.25, 300))])
    assert (row.plan, row.do, row.act) == ("at most 0.1", "nothing logged", "plan an action")
    assert row.check == "0.2 (0.15 to 0.25, n = 300): missed"
