"""What had happened before a moment, on rows written by hand."""

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
    # C0: promised ten days ago, came three days and a half later
    event("C0", ago(20), "order", due_at=ago(10), amount=100.0, category="tools"),
    event("C0", ago(6.5), "shipment", due_at=ago(10)),
    # C1: promised ten days ago, never came
    event("C1", ago(20), "order", due_at=ago(10), amount=50.0),
    # C2: in time; C3: half a day late, which is the same day
    event("C2", ago(11), "shipment", due_at=ago(10)),
    event("C3", ago(9.5), "shipment", due_at=ago(10)),
    # C4: late, but long ago; C5: promised for tomorrow; C6: late only after the moment
    event("C4", ago(300), "shipment", due_at=ago(310)),
    event("C5", ago(2), "order", due_at=ago(-1)),
    event("C6", ago(-9), "shipment", due_at=ago(-1)),
    # C7: a payment after its day is no broken promise of ours
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
        con.register("moments", moments())
        table = con.sql("from tickets where kind = 'complaint'").to_arrow_table().to_pandas()
        return {c.name: c for c in find_exposures(con, ComplaintSettings(), table)}


def moments() -> pd.DataFrame:
    when = pd.to_datetime([NOW] * len(CUSTOMERS), utc=True)
    return pd.DataFrame({"row": range(len(CUSTOMERS)), "customer_id": CUSTOMERS, "moment": when})


def met(cause: Exposure) -> list[str]:
    return [CUSTOMERS[place] for place in np.flatnonzero(cause.met)]


def test_a_promise_is_broken_by_days_whether_the_goods_came_or_not(found: dict[str, Exposure]) -> None:
    late = found["late delivery"]
    assert met(late) == ["C0", "C1"]
    assert late.dose is not None
    assert late.dose[:2] == pytest.approx([3.5, 10.0])
    assert not late.dose[2:].any()


def test_returns_count_by_reason(found: dict[str, Exposure]) -> None:
    assert met(found["return: damaged"]) == ["C7"]


def test_complaints_count_by_category_and_only_before_the_moment(found: dict[str, Exposure]) -> None:
    assert met(found["complaint: price"]) == ["C0", "C1"]
    assert met(found["complaint: staff"]) == ["C2"]


def test_help_is_slow_for_those_still_waiting_too(found: dict[str, Exposure]) -> None:
    assert met(found["slow reply"]) == ["C1"]
    assert met(found["slow solution"]) == ["C1"]
    assert met(found["reopened"]) == ["C2"]
    among = found["slow reply"].among
    assert among is not None
    assert [CUSTOMERS[i] for i in np.flatnonzero(among)] == ["C0", "C1", "C2"]


def test_causes_come_in_the_order_of_the_chain(found: dict[str, Exposure]) -> None:
    chain = [
        found[n].stage for n in ("late delivery", "complaint: price", "slow reply", "reopened")
    ]
    assert chain == sorted(set(chain))


def test_without_delivery_dates_nothing_is_late(tmp_path: Path) -> None:
    orders = [event(f"C{n}", ago(20), "order", due_at=ago(10)) for n in range(40)]
    _, workspace = history(tmp_path, events=orders)
    with open_history(workspace.history("acme")) as con:
        con.register("moments", moments())
        assert find_exposures(con, ComplaintSettings(), None) == []


def test_circumstances_are_those_before_the_moment(tmp_path: Path) -> None:
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
        con.register("moments", moments())
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
