"""The smallest change that reaches a goal is found, allowed, consistent and described."""

import math

import numpy as np
import pytest

from features.definitions.levers import CONTACT, PUNCTUALITY, REPLY_TIME
from features.errors import DataRefused
from models.explain.counterfactuals import WhatIfModel, WhatIfResult, what_if_text
from models.explain.lever_effects import PLAUSIBLE
from models.explain.reasons import Explainer
from support.small_models import customers, small_bundle

TABLE = customers(seed=21)
ASKED = WhatIfModel(Explainer(small_bundle("churn", "platt")), TABLE)
SCORES = ASKED.scale.of_calibrated(ASKED.bundle.calibrated(TABLE))
GOAL = float(np.quantile(SCORES, 0.3))
RISKY = [int(i) for i in np.argsort(-SCORES)[:600:12]]
FOUND = [ASKED.smallest_change(TABLE.slice(i, 1), GOAL) for i in RISKY]


def row(place: int) -> dict[str, float]:
    return {n: TABLE[n][place].as_py() for n in TABLE.column_names}


def replaced(place: int, found: WhatIfResult) -> float:
    """The model's score of the row with the columns of the moves in it."""
    table = TABLE.slice(place, 1)
    for move in found.moves:
        for name, value in move.columns.items():
            index = table.schema.get_field_index(name)
            table = table.set_column(index, name, [np.array([value])])
    return float(ASKED.scale.of_calibrated(ASKED.bundle.calibrated(table))[0])


def test_some_are_reached_and_some_are_not() -> None:
    assert {f.reached for f in FOUND} == {True, False}
    assert {len(f.moves) for f in FOUND if f.reached} >= {1, 2}


def test_the_score_after_is_the_models_score_of_the_changed_row() -> None:
    for place, found in zip(RISKY, FOUND, strict=True):
        assert found.score_then == pytest.approx(replaced(place, found), abs=1e-9)
        assert found.score == pytest.approx(SCORES[place], abs=1e-9)
        assert found.reached == (found.score_then <= GOAL)
        assert found.score_then <= found.score


def test_levers_change_in_their_direction_within_the_plausible_range() -> None:
    bounds = {p.lever: (p.low, p.high) for p in ASKED.levers}
    for place, found in zip(RISKY, FOUND, strict=True):
        for move in found.moves:
            assert move.lever in (REPLY_TIME, PUNCTUALITY, CONTACT)
            low, high = bounds[move.lever]
            assert low <= move.end <= high
            assert (move.end > move.start) == (move.lever.direction == "up")
            for name, value in move.columns.items():
                now = row(place)[name]
                if move.lever.direction == "down":
                    assert math.isnan(now) == math.isnan(value)
                    assert math.isnan(now) or value <= now
                elif name.startswith("visits"):
                    assert value - now == pytest.approx(move.end - move.start)
                else:
                    assert math.isnan(now) or value <= now


def test_windows_of_a_lever_stay_consistent() -> None:
    """No mean above its maximum, no longer window with fewer visits, no late share when on time."""
    for move in (m for f in FOUND for m in f.moves):
        columns = move.columns
        if move.lever is REPLY_TIME:
            assert not columns["reply_hours_90d"] > columns["reply_hours_max_90d"] + 1e-12
        elif move.lever is CONTACT:
            assert columns["visits_365d"] >= columns["visits_90d"]
            assert columns["days_since_visit"] <= 90 / columns["visits_90d"] + 1e-9
        elif move.end <= 0:
            assert columns["late_deliveries_90d"] == 0


def test_no_smaller_change_reaches_the_goal() -> None:
    """Fewest levers first, then the nearest: compared with every amount of every lever."""
    for place, found in zip(RISKY, FOUND, strict=True):
        reachable = []
        for pull in ASKED.levers:
            here = {n: float("nan") if v is None else v for n, v in row(place).items() if n[:3] != "crm"
                    and not isinstance(v, str)}  # fmt: skip
            now = pull.current(here)
            for end in pull.amounts(here, 10_000):
                moved = {n: float(v[0]) for n, v in pull.columns_at(here, np.array([end])).items()}
                table = TABLE.slice(place, 1)
                for name, value in moved.items():
                    index = table.schema.get_field_index(name)
                    table = table.set_column(index, name, [np.array([value])])
                score = ASKED.scale.of_calibrated(ASKED.bundle.calibrated(table))[0]
                if score <= GOAL:
                    reachable.append(abs(end - now) / (pull.high - pull.low))
        if found.score <= GOAL:
            assert not found.moves
        elif reachable:
            (move,) = found.moves
            pull = next(p for p in ASKED.levers if p.lever is move.lever)
            assert abs(move.end - move.start) / (pull.high - pull.low) == pytest.approx(
                min(reachable)
            )
        else:
            assert not found.reached or len(found.moves) > 1


def test_a_reached_goal_needs_no_move() -> None:
    place = int(SCORES.argmin())
    found = ASKED.smallest_change(TABLE.slice(place, 1), GOAL)
    assert (found.reached, found.moves) == (True, ())
    assert what_if_text(found, "churn", "", "en").endswith(" is reached.")
    assert "已达到目标" in what_if_text(found, "churn", "", "zh")


def test_satisfaction_is_raised_to_the_goal() -> None:
    asked = WhatIfModel(Explainer(small_bundle("satisfaction")), TABLE)
    scores = asked.scale.of_calibrated(asked.bundle.calibrated(TABLE))
    goal = float(np.quantile(scores, 0.6))
    found = [
        asked.smallest_change(TABLE.slice(int(i), 1), goal) for i in np.argsort(scores)[200:260:6]
    ]
    assert any(f.reached for f in found)
    assert all(f.score_then >= f.score for f in found)


def test_bounds_are_quantiles_of_the_reference() -> None:
    (pull,) = (p for p in ASKED.levers if p.lever is CONTACT)
    assert (pull.low, pull.high) == tuple(np.quantile(TABLE["visits_90d"].to_numpy(), PLAUSIBLE))


def test_one_customer_at_a_time() -> None:
    with pytest.raises(DataRefused, match="2 rows; a what-if takes one customer"):
        ASKED.smallest_change(TABLE.slice(0, 2), GOAL)


@pytest.mark.parametrize("reached", [True, False])
def test_the_text_says_that_it_is_a_prediction(reached: bool) -> None:
    found = next(f for f in FOUND if f.reached == reached and f.moves)
    en, zh = what_if_text(found, "churn", "", "en"), what_if_text(found, "churn", "", "zh")
    assert en.startswith("If " if reached else "Even if ")
    assert en.endswith("This is what the model says, not a promise.")
    assert zh.endswith("这只是模型的判断，不是承诺。")
    assert f"{SCORES[RISKY[FOUND.index(found)]]:.0f}%" in en or found.score < 10


def test_the_text_when_no_lever_helps() -> None:
    found = WhatIfResult("A", 10.0, False, 40.0, 40.0, ())
    assert what_if_text(found, "churn", "", "en") == (
        "Nothing you can act on brings the model from 40% churn risk closer to 10%."
    )
    assert what_if_text(found, "churn", "", "zh") == (
        "没有可采取的措施能让模型给出的流失风险从40%更接近10%。"
    )
