"""Action log and effect of actions, on a history with a planted campaign."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from features.config.company import Company
from features.errors import DataRefused
from features.import_history.run_import import import_history
from features.ingest.feedback import Feedback, store_feedback
from features.progress import silent_steps
from features.settings import Workspace
from insight.closed_loop.action_effect import measure_action_effect
from insight.closed_loop.action_log import COLUMNS, read_action_log
from insight.closed_loop.holdout_effect import TreatmentEffect
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
    return history(home, {"loop": {"outcome_days": days, "enrol_days": 7}}, events=rows)


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


def test_before_the_analysis_date_no_verdict_is_given(tmp_path: Path) -> None:
    found = measure_action_effect(*campaign(tmp_path, has_holdout=True, days=200), "call")
    assert (found.effect, found.verdict) == (None, "not due yet")
    assert found.due == SENT + 207 * DAY
    assert found.note == (
        "the verdict is due on 2026-04-18: 200 days after the last treatment that counts, 2025-09-30; "
        "the data end 2026-01-01"
    )


def nights(
    home: Path, later: list[Row], insight: dict[str, object] | None = None
) -> TreatmentEffect:
    """The effect of a call on 60 days of dates, with these later records."""
    rng = np.random.default_rng(5)
    rows: list[Row] = []
    for number in range(400):
        name, treated = f"C{number:03d}", number % 2 == 0
        called = SENT + (number % 5) * DAY
        rows.append(event(name, called - 30 * DAY, "order", amount=100 + rng.normal(0, 20)))
        rows.append(event(name, called + 30 * DAY, "order", amount=100 + rng.normal(0, 20)))
        category = "call" if treated else "call/holdout"
        rows.append(event(name, called, "campaign", category=category))
    loop = {"outcome_days": 60, "enrol_days": 7} | (insight or {})
    return measure_action_effect(*history(home, {"loop": loop}, events=rows + later), "call")


def test_later_records_do_not_move_the_verdict(tmp_path: Path) -> None:
    """Orders that became known after the analysis, a later wave and new customers change nothing."""
    due = SENT + 67 * DAY
    late = event("C000", SENT + 10 * DAY, "order", amount=1e6) | {"known_at": due + DAY}
    wave = [
        event(f"D{n}", SENT + (10 + n % 50) * DAY, "campaign", category="call") for n in range(99)
    ]
    earlier = event("E0", SENT - 50 * DAY, "campaign", category="call") | {"known_at": due + DAY}
    before, after = nights(tmp_path / "a", []), nights(tmp_path / "b", [late, *wave, earlier])
    assert before == after
    assert (before.due, before.treated, before.compared) == (due, 200, 200)


def test_an_analysis_date_may_be_stated(tmp_path: Path) -> None:
    stated = {"analysis_dates": {"call": date(2025, 12, 24)}}
    assert nights(tmp_path / "a", [], stated).due == datetime(2025, 12, 24, tzinfo=UTC)
    early = nights(tmp_path / "b", [], {"analysis_dates": {"call": date(2025, 10, 1)}})
    assert early.verdict == "not identifiable"
    assert early.note.startswith("nobody was treated until 2025-08-02, 60 days before the analysis")


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
    assert found.note.startswith("the verdict is due on 2026-09-01")
