"""Overdue payment risk: recovers a simulated population, and shrinks short records."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.value.payment_risk import estimate_overdue_risk, fit_beta_prior, shrink_late_shares

CUTOFF = datetime(2026, 1, 1, tzinfo=UTC)


def simulate_payments(a: float, b: float, customers: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    true = rng.beta(a, b, customers)
    n = rng.integers(1, 12, customers).astype(float)
    return true, rng.binomial(n.astype(int), true).astype(float), n


@pytest.mark.parametrize(("a", "b"), [(2.0, 6.0), (10.0, 10.0), (0.5, 2.0)])
def test_the_prior_is_recovered(a: float, b: float) -> None:
    _, k, n = simulate_payments(a, b, 4000)
    alpha, beta = fit_beta_prior(k, n)
    assert alpha / (alpha + beta) == pytest.approx(a / (a + b), abs=0.02)
    assert alpha + beta == pytest.approx(a + b, rel=0.25)


def test_intervals_cover_90_percent_and_the_raw_share_is_beaten() -> None:
    true, k, n = simulate_payments(2, 6, 4000)
    found = shrink_late_shares(pd.Series(k), pd.Series(n))
    assert np.mean((found["low"] <= true) & (true <= found["high"])) == pytest.approx(0.9, abs=0.02)
    ours, raw = ((p - true) ** 2 for p in (found["probability"], k / n))
    assert np.mean(ours) < 0.6 * np.mean(raw)


def test_customers_without_differences_get_the_same_risk() -> None:
    rng = np.random.default_rng(3)
    n = np.full(2000, 5.0)
    found = shrink_late_shares(pd.Series(rng.binomial(5, 0.3, 2000).astype(float)), pd.Series(n))
    assert found["probability"].std() < 0.03


def payments(late_days: list[float]) -> pd.DataFrame:
    due = pd.Timestamp(datetime(2025, 6, 1, tzinfo=UTC))
    paid = [due + pd.Timedelta(days=d) for d in late_days]
    return pd.DataFrame(
        {
            "customer_id": "A",
            "kind": "payment",
            "occurred_at": paid,
            "known_at": paid,
            "due_at": due,
        }
    )


def test_grace_days_and_the_cutoff_are_applied(tmp_path: Path) -> None:
    table = payments(
        [-2.0] * 30 + [0.5] * 10 + [4.0] * 20 + [400.0] * 5
    )  # the last ones are after the cutoff
    table.to_parquet(tmp_path / "events.parquet")
    assert estimate_overdue_risk(tmp_path, CUTOFF).loc["A", ["payments", "late"]].tolist() == [
        60,
        30,
    ]
    assert estimate_overdue_risk(tmp_path, CUTOFF, grace_days=1).loc["A", "late"] == 20
    table.head(49).to_parquet(tmp_path / "events.parquet")
    with pytest.raises(DataRefused, match=r"49 payments .* needs 50"):
        estimate_overdue_risk(tmp_path, CUTOFF)
