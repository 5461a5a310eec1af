"""Customer accounts at a cutoff: revenue, margin, receivables and returns."""

from datetime import datetime
from pathlib import Path

import pandas as pd
from pydantic import Field

from features.config.toml_section import TomlSection
from features.errors import DataRefused
from features.history_store import open_history


class Margins(TomlSection):
    """`[insight.value.margins]`: gross margin as a share of the price, by default and by category.

    Without categories, margin is `default` of every order and adds nothing to revenue.
    """

    default: float = Field(default=0.3, ge=-1, le=1)
    categories: dict[str, float] = Field(default_factory=dict)


def compute_accounts(
    history: Path, cutoff: datetime, margins: Margins | None = None
) -> pd.DataFrame:
    """Compute the accounts of each customer known at the cutoff, over the 365 days before it.

    Money in the company's currency: `revenue` (orders less returns), `margin`, `in_transit` (ordered,
    not yet delivered), `receivable` (delivered, less returns and payments, of all time), `exposure`
    (both). `return_share` and `days_sales_outstanding` (receivable divided by daily revenue) are NaN
    without revenue, `payment_days_late` without payments. If no delivery is recorded, orders count as
    delivered. Raises DataRefused if no customer is known.
    """
    with open_history(history) as con:
        margin = margins or Margins()
        rates = pd.DataFrame(
            {"category": margin.categories.keys(), "rate": margin.categories.values()}
        )
        con.register("rates", rates.astype({"category": str, "rate": float}))
        values = [cutoff, str(history / "events.parquet"), margin.default]
        found: pd.DataFrame = con.sql(SQL, params=values).to_arrow_table().to_pandas()
    if found.empty:
        raise DataRefused(
            f"no customer is known before {cutoff:%Y-%m-%d}; choose a later day or run `goodwill data`"
        )
    return found.set_index("customer_id").sort_index().astype(float)


#: $1 the cutoff, $2 the file of events, $3 the margin of other categories.
SQL = """
with known as (
  select *, $1::timestamptz - occurred_at <= interval 365 day as recent from read_parquet($2)
  where known_at < $1::timestamptz and occurred_at < $1::timestamptz
),
all_customers as (
  select customer_id from customers where valid_from is null or valid_from < $1::timestamptz
  union select customer_id from known
),
delivered as (
  select distinct customer_id, due_at from known where kind = 'shipment' and due_at is not null
),
orders as (
  select o.customer_id, o.amount, o.recent, o.amount * coalesce(r.rate, $3) as margin,
         d.customer_id is not null or not exists (from known where kind = 'shipment') as arrived
  from known o left join delivered d using (customer_id, due_at)
  left join rates r on r.category = o.category where o.kind = 'order'
),
sold as (
  select customer_id, sum(amount) filter (recent) as ordered, sum(margin) filter (recent) as margin,
         sum(amount) filter (arrived) as delivered, sum(amount) filter (not arrived) as in_transit
  from orders group by customer_id
),
rest as (
  select customer_id,
         sum(-amount) filter (kind = 'return' and recent) as returned,
         sum(-amount) filter (kind = 'return') as all_returned,
         sum(amount) filter (kind = 'payment') as paid,
         avg(epoch(occurred_at - due_at) / 86400) filter (kind = 'payment' and recent) as late
  from known group by customer_id
),
money as (
  select customer_id, coalesce(ordered, 0) as ordered, coalesce(returned, 0) as returned,
         coalesce(margin, 0) - $3 * coalesce(returned, 0) as margin, late,
         coalesce(in_transit, 0) as in_transit,
         greatest(0, coalesce(delivered, 0) - coalesce(all_returned, 0) - coalesce(paid, 0))
           as receivable
  from all_customers left join sold using (customer_id) left join rest using (customer_id)
)
select customer_id, ordered - returned as revenue, margin,
       returned / nullif(ordered, 0) as return_share, late as payment_days_late,
       case when ordered > returned then receivable / (ordered - returned) * 365 end
         as days_sales_outstanding,
       in_transit, receivable, in_transit + receivable as exposure
from money
"""
