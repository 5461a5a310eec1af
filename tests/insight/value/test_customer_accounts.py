"""Customer accounts of a literal history, calculated by hand."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from features.errors import DataRefused
from insight.value.customer_accounts import Margins, compute_accounts

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


def test_accounts_match_a_hand_calculation(history: Path) -> None:
    """1,700 ordered, 100 returned; 1,500 delivered less 100 less 1,000 paid: 400 receivable."""
    found = compute_accounts(history, CUTOFF).loc["A"]
    assert found["revenue"] == 1600
    assert found["return_share"] == pytest.approx(100 / 1700)
    assert found["payment_days_late"] == pytest.approx(2)
    assert (found["in_transit"], found["receivable"], found["exposure"]) == (200, 400, 600)
    assert found["days_sales_outstanding"] == pytest.approx(400 / 1600 * 365)


def test_margin_by_category(history: Path) -> None:
    """Desks at 40%, the rest at 10%: 400 + 70 - 10 for the return."""
    margins = Margins(default=0.1, categories={"desks": 0.4})
    assert compute_accounts(history, CUTOFF, margins).loc["A", "margin"] == pytest.approx(460)
    assert compute_accounts(history, CUTOFF).loc["A", "margin"] == pytest.approx(0.3 * 1600)


def test_old_debts_count_and_future_events_do_not(history: Path) -> None:
    found = compute_accounts(history, CUTOFF)
    assert found.index.tolist() == ["A", "B", "C", "D"]
    assert found.loc["B", ["revenue", "receivable"]].tolist() == [0, 800]
    assert pd.isna(found.loc["B", "days_sales_outstanding"])
    assert found.loc["C", ["revenue", "exposure"]].tolist() == [0, 0]


def test_without_deliveries_orders_count_as_delivered(history: Path) -> None:
    events = pd.read_parquet(history / "events.parquet")
    events[events["kind"] != "shipment"].to_parquet(history / "events.parquet")
    found = compute_accounts(history, CUTOFF).loc["A"]
    assert (found["in_transit"], found["receivable"]) == (0, 600)


def test_a_day_before_the_first_customer_is_refused(history: Path) -> None:
    with pytest.raises(DataRefused, match="no customer is known before 2020-01-01"):
        compute_accounts(history, datetime(2020, 1, 1, tzinfo=UTC))


def test_without_a_customers_table_customers_come_from_events(history: Path) -> None:
    whole = compute_accounts(history, CUTOFF)
    (history / "customers.parquet").unlink()
    pd.testing.assert_frame_equal(compute_accounts(history, CUTOFF), whole.loc[["A", "B"]])
