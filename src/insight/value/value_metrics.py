"""The metrics that a value score can use, and their values on one day."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.config.toml_section import did_you_mean
from features.errors import ConfigRefused
from features.history_store import open_history
from insight.value.customer_accounts import Margins, compute_accounts
from insight.value.payment_risk import estimate_overdue_risk


@dataclass(frozen=True)
class ValueMetric:
    """The description and unit of a metric, and whether more of it is better."""

    description: str
    unit: str
    more_is_better: bool = True
    low: str | None = None  # names of the columns with the bounds of its interval
    high: str | None = None
    made_of: tuple[str, ...] = ()  # other metrics that it is calculated or predicted from


VALUE_METRICS = {
    "revenue": ValueMetric("orders less returns in 365 days", "money"),
    "margin": ValueMetric("gross margin in 365 days", "money", made_of=("revenue",)),
    "return_share": ValueMetric("returned money as a share of ordered money", "share", False),
    "payment_days_late": ValueMetric("mean days a payment came after its due day", "days", False),
    "days_sales_outstanding": ValueMetric("days of revenue not yet paid", "days", False),
    "in_transit": ValueMetric("money ordered and not yet delivered", "money", False),
    "exposure": ValueMetric("money delivered or under way and not yet paid", "money", False),
    "overdue_probability": ValueMetric(
        "probability that the next payment is overdue", "share", False, "overdue_low", "overdue_high"
    ),
    "orders": ValueMetric("orders in 365 days", "orders"),
    "active_months": ValueMetric("months of the last 12 with an order", "months"),
    "tenure_days": ValueMetric("days since the first order", "days"),
    "days_since_order": ValueMetric("days since the last order", "days", False),
    "satisfaction_answer": ValueMetric("last answer on overall satisfaction", "0-100"),
    "firm_reputation": ValueMetric("what the customer says of our image, last answer", "0-100"),
    "satisfaction_score": ValueMetric(
        "predicted satisfaction", "0-100", True, "satisfaction_low", "satisfaction_high",
        ("satisfaction_answer", "firm_reputation"),
    ),
    "churn_probability": ValueMetric("predicted probability of leaving", "share", False),
    "value_expected": ValueMetric("predicted net revenue", "money", True, "value_low", "value_high"),
    "growth": ValueMetric(
        "predicted net revenue less that of the last period as long", "money", True,
        "growth_low", "growth_high", ("value_expected", "revenue"),
    ),
    "customer_credit": ValueMetric("experts on the customer's credit", "rating"),
    "market_coverage": ValueMetric("experts on the customer's market coverage", "rating"),
    "internal_management": ValueMetric("experts on the customer's internal management", "rating"),
}  # fmt: skip

#: Share of the last period's revenue from which a change is growth. On a sample company of 600 customers
#: any difference predicts growth for 69%, and 30% of them grew; from 10% on it is 29%, and 64% grew.
MATERIAL = 0.1

#: The reputation of our firm says nothing about the credit of a customer, and vice versa.
CREDIT = {
    "customer_credit", "overdue_probability", "payment_days_late", "days_sales_outstanding", "exposure",
}  # fmt: skip
REPUTATION = {"firm_reputation"}


def with_sources(names: list[str]) -> list[str]:
    """Return metrics together with those they are made of: a trait among them explains itself."""
    return list(dict.fromkeys([*names, *(m for n in names for m in VALUE_METRICS[n].made_of)]))


def check_metrics(key: str, names: list[str]) -> None:
    """Raise ConfigRefused for unknown metrics, or if one dimension mixes reputation and credit."""
    for name in names:
        if name not in VALUE_METRICS:
            raise ConfigRefused(
                f"unknown measure {key}.{name}{did_you_mean(name, list(VALUE_METRICS))}"
            )
    if REPUTATION & set(names) and CREDIT & set(names):
        mixed = ", ".join(sorted(CREDIT & set(names)))
        raise ConfigRefused(
            f"{key} mixes firm_reputation, what the customer thinks of us, with {mixed}, what we "
            "think of their credit; they are two things: use two dimensions"
        )


def compute_value_metrics(
    history: Path,
    cutoff: datetime,
    scores: pd.DataFrame | None = None,
    ratings: pd.DataFrame | None = None,
    margins: Margins | None = None,
    horizon_days: int = 90,
) -> pd.DataFrame:
    """Compute every available metric of the customers known at the cutoff; NaN where there is none.

    `scores` is the scores file of that day and `ratings` the combined expert ratings, both by customer;
    `horizon_days` is that of the value model, over which growth is measured.
    """
    table = compute_accounts(history, cutoff, margins)
    table = table.join(_sql(ORDERS, history / "events.parquet", cutoff, horizon_days))
    table["orders"] = table["orders"].fillna(0.0)
    table["active_months"] = table["active_months"].fillna(0.0)
    if (history / "surveys.parquet").is_file():
        table = table.join(_sql(ANSWERS, history / "surveys.parquet", cutoff, horizon_days))
    if table["payment_days_late"].notna().any():
        risk = estimate_overdue_risk(history, cutoff)[["probability", "low", "high"]]
        table = table.join(risk.add_prefix("overdue_"))
    for extra in (scores, ratings):
        if extra is not None:
            new = [c for c in extra.columns if c not in table.columns]
            table = table.join(extra[new])
    return add_growth(table)


def add_growth(table: pd.DataFrame) -> pd.DataFrame:
    """Add the expected growth over the last period of the same length, with the value model's bounds.

    Less than `MATERIAL` of the last period's revenue, the customer's own or that of the median buyer if
    it is more, counts as 0: every customer without recent revenue is expected to bring something.
    """
    if "value_expected" not in table:
        return table
    past = table["last_period_revenue"].fillna(0.0)
    change, bought = table["value_expected"] - past, past[past > 0]
    reference = past.clip(lower=float(bought.median()) if len(bought) else 0.0)
    return table.assign(
        growth=change.mask(change.abs() < MATERIAL * reference, 0.0),
        growth_low=table["value_low"] - past,
        growth_high=table["value_high"] - past,
    )


def _sql(text: str, file: Path, cutoff: datetime, days: int) -> pd.DataFrame:
    with open_history(file.parent) as con:
        found = con.sql(text, params={"cutoff": cutoff, "file": str(file), "days": days})
        table: pd.DataFrame = found.to_arrow_table().to_pandas().set_index("customer_id")
    return table.astype(float)


ORDERS = """
with known as (
  select *, epoch($cutoff::timestamptz - occurred_at) / 86400 as age from read_parquet($file)
  where kind in ('order', 'return')
    and known_at < $cutoff::timestamptz and occurred_at < $cutoff::timestamptz
)
select customer_id, count(*) filter (kind = 'order' and age <= 365) as orders,
       count(distinct floor(age * 12 / 365)) filter (kind = 'order' and age < 365) as active_months,
       max(age) filter (kind = 'order') as tenure_days,
       min(age) filter (kind = 'order') as days_since_order,
       sum(amount) filter (age <= $days) as last_period_revenue
from known group by customer_id
"""

ANSWERS = """
with answered as (
  select *, 100 * (score - scale_low) / (scale_high - scale_low) as points from read_parquet($file)
  where answered_at < $cutoff::timestamptz and score is not null and instrument <> 'ces'
    and scale_high > scale_low and $days > 0
)
select customer_id,
       arg_max(points, answered_at) filter (dimension = 'overall' and instrument = 'csat')
         as satisfaction_answer,
       arg_max(points, answered_at) filter (dimension = 'image') as firm_reputation
from answered group by customer_id
"""
