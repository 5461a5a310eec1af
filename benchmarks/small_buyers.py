"""Made-up companies with many small buyers, most of whom buy nothing in a horizon.

A customer orders at a constant rate until they drop out (Pareto/NBD: Schmittlein, Morrison and Colombo
1987), each time for a log-normal amount around a level of their own; nobody returns anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

BEGIN, DAYS = datetime(2023, 1, 1, tzinfo=UTC), 900
TOML = """
[company]
name = "{name}"
title = "{name} (simulated)"
currency = "EUR"
time_zone = "UTC"
root = "{root}"

[tables.customers]
files = "customers.parquet"
constant = ["country"]
[tables.customers.columns]
customer_id = "customer_id"
country = "country"

[tables.events]
files = "events.parquet"
[tables.events.columns]
customer_id = "customer_id"
occurred_at = "occurred_at"
kind = "kind"
amount = "amount"
channel = "channel"

[calendar]
every = "month"
warmup_days = 180

[targets.value]
horizon_days = 90
[targets.churn]
definition = "silence"
horizon_days = 90
"""


@dataclass(frozen=True)
class SmallBuyers:
    """A made-up company: orders a year and years until the dropout (means), and the amounts.

    `alike` is the shape of the gamma distribution of rates and of dropouts: the smaller, the less alike
    customers are. `between` and `within` are standard deviations of the logarithm of an amount, between
    customers and between the orders of one. `season` is the amplitude of the yearly season of orders.
    """

    name: str
    customers: int
    orders_a_year: float
    years: float
    alike: float
    between: float
    within: float
    season: float


COMPANIES = (
    SmallBuyers("web_shop", 8000, 1.0, 0.5, 0.8, 0.6, 0.5, 0.0),
    SmallBuyers("gift_shop", 6000, 1.6, 0.4, 0.5, 1.0, 0.7, 0.5),
    SmallBuyers("spare_parts", 5000, 2.5, 1.5, 0.4, 1.5, 1.0, 0.2),
)


def write_small_buyers(firm: SmallBuyers, data: Path, seed: int = 7) -> None:
    """Write the tables of a made-up company below `data`, and its company file."""
    rng = np.random.default_rng(seed)
    n = firm.customers
    joined = rng.uniform(0, DAYS - 1, n)
    rate = rng.gamma(firm.alike, firm.orders_a_year / firm.alike / 365, n)
    gone = joined + rng.exponential(1 / rng.gamma(1.5, 1 / firm.years / 365, n))
    level = np.exp(3.5 + firm.between * rng.standard_normal(n))
    parts = zip(*_orders(firm, rng, joined, gone, rate), strict=True)
    who, day = (np.concatenate(part) for part in parts)
    amount = level[who] * np.exp(firm.within * rng.standard_normal(len(who)))
    ids = np.array([f"c{i:05d}" for i in range(n)])
    folder = data / firm.name / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    country = rng.choice(["NL", "DE", "BE"], n)
    pq.write_table(pa.table({"customer_id": ids, "country": country}), folder / "customers.parquet")
    events = {
        "customer_id": ids[who],
        "occurred_at": pa.array([BEGIN + timedelta(days=float(d)) for d in day]),
        "kind": np.full(len(who), "order"),
        "amount": np.round(np.maximum(amount, 0.5), 2),
        "channel": rng.choice(["web", "app"], len(who)),
    }
    pq.write_table(pa.table(events), folder / "events.parquet")
    text = TOML.format(name=firm.name, root=folder)
    (data / f"{firm.name}.toml").write_text(text, encoding="utf-8")


def _orders(
    firm: SmallBuyers, rng: np.random.Generator, *lives: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The customer and the day of each order: the first on joining, the others at a seasonal rate."""
    joined, gone, rate = lives
    yield np.arange(len(joined)), joined
    most = rate * (1 + firm.season)
    count = rng.poisson(most * np.maximum(np.minimum(gone, DAYS) - joined, 0))
    who = np.repeat(np.arange(len(joined)), count)
    day = rng.uniform(joined[who], np.minimum(gone, DAYS)[who])
    high = 1 + firm.season * np.cos(2 * np.pi * (day - 345) / 365)
    kept = rng.random(len(day)) * (1 + firm.season) < high
    yield who[kept], day[kept]
