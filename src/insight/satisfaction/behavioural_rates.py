"""Customer behaviour by period: retention, activity, repurchase, complaints and call-backs."""

from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd

from features.calendar_periods import add_months, bucket_sql, label_of, start_of
from features.config.company import Company
from features.customer_definition import CustomerDefinition
from features.errors import DataRefused
from features.history_store import Manifest
from features.ingest.sql import quote_literal
from insight.satisfaction.responses import CUSTOMERS_SQL, UNKNOWN, check_attributes
from insight.satisfaction.satisfaction_settings import SatisfactionSettings

#: Months in a period.
PERIOD_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def customers_by_period(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    manifest: Manifest,
    settings: SatisfactionSettings,
) -> pd.DataFrame:
    """Read one row per customer and whole period.

    Columns: `customer_id`, `period` (its label, `features.calendar_periods`), `channel` (of the last
    order before the period), the attributes at its start, and what the rates need: `stood` and `stays`
    (is a customer at its start, at its end), `active`, `called`, `complaints`, `order_days`, `known`
    (long enough to be loyal) and `loyal`.

    Who is a customer follows `features.customer_definition`, of what was known at the start and at the
    end. Without contracts, `stays` is missing for periods that end within the first `active_days` of the
    data: a customer who has been silent since the data began may still be one. `called` and `complaints`
    are missing where the company does not record them. Raises DataRefused without events.
    """
    if "events" not in manifest.schema.tables:
        raise DataRefused("the company has no events; rates of customers need orders or contracts")
    by = check_attributes(con, manifest, settings.by)
    definition, zone = CustomerDefinition.of(company), company.info.time_zone
    _create_events_table(con, manifest, settings, zone)
    parts = [
        con.sql(_period_sql((start, end, zone), definition, manifest, settings, by))
        .to_arrow_table().to_pandas()
        for start, end in whole_periods(manifest, settings.period, zone)
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
    con: duckdb.DuckDBPyConnection, manifest: Manifest, settings: SatisfactionSettings, zone: str
) -> None:
    """Create the table `happened`: events, marking each customer's first order per day and period."""
    day, period = (bucket_sql(each, "occurred_at", zone) for each in ("day", settings.period))
    named = "channel" in manifest.schema.tables["events"]
    first = (
        "kind = 'order' and row_number() over ("
        "partition by customer_id, kind, {} order by occurred_at) = 1"
    )
    con.execute(f"""
        create or replace temp table happened as
        select customer_id, occurred_at, known_at, kind,
               {"channel" if named else "null::varchar as channel"},
               {first.format(day)} as new_day, {first.format(period)} as new_period
        from events
    """)


def whole_periods(manifest: Manifest, period: str, zone: str) -> list[tuple[datetime, datetime]]:
    """Return the labels of start and end of each calendar period that lies within the data."""
    months = PERIOD_MONTHS[period]
    start, last = (label_of(moment, zone) for moment in (manifest.start, manifest.end))
    first = datetime(start.year, (start.month - 1) // months * months + 1, 1, tzinfo=UTC)
    found = []
    while (end := add_months(first, months)) <= last:
        if first >= start:
            found.append((first, end))
        first = end
    return found


def _period_sql(
    calendar: tuple[datetime, datetime, str], definition: CustomerDefinition, manifest: Manifest,
    settings: SatisfactionSettings, by: list[str],
) -> str:  # fmt: skip
    label, until, zone = calendar
    start, end = start_of(label, zone), start_of(until, zone)
    a, b = (f"timestamptz '{date.isoformat()}'" for date in (start, end))
    stood, stays = (f"{definition.state_sql(at)} = 'customer'" for at in (a, b))
    months = PERIOD_MONTHS[settings.period]
    first = add_months(label, -months * (settings.loyal_periods - 1))
    loyal_from = f"timestamptz '{start_of(first, zone).isoformat()}'"
    active, called = _sql_list(settings.active_kinds), _sql_list(settings.callback_kinds)
    silent = end - timedelta(days=definition.active_days)
    observable = definition.contractual or silent >= manifest.start
    inside = f"occurred_at >= {a}"
    has = manifest.schema.tables
    complaints = _complaint_counts_sql(has.get("tickets"), a, b, settings)
    complaints_column = "coalesce(g.complaints, 0)" if "tickets" in has else "null"
    known_at_start = "m.customer_id = c.customer_id and m.starts >= c.valid_from"
    customers_join = f"asof left join {CUSTOMERS_SQL} c on {known_at_start}"
    return f"""
    with per_customer as (
        select customer_id, timestamptz '{label.isoformat()}' as period, {a} as starts,
               {stood} as stood,
               {stays if observable else "null::boolean"} as stays,
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
    select m.* exclude (starts), {complaints_column}::double as complaints
           {"".join(f', c."{name}"::varchar as "{name}"' for name in by)}
    from per_customer m left join complaints g on m.customer_id = g.customer_id
         {customers_join if by else ""}
    order by m.customer_id
    """


def _complaint_counts_sql(
    columns: tuple[str, ...] | None, start: str, end: str, settings: SatisfactionSettings
) -> str:
    """The complaints of each customer from `start` to before `end`; no row without tickets."""
    if columns is None:
        return "select null::varchar as customer_id, 0 as complaints where false"
    kinds = f"kind in {_sql_list(settings.complaint_kinds)}" if "kind" in columns else "true"
    return (
        f"select customer_id, count(*) as complaints from tickets where opened_at >= {start} and "
        f"opened_at < {end} and {kinds} group by 1"
    )


def _sql_list(kinds: list[str]) -> str:
    return f"({', '.join(map(quote_literal, kinds))})"
