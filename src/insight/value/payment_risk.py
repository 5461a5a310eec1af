"""Overdue payment risk: a customer's own record, shrunk towards the average of all customers."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import DataRefused
from features.history_store import open_history

#: Payments needed to estimate how far customers differ.
MIN_PAYMENTS = 50


def estimate_overdue_risk(history: Path, cutoff: datetime, grace_days: float = 0.0) -> pd.DataFrame:
    """Estimate the probability that a customer's next payment is overdue, with a 90% interval.

    Columns `payments`, `late`, `probability`, `low`, `high`, for customers with payments before the
    cutoff. An invoice that is never paid has no payment and is not counted. Raises DataRefused under 50
    payments with a due day.
    """
    with open_history(history) as con:
        found = con.sql(SQL, params=[cutoff, str(history / "events.parquet"), grace_days])
        table: pd.DataFrame = found.to_arrow_table().to_pandas()
    counts = table.set_index("customer_id").sort_index()
    if counts["payments"].sum() < MIN_PAYMENTS:
        raise DataRefused(
            f"{int(counts['payments'].sum())} payments with a due day before {cutoff:%Y-%m-%d}; the "
            f"risk of an overdue payment needs {MIN_PAYMENTS}: map due_at of the payments"
        )
    return counts.join(shrink_late_shares(counts["late"], counts["payments"]))


def shrink_late_shares(late: pd.Series, payments: pd.Series) -> pd.DataFrame:
    """Shrink each customer's share of late payments towards the overall share, less with more payments.

    Posterior of a beta-binomial model whose prior is estimated from all customers.
    """
    from scipy.stats import beta

    k, n = late.to_numpy(float), payments.to_numpy(float)
    alpha, other = fit_beta_prior(k, n)
    a, b = alpha + k, other + n - k
    return pd.DataFrame(
        {"probability": a / (a + b), "low": beta.ppf(0.05, a, b), "high": beta.ppf(0.95, a, b)},
        index=late.index,
    )


def fit_beta_prior(late: np.ndarray, payments: np.ndarray) -> tuple[float, float]:
    """Fit the beta distribution of the customers' shares by moments (alpha, beta).

    The intraclass correlation comes from an analysis of variance of the 0/1 outcomes.
    """
    total, count = payments.sum(), len(payments)
    mean = min(max(float(late.sum() / total), 0.5 / total), 1 - 0.5 / total)
    share = late / payments
    between = float((payments * (share - mean) ** 2).sum()) / max(count - 1, 1)
    within = float((late * (1 - share)).sum()) / max(total - count, 1)
    size = (total - (payments**2).sum() / total) / max(count - 1, 1)
    correlation = (between - within) / max(between + (size - 1) * within, 1e-12)
    correlation = min(max(correlation, 0.001), 0.9)
    strength = (1 - correlation) / correlation
    return mean * strength, (1 - mean) * strength


#: $1 the cutoff, $2 the file of events, $3 days of grace.
SQL = """
select customer_id, count(*)::double as payments,
       count(*) filter (epoch(occurred_at - due_at) > $3 * 86400)::double as late
from read_parquet($2)
where kind = 'payment' and due_at is not null
  and known_at < $1::timestamptz and occurred_at < $1::timestamptz
group by customer_id
"""
