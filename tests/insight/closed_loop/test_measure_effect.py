"""Action log and effect of actions, on a history with a planted campaign."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from features.config.company import Company
from features.errors import DataRefused
from features.import_history.run_import import import_history
from features.ingest.feedback import Feedback, store_feedback
from features.progress import silent_steps
from features.settings import Workspace
from insight.closed_loop.action_log import COLUMNS, read_action_log
from insight.closed_loop.measure_effect import measure_action_effect
from support.complaint_history_builders import NOW, Row, event, history

DAY = timedelta(days=1)
SENT = NOW - 100 * DAY


def campaign(
    home: Path, has_holdout: bool, everybody: bool = False, days: int = 90
) -> tuple[Company, Workspace]:
    """Large customers spend 400 a quarter, small ones 100; a call adds 60; mostly to large ones."""
    rng = np.random.default_rng(3)
    rows: list[Row] = []
    for number in range(900):
        name, large = f"C{number}", rng.random() < 0.5
        usual = 400.0 if large else 100.0
        treated = everybody or rng.random() < (0.5 if has_holdout else 0.7 if large else 0.3)
        rows.append(event(name, SENT - 30 * DAY, "order", amount=usual + rng.normal(0, 20)))
        after = usual + 60 * treated + rng.normal(0, 20)
        rows.append(event(name, SENT + 30 * DAY, "order", amount=after))
        if treated:
            rows.append(event(name, SENT, "campaign", category="call", channel="Li Wei"))
        elif has_holdout:
            rows.append(event(name, SENT, "campaign", category="call/holdout"))
    return history(home, {"loop": {"outcome_days": days}}, events=rows)


def test_action_log_and_its_summary(tmp_path: Path) -> None:
    log = read_action_log(*campaign(tmp_path, has_holdout=True))
    assert tuple(log.table.columns) == COLUMNS
    (row,) = log.summary().to_dict("records")
    assert (row["action"], row["by"]) == ("call", "Li Wei")
    assert row["treated"] + row["held_out"] == 900
    assert row["first"] == row["last"] == SENT
    with pytest.raises(DataRefused, match="no action 'mail' in the log; there are: call"):
        log.of("mail")


def test_an_empty_log_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataRefused, match="POST /v1/feedback"):
        read_action_log(*history(tmp_path, events=[event("C1", SENT, "order", amount=1.0)]))


def test_effect_with_a_hold_out_group(tmp_path: Path) -> None:
    found = measure_action_effect(*campaign(tmp_path, has_holdout=True), "call")
    assert found.design == "hold-out"
    assert found.effect is not None
    assert found.effect.low < 60 < found.effect.high
    assert found.effect.high - found.effect.low < 12  # without CUPED about 40
    assert found.sharper > 0.9


def test_effect_without_a_hold_out_group_is_matched(tmp_path: Path) -> None:
    found = measure_action_effect(*campaign(tmp_path, has_holdout=False), "call")
    assert found.design == "matched"
    assert found.naive is not None
    assert found.effect is not None
    assert found.naive > 120
    assert found.effect.low < 60 < found.effect.high
    assert found.effect.high - found.effect.low < 30


def test_effect_is_not_identifiable_if_everybody_was_called(tmp_path: Path) -> None:
    found = measure_action_effect(*campaign(tmp_path, has_holdout=False, everybody=True), "call")
    assert found.effect is None
    assert "all 900 customers were treated" in found.note


def test_effect_is_not_identifiable_before_the_outcome_is_complete(tmp_path: Path) -> None:
    found = measure_action_effect(*campaign(tmp_path, has_holdout=True, days=200), "call")
    assert found.effect is None
    assert "200 days after the action" in found.note
    assert "the data end 2026-01-01" in found.note


def test_an_outcome_without_cases_and_a_missing_table(tmp_path: Path) -> None:
    company, workspace = campaign(tmp_path, has_holdout=True)
    left = measure_action_effect(company, workspace, "call", "leaves")
    assert left.verdict == "not identifiable"
    assert left.note.startswith("the outcome is 0 for every customer")
    with pytest.raises(DataRefused, match="acme has no tickets to count complaints in"):
        measure_action_effect(company, workspace, "call", "complaints")


def test_feedback_is_in_the_log_after_the_next_import(
    tmp_path: Path, make_company: Callable[[Path, int], tuple[Company, Workspace]]
) -> None:
    company, workspace = make_company(tmp_path, 100)
    sent = {"occurred_at": "2026-05-04T09:00:00+00:00", "kind": "campaign", "channel": "Li Wei"}
    events = [
        sent | {"customer_id": "A0000001", "category": "call"},
        sent | {"customer_id": "A0000002", "category": "call/holdout"},
    ]
    store_feedback(workspace.feedback(company.name), Feedback("k1", events))
    import_history(company, workspace, silent_steps())
    log = read_action_log(company, workspace).of("call")
    assert log["customer_id"].tolist() == ["A0000001", "A0000002"]
    assert log["held_out"].tolist() == [False, True]
    assert set(log["by"]) == {"Li Wei"}
    found = measure_action_effect(company, workspace, "call")
    assert found.note.startswith("the outcome needs 90 days after the action")
