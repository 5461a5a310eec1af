"""Choose an example customer and read their records for plots."""

import duckdb
import pandas as pd

from features.history_store import Manifest

DAY = pd.Timedelta(days=1)

CANDIDATES = """
    with candidates as (
        select customer_id, date_trunc('day', occurred_at) + interval 3 day as cutoff, kind
        from events where known_at > date_trunc('day', occurred_at) + interval 84 hour
    ), leavers as (
        select customer_id, min(occurred_at) as left_at from events where kind = 'cancel' group by 1
    ), activity as (
        select customer_id, count(*) as n, count(distinct kind) as kinds from events group by 1
    ), pending as ({pending})
    select customer_id, cutoff
    from candidates join activity using (customer_id) left join leavers using (customer_id)
    left join pending p using (customer_id)
    where cutoff > $first and cutoff < $last
    group by customer_id, cutoff, kind, left_at, kinds, n
    order by coalesce(left_at < cutoff, false),
        not coalesce(left_at > cutoff + interval 20 day and left_at < cutoff + to_days($horizon), false),
        kind <> 'order',
        count(distinct p.what) filter (p.started < cutoff and p.known >= cutoff) desc,
        kinds desc, abs(n - 80), customer_id, cutoff
    limit 1
"""
PENDING = {
    "surveys": "select customer_id, 'answer' as what, sent_at as started, answered_at as known "
    "from surveys where answered_at is not null",
    "tickets": "select customer_id, kind, opened_at, closed_at from tickets "
    "where closed_at is not null",
}


def pick_customer(
    sql: duckdb.DuckDBPyConnection, manifest: Manifest, horizon: int
) -> tuple[str, pd.Timestamp]:
    """Choose a customer and a cutoff at which a record had happened but was not known yet.

    With contracts, the customer cancels within the horizon. Without late records, it is the customer
    with the most events, one horizon before the end of the data.
    """
    start, end = (pd.Timestamp(t).tz_localize(None) for t in (manifest.start, manifest.end))
    last = end - horizon * DAY
    parameters = {"horizon": horizon, "first": start + (last - start) / 2, "last": last}
    pending = [PENDING[t] for t in PENDING if t in manifest.rows]
    empty = (
        "select '' as customer_id, '' as what, null::timestamp as started, null::timestamp as known"
    )
    query = CANDIDATES.format(pending=" union all ".join([empty, *pending]))
    found = sql.execute(query, parameters).fetchall()
    if found:
        return str(found[0][0]), pd.Timestamp(found[0][1])
    busiest = sql.sql("select customer_id from events group by 1 order by count(*) desc, 1 limit 1")
    return str(busiest.fetchall()[0][0]), last.normalize()


def customer_records(
    sql: duckdb.DuckDBPyConnection, tables: list[str], customer: str
) -> pd.DataFrame:
    """Read all records of a customer: kind (`lane`), time (`moment`) and when it was `known`."""
    selects = {
        "events": "select kind as lane, occurred_at as moment, coalesce(known_at, occurred_at) as known "
        "from events",
        "customers": "select 'CRM record', valid_from, valid_from from customers",
        "surveys": "select case when moment = sent_at then 'invitation' else 'answer' end, moment, "
        "moment from (select *, unnest([sent_at, answered_at]) as moment from surveys)",
        "tickets": "select kind, opened_at, opened_at from tickets",
    }
    chosen = [f"from ({selects[t]} where customer_id = $customer)" for t in selects if t in tables]
    query = f"select * from ({' union all '.join(chosen)}) where moment is not null order by moment"
    return sql.execute(query, {"customer": customer}).df()


def delayed_records(
    sql: duckdb.DuckDBPyConnection, tables: list[str], customer: str, cutoff: pd.Timestamp
) -> pd.DataFrame:
    """Read the records around a cutoff that were known later than they started.

    Columns: `what`, `start` and `known`, at most 60 days after the cutoff. Only records that were
    known no earlier than 40 days before the cutoff are read.
    """
    never = "timestamp '2199-01-01'"
    selects = {
        "events": "select kind || ', recorded late' as what, occurred_at as start, known_at as known "
        "from events where known_at > occurred_at and customer_id = $customer",
        "surveys": f"select instrument || ', answer', sent_at, coalesce(answered_at, {never}) "
        "from surveys where coalesce(dimension, 'overall') = 'overall' and customer_id = $customer "
        "and sent_at >= $cutoff - interval 40 day",
        "tickets": "select kind || ', ' || step, opened_at, moment from (select *, "
        f"unnest([coalesce(first_reply_at, {never}), coalesce(closed_at, {never})]) as moment, "
        "unnest(['first reply', 'closed']) as step from tickets) where customer_id = $customer",
    }
    chosen = [f"from ({selects[t]})" for t in selects if t in tables]
    query = (
        f"select what, start, least(known, $cutoff + interval 60 day) as known "
        f"from ({' union all '.join(chosen)}) where known >= $cutoff - interval 40 day "
        "and start < $cutoff + interval 14 day order by start, what limit 14"
    )
    parameters = {"customer": customer, "cutoff": cutoff.to_pydatetime()}
    return sql.execute(query, parameters).df()
