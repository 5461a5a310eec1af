"""What customers do, period by period: who stays, is active, buys again, complains, is called."""

from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest
from features.ingest.sql import quote_literal
from insight.satisfaction.responses import DESCRIBED, UNKNOWN, attributes
from insight.satisfaction.satisfaction_settings import Satisfaction

#: How long a period is.
PERIOD_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_CONTRACTS = "('contract', 'renewal', 'cancel')"


def customers_by_period(
    con: duckdb.DuckDBPyConnection, company: Company, manifest: Manifest, choices: Satisfaction
) -> pd.DataFrame:
    """One row a customer and whole period: `customer_id`, `period`, `channel` (of the last order
    before it), the attributes at its start, and what the rates are made of: `stood` and `stays` (a
    customer at its start, at its end), `active`, `called`, `complaints`, `order_days`, `known` (long
    enough to be loyal) and `loyal`.

    A customer is who has an open contract (churn by `cancel`), else who did something of
    `active_kinds` in the last `customer_days`; `stays` is then missing for periods that end before so
    many days of data. `called` and `complaints` are missing where nobody records them. Raises
    DataRefused without events.
    """
    if "events" not in manifest.schema.tables:
        raise DataRefused("the company has no events; rates of customers need orders or contracts")
    by = attributes(con, manifest, choices.by)
    contract = company.target("churn").definition == "cancel"
    _read_once(con, manifest, choices)
    parts = [
        con.sql(_period_sql(start, end, contract, manifest, choices, by)).to_arrow_table().to_pandas()
        for start, end in whole_periods(manifest, choices.period)
    ]  # fmt: skip
    if not parts:
        raise DataRefused(
            f"the data, {manifest.data_start[:10]} to {manifest.data_end[:10]}, hold no whole "
            f"{choices.period}; choose a shorter period under [insight.satisfaction]"
        )
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    table[["channel", *by]] = table[["channel", *by]].fillna(UNKNOWN)
    return table


def _read_once(con: duckdb.DuckDBPyConnection, manifest: Manifest, choices: Satisfaction) -> None:
    """The table `happened`: the events, the first order of each customer's day and period marked."""
    named = "channel" in manifest.schema.tables["events"]
    first = (
        "kind = 'order' and row_number() over ("
        "partition by customer_id, kind, {} order by occurred_at) = 1"
    )
    con.execute(f"""
        create or replace temp table happened as
        select customer_id, occurred_at, kind, {"channel" if named else "null::varchar as channel"},
               {first.format("occurred_at::date")} as new_day,
               {first.format(f"date_trunc('{choices.period}', occurred_at)")} as new_period
        from events
    """)


def whole_periods(manifest: Manifest, period: str) -> list[tuple[datetime, datetime]]:
    """The calendar periods that lie within the data, with their ends, in UTC."""
    months = PERIOD_MONTHS[period]
    start = manifest.start.astimezone(UTC)
    first = datetime(start.year, (start.month - 1) // months * months + 1, 1, tzinfo=UTC)
    found = []
    while (end := add_months(first, months)) <= manifest.end:
        if first >= start:
            found.append((first, end))
        first = end
    return found


def add_months(moment: datetime, months: int) -> datetime:
    """The same day of the month so many months later."""
    count = moment.year * 12 + moment.month - 1 + months
    return moment.replace(year=count // 12, month=count % 12 + 1)


def _period_sql(
    start: datetime, end: datetime, contract: bool, manifest: Manifest, choices: Satisfaction,
    by: list[str],
) -> str:  # fmt: skip
    a, b = (f"timestamptz '{moment.isoformat()}'" for moment in (start, end))
    months = PERIOD_MONTHS[choices.period]
    loyal_from = f"timestamptz '{add_months(start, -months * (choices.loyal_periods - 1)).isoformat()}'"
    active, called = _listed(choices.active_kinds), _listed(choices.callback_kinds)
    # whoever is silent since the data began may still be a customer
    old_enough = contract or end - timedelta(days=choices.customer_days) >= manifest.start
    inside = f"occurred_at >= {a}"
    has = manifest.schema.tables
    complaints = (
        f"select customer_id, count(*) as complaints from tickets where opened_at >= {a} and "
        f"opened_at < {b} and {_complaint(has['tickets'], choices)} group by 1"
        if "tickets" in has
        else "select null::varchar as customer_id, 0 as complaints where false"
    )
    complained = "coalesce(g.complaints, 0)" if "tickets" in has else "null"
    known_then = "m.customer_id = c.customer_id and m.period >= c.valid_from"
    described = f"asof left join {DESCRIBED} c on {known_then}"
    return f"""
    with made as (
        select customer_id, {a} as period, {_customer(a, contract, choices)} as stood,
               {_customer(b, contract, choices) if old_enough else "null::boolean"} as stays,
               count(*) filter ({inside} and kind in {active}) > 0 as active,
               case when exists (from happened where kind in {called})
                   then count(*) filter ({inside} and kind in {called}) > 0 end as called,
               count(*) filter ({inside} and new_day) as order_days,
               min(occurred_at) filter (kind = 'order') < {loyal_from}
                   + interval {months} month as known,
               count(*) filter (
                   new_period and occurred_at >= {loyal_from}) = {choices.loyal_periods} as loyal,
               arg_max(channel, occurred_at) filter (
                   kind = 'order' and occurred_at < {a}) as channel
        from happened where occurred_at < {b} group by 1),
    grieved as ({complaints})
    select m.*, {complained}::double as complaints
           {"".join(f', c."{name}"::varchar as "{name}"' for name in by)}
    from made m left join grieved g on m.customer_id = g.customer_id
         {described if by else ""}
    order by m.customer_id
    """


def _customer(moment: str, contract: bool, choices: Satisfaction) -> str:
    """Whether somebody is a customer at a moment, in SQL over his events."""
    if contract:
        last = (
            f"arg_max(kind, occurred_at) filter (kind in {_CONTRACTS} and occurred_at < {moment})"
        )
        return f"coalesce({last} <> 'cancel', false)"
    since = f"{moment} - interval {choices.customer_days} day"
    kinds = _listed(choices.active_kinds)
    return f"count(*) filter (kind in {kinds} and occurred_at >= {since} and occurred_at < {moment}) > 0"


def _complaint(columns: tuple[str, ...], choices: Satisfaction) -> str:
    return f"kind in {_listed(choices.complaint_kinds)}" if "kind" in columns else "true"


def _listed(kinds: list[str]) -> str:
    return f"({', '.join(map(quote_literal, kinds))})"
