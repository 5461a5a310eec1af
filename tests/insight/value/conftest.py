"""A literal history of four customers."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


def before(days: float) -> datetime:
    """Return the instant `days` before the cutoff."""
    return CUTOFF - timedelta(days=days)


#: customer, kind, days before the cutoff, amount, category, due days before the cutoff
EVENTS = [
    ("A", "order", 100, 1000.0, "desks", 90),  # delivered, paid two days late
    ("A", "shipment", 92, None, None, 90),
    ("A", "payment", 60, 1000.0, None, 62),
    ("A", "order", 40, 500.0, "paper", 30),  # delivered, open
    ("A", "shipment", 31, None, None, 30),
    ("A", "order", 5, 200.0, "paper", -3),  # under way
    ("A", "return", 20, -100.0, "damaged", None),
    ("B", "order", 500, 800.0, "desks", 490),  # older than a year, delivered, never paid
    ("B", "shipment", 495, None, None, 490),
    ("C", "order", -1, 900.0, "desks", -9),  # after the cutoff
]


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A orders, pays and returns; B ordered long ago; C orders after the cutoff; D never."""
    rows = [
        {
            "customer_id": who, "kind": kind, "occurred_at": before(ago), "known_at": before(ago),
            "amount": amount, "category": category,
            "due_at": None if due is None else before(due),
        }
        for who, kind, ago, amount, category, due in EVENTS
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(tmp_path / "events.parquet")
    known = pd.DataFrame({"customer_id": list("ABCD"), "valid_from": [before(900)] * 4})
    known.to_parquet(tmp_path / "customers.parquet")
    answers = [
        ("A", "csat", "overall", 2.0, 50), ("A", "csat", "overall", 5.0, 10),
        ("A", "servqual", "image", 3.0, 10), ("B", "csat", "overall", 4.0, -2),
    ]  # fmt: skip
    surveys = [
        {
            "customer_id": who, "instrument": how, "dimension": what, "score": score,
            "answered_at": before(ago), "scale_low": 1.0, "scale_high": 5.0,
        }
        for who, how, what, score, ago in answers
    ]  # fmt: skip
    pd.DataFrame(surveys).to_parquet(tmp_path / "surveys.parquet")
    return tmp_path
