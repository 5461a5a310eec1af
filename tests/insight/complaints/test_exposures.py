"""Exposures before an index date, on literal rows."""

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.history_store import open_history
from insight.complaints import exposures
from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.confounders import encode_confounders, read_confounders
from insight.complaints.exposures import Exposure, find_exposures
from support.complaint_history_builders import NOW, Row, answer, event, history, ticket


def ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


EVENTS = [
    # C0: promised ten days ago, delivered 3.5 days later
    event("C0", ago(20), "order", due_at=ago(10), amount=100.0, category="tools"),
    event("C0", ago(6.5), "shipment", due_at=ago(10)),
    # C1: promised ten days ago, never delivered
    event("C1", ago(20), "order", due_at=ago(10), amount=50.0),
    # C2: on time; C3: half a day late, still the same day
    event("C2", ago(11), "shipment", due_at=ago(10)),
    event("C3", ago(9.5), "shipment", due_at=ago(10)),
    # C4: late, but long ago; C5: promised for tomorrow; C6: late only after the index date
    event("C4", ago(300), "shipment", due_at=ago(310)),
    event("C5", ago(2), "order", due_at=ago(-1)),
    event("C6", ago(-9), "shipment", due_at=ago(-1)),
    # C7: a late payment is not our broken promise
    event("C7", ago(5), "payment", due_at=ago(10)),
    event("C7", ago(5), "return", category="damaged"),
]
TICKETS: list[Row] = [
    ticket("C0", ago(8), "complaint", "price", first_reply_at=ago(7.5), closed_at=ago(7)),
    ticket("C1", ago(8), "complaint", "price"),
    ticket(
        "C2", ago(8), "complaint", "staff", first_reply_at=ago(8), closed_at=ago(3), reopened=1.0
    ),
    ticket("C3", ago(-1), "complaint", "price", first_reply_at=ago(-9)),
]
CUSTOMERS = [f"C{n}" for n in range(8)]


@pytest.fixture
def found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Exposure]:
    monkeypatch.setattr(exposures, "MIN_ROWS", 1)
    _, workspace = history(tmp_path, events=EVENTS, tickets=TICKETS)
    with open_history(workspace.history("acme")) as con:
        con.register("index_dates", index_dates())
        table = con.sql("from tickets where kind = 'complaint'").to_arrow_table().to_pandas()
        return {c.name: c for c in find_exposures(con, ComplaintSettings(), table)}


def index_dates() -> pd.DataFrame:
    when = pd.to_datetime([NOW] * len(CUSTOMERS), utc=True)
    return pd.DataFrame(
        {"row": range(len(CUSTOMERS)), "customer_id": CUSTOMERS, "index_date": when}
    )


def exposed_customers(exposure: Exposure) -> list[str]:
    return [CUSTOMERS[place] for place in np.flatnonzero(exposure.exposed)]


def test_a_late_or_missing_delivery_is_a_broken_promise(found: dict[str, Exposure]) -> None:
    late = found["late delivery"]
    assert exposed_customers(late) == ["C0", "C1"]
    assert late.dose is not None
    assert late.dose[:2] == pytest.approx([3.5, 10.0])
    assert not late.dose[2:].any()


def test_returns_are_grouped_by_reason(found: dict[str, Exposure]) -> None:
    assert exposed_customers(found["return: damaged"]) == ["C7"]


def test_complaints_are_grouped_by_category_before_the_index_date(
    found: dict[str, Exposure],
) -> None:
    assert exposed_customers(found["complaint: price"]) == ["C0", "C1"]
    assert exposed_customers(found["complaint: staff"]) == ["C2"]


def test_open_complaints_count_as_slow(found: dict[str, Exposure]) -> None:
    assert exposed_customers(found["slow reply"]) == ["C1"]
    assert exposed_customers(found["slow solution"]) == ["C1"]
    assert exposed_customers(found["reopened"]) == ["C2"]
    eligible = found["slow reply"].eligible
    assert eligible is not None
    assert [CUSTOMERS[i] for i in np.flatnonzero(eligible)] == ["C0", "C1", "C2"]


def test_exposures_are_ordered_by_stage(found: dict[str, Exposure]) -> None:
    chain = [
        found[n].stage for n in ("late delivery", "complaint: price", "slow reply", "reopened")
    ]
    assert chain == sorted(set(chain))


def test_without_delivery_dates_nothing_is_late(tmp_path: Path) -> None:
    orders = [event(f"C{n}", ago(20), "order", due_at=ago(10)) for n in range(40)]
    _, workspace = history(tmp_path, events=orders)
    with open_history(workspace.history("acme")) as con:
        con.register("index_dates", index_dates())
        assert find_exposures(con, ComplaintSettings(), None) == []


def test_confounders_are_those_before_the_index_date(tmp_path: Path) -> None:
    surveys = [answer("C0", ago(200), 2.0), answer("C0", ago(1), 5.0), answer("C1", ago(150), None)]
    contacts = [*TICKETS, ticket("C0", ago(200), "request", "price")]
    customers: list[Row] = [
        {"customer_id": "C0", "valid_from": ago(400), "region": "north"},
        {"customer_id": "C0", "valid_from": ago(100), "region": "south"},
        {"customer_id": "C0", "valid_from": ago(-1), "region": "moon"},
        {"customer_id": "C1", "region": "west"},
    ]
    _, workspace = history(
        tmp_path, customers=customers, events=EVENTS, surveys=surveys, tickets=contacts
    )
    with open_history(workspace.history("acme")) as con:
        con.register("index_dates", index_dates())
        table = read_confounders(con, ComplaintSettings())
    assert list(table.index) == list(range(8))
    assert table["region"].fillna("").tolist()[:3] == ["south", "west", ""]
    assert table["judged_before"].tolist()[:1] == [0.25]
    assert np.isnan(table["judged_before"].iloc[1])
    assert np.expm1(table["contacts_before"]).round(9).tolist()[:2] == [1, 0]
    assert np.expm1(table["spend"]).round(6).tolist()[:3] == [100, 50, 0]
    assert np.expm1(table["promises"]).round(9).tolist()[:6] == [1, 1, 1, 1, 0, 0]
    matrix = encode_confounders(table)
    assert np.isfinite(matrix).all()
    assert matrix.std(axis=0) == pytest.approx(1)
