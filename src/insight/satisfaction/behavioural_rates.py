"""Customer behaviour by period: retention, activity, repurchase, complaints and call-backs."""

from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest
from features.ingest.sql import quote_literal
from insight.satisfaction.responses import CUSTOMERS_SQL, UNKNOWN, check_attributes
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

#: Months in a period.
PERIOD_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_CONTRACTS = "('contract', 'renewal', 'cancel')"


def customers_by_period(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    manifest: Manifest,
    settings: SatisfactionSettings,
) -> pd.DataFrame:
    """Read one row per customer and whole period.

    Columns: `customer_id`, `period`, `channel` (of the last order before the period), the attributes at
    its start, and what the rates need: `stood` and `stays` (is a customer at its start, at its end),
    `active`, `called`, `complaints`, `order_days`, `known` (long enough to be loyal) and `loyal`.

    A customer has an open contract (where churn is a `cancel`), else an event of `active_kinds` in the
    last `customer_days`; `stays` is then missing for periods that end within the first `customer_days`
    of the data. `called` and `complaints` are missing where the company does not record them. Raises
    DataRefused without events.
    """
    if "events" not in manifest.schema.tables:
        raise DataRefused("the company has no events; rates of customers need orders or contracts")
    by = check_attributes(con, manifest, settings.by)
    contract = company.target("churn").definition == "cancel"
    _create_events_table(con, manifest, settings)
    parts = [
        con.sql(_period_sql(start, end, contract, manifest, settings, by)).to_arrow_table().to_pandas()
        for start, end in whole_periods(manifest, settings.period)
    ]  # fmt: skip
    if not parts:
        raise DataRefused(
            f"the data, {manifest.data_start[:10]} to {manifest.data_end[:10]}, hold no whole "
            f"{settings.period}; choose a shorter period under [insight.satisfaction]"
        )
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    table[["channel", *by]] = table[["channel", *by]].fillna(UNKNOWN)
    return table


def _create_events_table(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, settings: SatisfactionSettings
) -> None:
    """Create the table `happened`: events, marking each customer's first order per day and period."""
    named = "channel" in manifest.schema.tables["events"]
    first = (
        "kind = 'order' and row_number() over ("
        "partition by customer_id, kind, {} order by occurred_at) = 1"
    )
    con.execute(f"""
        create or replace temp table happened as
        select customer_id, occurred_at, kind, {"channel" if named else "null::varchar as channel"},
               {first.format("occurred_at::date")} as new_day,
               {first.format(f"date_trunc('{settings.period}', occurred_at)")} as new_period
        from events
    """)


def whole_periods(manifest: Manifest, period: str) -> list[tuple[datetime, datetime]]:
    """Return start and end (UTC) of each calendar period that lies within the data."""
    months = PERIOD_MONTHS[period]
    start = manifest.start.astimezone(UTC)
    first = datetime(start.year, (start.month - 1) // months * months + 1, 1, tzinfo=UTC)
    found = []
    while (end := add_months(first, months)) <= manifest.end:
        if first >= start:
            found.append((first, end))
        first = end
    return found


def add_months(date: datetime, months: int) -> datetime:
    """Return the same day of the month, `months` later."""
    count = date.year * 12 + date.month - 1 + months
    return date.replace(year=count // 12, month=count % 12 + 1)


def _period_sql(
    start: datetime, end: datetime, contract: bool, manifest: Manifest, settings: SatisfactionSettings,
    by: list[str],
) -> str:  # fmt: skip
    a, b = (f"timestamptz '{date.isoformat()}'" for date in (start, end))
    months = PERIOD_MONTHS[settings.period]
    first = add_months(start, -months * (settings.loyal_periods - 1))
    loyal_from = f"timestamptz '{first.isoformat()}'"
    active, called = _sql_list(settings.active_kinds), _sql_list(settings.callback_kinds)
    # A customer who has been silent since the data began may still be a customer.
    observable = contract or end - timedelta(days=settings.customer_days) >= manifest.start
    inside = f"occurred_at >= {a}"
    has = manifest.schema.tables
    complaints = (
        f"select customer_id, count(*) as complaints from tickets where opened_at >= {a} and "
        f"opened_at < {b} and {_complaint_sql(has['tickets'], settings)} group by 1"
        if "tickets" in has
        else "select null::varchar as customer_id, 0 as complaints where false"
    )
    complaints_column = "coalesce(g.complaints, 0)" if "tickets" in has else "null"
    known_at_start = "m.customer_id = c.customer_id and m.period >= c.valid_from"
    customers_join = f"asof left join {CUSTOMERS_SQL} c on {known_at_start}"
    return f"""
    with per_customer as (
        select customer_id, {a} as period, {_is_customer_sql(a, contract, settings)} as stood,
               {_is_customer_sql(b, contract, settings) if observable else "null::boolean"} as stays,
               count(*) filter ({inside} and kind in {active}) > 0 as active,
               case when exists (from happened where kind in {called})
                   then count(*) filter ({inside} and kind in {called}) > 0 end as called,
               count(*) filter ({inside} and new_day) as order_days,
               min(occurred_at) filter (kind = 'order') < {loyal_from}
                   + interval {months} month as known,
               count(*) filter (
                   new_period and occurred_at >= {loyal_from}) = {settings.loyal_periods} as loyal,
               arg_max(channel, occurred_at) filter (
                   kind = 'order' and occurred_at < {a}) as channel
        from happened where occurred_at < {b} group by 1),
    complaints as ({complaints})
    select m.*, {complaints_column}::double as complaints
           {"".join(f', c."{name}"::varchar as "{name}"' for name in by)}
    from per_customer m left join complaints g on m.customer_id = g.customer_id
         {customers_join if by else ""}
    order by m.customer_id
    """


def _is_customer_sql(date: str, contract: bool, settings: SatisfactionSettings) -> str:
    """Return the SQL condition that a customer's events make them a customer at a date."""
    if contract:
        last = f"arg_max(kind, occurred_at) filter (kind in {_CONTRACTS} and occurred_at < {date})"
        return f"coalesce({last} <> 'cancel', false)"
    since = f"{date} - interval {settings.customer_days} day"
    kinds = _sql_list(settings.active_kinds)
    return (
        f"count(*) filter (kind in {kinds} and occurred_at >= {since} and occurred_at < {date}) > 0"
    )


def _complaint_sql(columns: tuple[str, ...], settings: SatisfactionSettings) -> str:
    return f"kind in {_sql_list(settings.complaint_kinds)}" if "kind" in columns else "true"


def _sql_list(kinds: list[str]) -> str:
    return f"({', '.join(map(quote_literal, kinds))})"
