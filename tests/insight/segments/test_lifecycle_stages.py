"""Lifecycle stages of a few literal histories."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from features.customer_definition import STATES as CUSTOMER_STATES
from features.customer_definition import CustomerDefinition
from features.errors import DataRefused
from insight.segments.lifecycle_stages import (
    NEXT_STAGES,
    STAGES,
    LifecycleSettings,
    assign_stages,
    count_transitions,
    derive_stages,
    reachable_stages,
)

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = LifecycleSettings(new_days=90, at_risk_days=120)
SILENCE = CustomerDefinition(contractual=False, active_days=365)
CONTRACTS = CustomerDefinition(contractual=True)
#: Days before the cutoff of each event.
EVENTS = {
    "no_events": [],
    "visited": [("visit", 10)],
    "fresh": [("order", 40), ("order", 20)],
    "steady": [("order", 400), ("order", 200), ("order", 30)],
    "quiet": [("order", 400), ("order", 130)],
    "gone": [("order", 800), ("order", 370)],
    "back": [("order", 700), ("order", 60), ("order", 10)],
    "back_long_ago": [("order", 900), ("order", 300), ("order", 200), ("order", 10)],
    "cancelled": [("contract", 500), ("order", 20), ("cancel", 10)],
    "renewed": [("contract", 500), ("order", 20), ("cancel", 10), ("renewal", 5)],
    "cancelled_and_back": [("order", 200), ("cancel", 100), ("order", 50)],
    "tomorrow": [("order", -1)],
    "contract_only": [("contract", 300), ("cancel", 200), ("contract", 20)],
    "upgraded": [("contract", 500), ("order", 20), ("cancel", 10), ("contract", 10)],
    "only_payments": [("payment", 300), ("payment", 30)],
    "came_and_went": [("contract", 500), ("cancel", 300), ("contract", 200), ("cancel", 100)],
}  # fmt: skip
WITHOUT_CONTRACTS = {
    "no_events": "prospect", "visited": "prospect", "fresh": "new", "steady": "active",
    "quiet": "at_risk", "gone": "lost", "back": "reactivated", "back_long_ago": "active",
    "cancelled": "new", "renewed": "new", "cancelled_and_back": "active", "tomorrow": "prospect",
    "contract_only": "prospect", "upgraded": "new", "only_payments": "prospect",
    "came_and_went": "prospect",
}  # fmt: skip
WITH_CONTRACTS = {
    "no_events": "prospect", "visited": "prospect", "fresh": "new", "steady": "active",
    # silent, and no contract ended: at risk, not lost
    "quiet": "at_risk", "gone": "at_risk", "back": "active", "back_long_ago": "active",
    # an order after a cancellation is no evidence of a contract, a renewal is
    "cancelled": "lost", "renewed": "reactivated", "cancelled_and_back": "lost",
    "tomorrow": "prospect", "contract_only": "reactivated", "upgraded": "active",
    "only_payments": "active", "came_and_went": "lost",
}  # fmt: skip


@pytest.fixture
def history(tmp_path: Path) -> Path:
    rows = [
        {"customer_id": who, "kind": kind, "occurred_at": CUTOFF - timedelta(days=ago)}
        for who, events in EVENTS.items()
        for kind, ago in events
    ]
    pd.DataFrame(rows).assign(known_at=lambda t: t["occurred_at"]).to_parquet(
        tmp_path / "events.parquet"
    )
    known = pd.DataFrame({"customer_id": list(EVENTS), "valid_from": CUTOFF - timedelta(days=900)})
    known.to_parquet(tmp_path / "customers.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("definition", "expected"), [(SILENCE, WITHOUT_CONTRACTS), (CONTRACTS, WITH_CONTRACTS)]
)
def test_stages_match_a_hand_calculation(
    history: Path, definition: CustomerDefinition, expected: dict[str, str]
) -> None:
    found = assign_stages(history, CUTOFF, SETTINGS, definition)
    assert found["stage"].to_dict() == expected


def test_each_stage_has_its_cause(history: Path) -> None:
    shop = assign_stages(history, CUTOFF, SETTINGS, SILENCE)["cause"]
    assert shop["quiet"] == "silent for 130 days"
    assert shop["gone"] == "silent for 370 days"
    assert shop["back"] == "came back 60 days ago"
    contracts = assign_stages(history, CUTOFF, SETTINGS, CONTRACTS)["cause"]
    assert contracts["cancelled"] == "cancelled 10 days ago"
    assert contracts["renewed"] == "came back 5 days ago"
    assert contracts["only_payments"] == "open contract"
    assert contracts["visited"] == "no order or contract known"


def test_a_prediction_sets_at_risk(history: Path) -> None:
    leaving = pd.Series({"steady": 0.4, "fresh": 0.9, "cancelled": 0.9})
    found = assign_stages(history, CUTOFF, SETTINGS, CONTRACTS, leaving)
    assert found.loc["steady"].tolist() == ["at_risk", "likely to leave: 0.40"]
    assert found.loc[["fresh", "cancelled"], "stage"].tolist() == ["new", "lost"]


@pytest.mark.slow
@pytest.mark.parametrize("definition", [SILENCE, CONTRACTS])
def test_every_history_follows_the_state_machine(
    history: Path, definition: CustomerDefinition
) -> None:
    """Week by week, each change of stage is an allowed transition."""
    before = assign_stages(history, CUTOFF - timedelta(days=420), SETTINGS, definition)["stage"]
    for ago in range(413, 0, -7):
        then = CUTOFF - timedelta(days=ago)
        after = assign_stages(history, then, SETTINGS, definition)["stage"]
        assert count_transitions(before, after).to_numpy().sum() == len(EVENTS)
        for who in before.index[before != after]:
            assert after[who] in NEXT_STAGES[before[who]], (who, before[who], after[who])
        before = after


def test_no_customer_becomes_a_prospect_or_new_again() -> None:
    assert all("prospect" not in reachable_stages(s) for s in STAGES if s != "prospect")
    assert all("new" not in reachable_stages(s) for s in STAGES if s not in {"prospect", "new"})
    assert reachable_stages("lost") == {"lost", "reactivated", "active", "at_risk"}
    with pytest.raises(
        DataRefused, match=r"1 customers went from active to prospect \(first: C2\)"
    ):
        count_transitions(
            pd.Series({"C1": "new", "C2": "active"}), pd.Series({"C1": "new", "C2": "prospect"})
        )


DAYS = st.one_of(st.none(), st.floats(0, 800))


@given(st.sampled_from(CUSTOMER_STATES), DAYS, DAYS, DAYS)
def test_every_customer_has_one_stage(
    state: str, first: float | None, comeback: float | None, leaving: float | None
) -> None:
    facts = pd.DataFrame(
        {"first": [first], "last": [None if first is None else first / 2], "comeback": [comeback],
         "cancelled": [None], "leaving": [leaving]}, dtype=float,
    ).assign(state=state)  # fmt: skip
    (stage,) = derive_stages(facts, SETTINGS)["stage"]
    assert stage in STAGES
    assert (stage == "prospect") == (state == "unknown")
    assert (stage == "lost") == (state == "left")


def test_at_risk_days_must_be_below_lost_days() -> None:
    with pytest.raises(ValidationError, match="a customer is new, then at risk, then lost"):
        LifecycleSettings(at_risk_days=400, lost_days=365)


def test_without_a_customers_table_there_are_no_prospects(history: Path) -> None:
    whole = assign_stages(history, CUTOFF, SETTINGS, SILENCE)
    (history / "customers.parquet").unlink()
    found = assign_stages(history, CUTOFF, SETTINGS, SILENCE)
    assert len(found) < len(whole)
    pd.testing.assert_frame_equal(found, whole.loc[found.index])
    assert set(whole["stage"].drop(found.index)) == {"prospect"}
