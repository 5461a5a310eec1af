"""Previous values: from the history, and from a window twice as long."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from features.definitions.feature_registry import feature_columns
from features.history.build_history import build_history
from models.explain.previous_window import previous_from_longer_windows, previous_values
from support.small_models import SCHEMA

NOW = datetime(2026, 1, 1, tzinfo=UTC)
COLUMNS = {c.name: c for c in feature_columns(SCHEMA)}
INSTANT = pa.timestamp("us", "UTC")


def orders(days_ago: dict[str, list[float]]) -> dict[str, pa.Table]:
    rows = [(c, NOW - timedelta(days=d)) for c, days in days_ago.items() for d in days]
    moments = pa.array([m for _, m in rows], INSTANT)
    return {
        "events": pa.table({
            "customer_id": [c for c, _ in rows], "occurred_at": moments, "known_at": moments,
            "kind": ["order"] * len(rows), "amount": [10.0] * len(rows),
        })
    }  # fmt: skip


def keys(*ids: str) -> pa.Table:
    return pa.table({"customer_id": list(ids), "cutoff": pa.array([NOW] * len(ids), INSTANT)})


def test_the_90_days_before_the_last_90() -> None:
    history = build_history(orders({"A": [5, 100, 120, 170, 400], "B": [5, 60]}))
    found = previous_values(
        history, keys("A", "B"), [COLUMNS["orders_90d"], COLUMNS["revenue_90d"]]
    )
    np.testing.assert_array_equal(found["orders_90d"], [3.0, np.nan])  # B was not a customer yet
    np.testing.assert_array_equal(found["revenue_90d"], [30.0, np.nan])


def test_unwindowed_columns_have_no_previous_window() -> None:
    history = build_history(orders({"A": [5, 400]}))
    named = ["orders_all", "days_since_order", "orders_30d"]
    assert set(previous_values(history, keys("A"), [COLUMNS[n] for n in named])) == {"orders_30d"}


def test_without_events_there_are_no_previous_values() -> None:
    assert previous_values(build_history({}), keys("A"), [COLUMNS["orders_90d"]]) == {}


def test_180_days_minus_90_are_the_90_before() -> None:
    table = pa.table({
        "tenure_days": [300.0, 100.0], "orders_90d": [2.0, 2.0], "orders_180d": [8.0, 3.0],
        "orders_365d": [9.0, 3.0], "order_value_mean_90d": [5.0, 5.0],
    })  # fmt: skip
    read = {n: COLUMNS[n] for n in table.column_names}
    found = previous_from_longer_windows(table, read)
    assert set(found) == {"orders_90d"}  # no mean, no window of 360 days
    np.testing.assert_array_equal(found["orders_90d"], [6.0, np.nan])
    assert previous_from_longer_windows(table.drop_columns(["tenure_days"]), read) == {}


def test_both_ways_agree() -> None:
    history = build_history(orders({"A": [5, 100, 120, 170, 400]}))
    exact = previous_values(history, keys("A"), [COLUMNS["orders_90d"]])["orders_90d"]
    table = pa.table({"tenure_days": [400.0], "orders_90d": [1.0], "orders_180d": [4.0]})
    short = previous_from_longer_windows(table, {n: COLUMNS[n] for n in table.column_names})[
        "orders_90d"
    ]
    np.testing.assert_array_equal(exact, short)
