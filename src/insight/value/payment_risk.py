"""How likely a customer's next payment is overdue: his record, leaning on everybody's where short."""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.history_store import open_history
from features.errors import DataRefused

#: Payments below which the spread between customers cannot be told.
FEWEST = 50


def overdue(history: Path, cutoff: datetime, grace_days: float = 0.0) -> pd.DataFrame:
    """The probability that a customer's next payment comes after its due day, with a 90 % interval.

    Columns `payments`, `late`, `probability`, `low`, `high`, for customers with payments before the
    cutoff. An invoice never paid leaves no payment and is not seen. Raises DataRefused under 50
    payments with a due day.
    """
    with open_history(history) as con:
        found = con.sql(SQL, params=[cutoff, str(history / "events.parquet"), grace_days])
        table: pd.DataFrame = found.to_arrow_table().to_pandas()
    counts = table.set_index("customer_id").sort_index()
    if counts["payments"].sum() < FEWEST:
        raise DataRefused(
            f"{int(counts['payments'].sum())} payments with a due day before {cutoff:%Y-%m-%d}; the "
            f"risk of an overdue payment needs {FEWEST}: map due_at of the payments"
        )
    return counts.join(shrunk(counts["late"], counts["payments"]))


def shrunk(late: pd.Series, payments: pd.Series) -> pd.DataFrame:
    """Each share late drawn towards that of everybody: the less so, the more payments there are.

    The posterior of a beta-binomial whose prior is estimated from all customers.
    """
    from scipy.stats import beta

    k, n = late.to_numpy(float), payments.to_numpy(float)
    alpha, other = prior(k, n)
    a, b = alpha + k, other + n - k
    return pd.DataFrame(
        {"probability": a / (a + b), "low": beta.ppf(0.05, a, b), "high": beta.ppf(0.95, a, b)},
        index=late.index,
    )


def prior(late: np.ndarray, payments: np.ndarray) -> tuple[float, float]:
    """The beta distribution customers' shares come from: their mean, and how far they differ.

    Moments as in an analysis of variance of 0s and 1s: what customers differ beyond chance.
    """
    total, count = payments.sum(), len(payments)
    mean = min(max(float(late.sum() / total), 0.5 / total), 1 - 0.5 / total)
    share = late / payments
    between = float((payments * (share - mean) ** 2).sum()) / max(count - 1, 1)
    within = float((late * (1 - share)).sum()) / max(total - count, 1)
    size = (total - (payments**2).sum() / total) / max(count - 1, 1)
    alike = (between - within) / max(between + (size - 1) * within, 1e-12)
    alike = min(max(alike, 0.001), 0.9)
    strength = (1 - alike) / alike
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
