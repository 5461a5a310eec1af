"""Goals of indicators, and the PDCA table with logged actions."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from features.errors import ConfigRefused
from insight.evaluation.indicator_schema import Indicator
from insight.evaluation.target_attainment import add_goals, company_pdca_cycles
from support.complaint_history_builders import NOW, event, history

DAY = timedelta(days=1)


def indicator(name: str, value: float, half: float | None = 1.0, **other: Any) -> Indicator:
    ends = (None, None) if half is None else (value - half, value + half)
    return Indicator(
        name=name, title=name, unit="points", kind="mean", period=date(2025, 10, 1), value=value,
        low=ends[0], high=ends[1], asked=100, answered=90, coverage=0.9, customers=80, **other,
    )  # fmt: skip


def targets(**by_indicator: dict[str, Any]) -> dict[str, Any]:
    return {"loop": {"targets": by_indicator}}


def goals_of(
    tmp_path: Path, indicators: list[Indicator], **by_indicator: dict[str, Any]
) -> dict[str, Any]:
    company, _ = history(tmp_path, targets(**by_indicator))
    return {i.name: i.goal for i in add_goals(company, indicators, {"effort": "nobody was asked"})}


def test_a_goal_is_reached_or_missed_by_the_whole_interval(tmp_path: Path) -> None:
    indicators = [indicator("nps", 30), indicator("active", 30), indicator("complaint", 30)]
    goals = goals_of(
        tmp_path, indicators, nps={"target": 29, "owner": "sales", "until": "2026-12-31"},
        active={"target": 31.5}, complaint={"target": 29.5, "better": "lower"},
    )  # fmt: skip
    verdicts = {name: (goal.verdict, goal.gap) for name, goal in goals.items()}
    assert verdicts == {
        "nps": ("reached", 0.0), "active": ("missed", 1.5), "complaint": ("uncertain", 0.5),
    }  # fmt: skip
    assert (goals["nps"].owner, goals["nps"].until) == ("sales", "2026-12-31")


def test_an_indicator_without_a_target_has_no_goal(tmp_path: Path) -> None:
    assert goals_of(tmp_path, [indicator("nps", 30)]) == {"nps": None}


def test_targets_by_dimension(tmp_path: Path) -> None:
    indicators = [indicator("gap", -9, dimension="speed"), indicator("gap", 2, dimension="trust")]
    company, _ = history(tmp_path, targets(gap_speed={"target": 0}))
    speed, trust = add_goals(company, indicators, {})
    assert speed.goal is not None
    assert (speed.goal.verdict, speed.goal.gap, trust.goal) == ("missed", 9.0, None)


def test_an_unknown_end_of_the_interval_is_infinite(tmp_path: Path) -> None:
    """More than half of the slow cases are open: the median is 7 days or more."""
    open_ended = indicator("days_to_solution", 9, 2).model_copy(update={"high": None})
    late = {"target": 6, "better": "lower"}
    assert goals_of(tmp_path, [open_ended], days_to_solution=late)["days_to_solution"].verdict == (
        "missed"
    )


def test_a_target_of_an_unknown_indicator_is_refused_with_similar_names(tmp_path: Path) -> None:
    company, workspace = history(tmp_path, targets(retentoin={"target": 0.9}))
    with pytest.raises(ConfigRefused, match=r"targets.retentoin; did you mean retention"):
        add_goals(company, [indicator("nps", 30)], {})
    with pytest.raises(ConfigRefused, match="retentoin"):
        company_pdca_cycles(company, workspace, [], {})


def test_a_target_without_data_is_unmeasured_with_the_reason(tmp_path: Path) -> None:
    not_measured = {"effort": "nobody was asked", "gap": "no servqual"}
    company, workspace = history(
        tmp_path, targets(effort={"target": 80}, gap_speed={"target": 0}, reopen_rate={"target": 0})
    )
    cycles = {
        cycle.indicator: cycle
        for cycle in company_pdca_cycles(company, workspace, [], not_measured)
    }
    assert {cycle.verdict for cycle in cycles.values()} == {"unmeasured"}
    assert cycles["effort"].check == "nobody was asked"
    assert cycles["gap_speed"].check == "no servqual"
    assert cycles["reopen_rate"].check.startswith("no data: record what it is measured by")
    assert cycles["effort"].act == "measure it first"


def test_where_nothing_was_measured_every_target_is_unmeasured(tmp_path: Path) -> None:
    """Without a whole period of data, a target by dimension is not reported as misspelt."""
    goals = targets(dimension_delivery={"target": 80}, gap_speed={"target": 0}, nps={"target": 9})
    company, workspace = history(tmp_path, goals)
    cycles = company_pdca_cycles(company, workspace, [], {})
    assert [cycle.verdict for cycle in cycles] == ["unmeasured"] * 3
    with pytest.raises(ConfigRefused, match="dimension_delivery"):
        company_pdca_cycles(company, workspace, [indicator("dimension", 70, dimension="price")], {})


def test_without_targets_the_pdca_table_is_empty(tmp_path: Path) -> None:
    assert company_pdca_cycles(*history(tmp_path), [indicator("nps", 30)], {}) == []


def test_without_a_log_no_action_is_reported(tmp_path: Path) -> None:
    company, workspace = history(
        tmp_path, targets(nps={"target": 40, "actions": ["call"]}),
        events=[event("C1", NOW - DAY, "order", amount=1.0)],
    )  # fmt: skip
    (cycle,) = company_pdca_cycles(company, workspace, [indicator("nps", 30)], {})
    assert (cycle.plan, cycle.do, cycle.verdict) == ("at least 40", "nothing logged", "missed")
    assert cycle.act == "plan an action"


def test_logged_actions_and_their_effect_on_departures_are_reported(tmp_path: Path) -> None:
    """4% of 400 called customers leave and 20% of 400 randomly held out: the call raises retention."""
    rows = []
    for place in range(800):
        name, held = f"C{place}", place % 2
        rows.append(event(name, NOW - 150 * DAY, "order", amount=9.0))
        category = "call/holdout" if held else "call"
        rows.append(event(name, NOW - 100 * DAY, "campaign", category=category))
        if place // 2 % 25 < (5 if held else 1):
            rows.append(event(name, NOW - 50 * DAY, "cancel"))
    goal = {"target": 0.99, "actions": ["call"]}
    insight = targets(retention=goal, nps=goal | {"target": 99})
    insight["loop"]["enrol_days"] = 7
    company, workspace = history(tmp_path / "due", insight, events=rows)
    indicators = [indicator("retention", 0.9, 0.01), indicator("nps", 30)]
    kept, nps = company_pdca_cycles(company, workspace, indicators, {})
    assert kept.do == "call: 400 customers, 400 left alone"
    assert kept.check.endswith("; call: raises the outcome (analysed 2025-12-29)")
    assert kept.act == "extend it"
    assert (nps.do, nps.act) == (kept.do, "measure its effect")
    insight["loop"]["enrol_days"] = 30
    company, workspace = history(tmp_path / "early", insight, events=rows)
    waiting, _ = company_pdca_cycles(company, workspace, indicators, {})
    assert waiting.check.endswith("; call: verdict due 2026-01-21")
    assert waiting.act == "wait for the verdict"
