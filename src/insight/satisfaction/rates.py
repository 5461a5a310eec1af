"""What customers do, period by period: who stays, is active, buys again, complains, is called."""

from datetime import UTC, datetime

import duckdb
import pandas as pd

from features.company import Company
from features.errors import DataRefused
from features.storage import Manifest
from insight.satisfaction.answers import UNKNOWN, attributes
from insight.satisfaction.choices import Satisfaction

_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_CONTRACTS = "('contract', 'renewal', 'cancel')"


def customers_by_period(
    con: duckdb.DuckDBPyConnection, company: Company, manifest: Manifest, choices: Satisfaction
) -> pd.DataFrame:
    """One row a customer and whole period: `customer_id`, `period`, `channel` (of the last order
    before it), the attributes at its start, and what the rates are made of: `stood` and `stays` (a
    customer at its start, at its end), `active`, `called`, `complaints`, `order_days`, `known` (long
    enough to be loyal) and `loyal`.

    A customer is who has an open contract (churn by `cancel`), else who did something of
    `active_kinds` in the last `customer_days`. Raises DataRefused without events.
    """
    if "events" not in manifest.schema.tables:
        raise DataRefused("the company has no events; rates of customers need orders or contracts")
    by = attributes(con, manifest, choices.by)
    contract = company.target("churn").definition == "cancel"
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


def whole_periods(manifest: Manifest, period: str) -> list[tuple[datetime, datetime]]:
    """The calendar periods that lie within the data, with their ends, in UTC."""
    months = _MONTHS[period]
    start = manifest.start.astimezone(UTC)
    first = datetime(start.year, (start.month - 1) // months * months + 1, 1, tzinfo=UTC)
    found = []
    while (end := _later(first, months)) <= manifest.end:
        if first >= start:
            found.append((first, end))
        first = end
    return found


def _later(moment: datetime, months: int) -> datetime:
    count = moment.year * 12 + moment.month - 1 + months
    return moment.replace(year=count // 12, month=count % 12 + 1)


def _period_sql(
    start: datetime, end: datetime, contract: bool, manifest: Manifest, choices: Satisfaction,
    by: list[str],
) -> str:  # fmt: skip
    a, b = (f"timestamptz '{moment.isoformat()}'" for moment in (start, end))
    months = _MONTHS[choices.period]
    loyal_from = f"timestamptz '{_later(start, -months * (choices.loyal_periods - 1)).isoformat()}'"
    active, called = _listed(choices.active_kinds), _listed(choices.callback_kinds)
    inside = f"occurred_at >= {a}"
    has = manifest.schema.tables
    channel = "channel" if "channel" in has["events"] else "null::varchar"
    complaints = (
        f"select customer_id, count(*) as complaints from tickets where opened_at >= {a} and "
        f"opened_at < {b} and {_complaint(has['tickets'], choices)} group by 1"
        if "tickets" in has
        else "select null::varchar as customer_id, 0 as complaints where false"
    )
    described = (
        "asof left join customers c on m.customer_id = c.customer_id and m.period >= c.valid_from"
    )
    return f"""
    with made as (
        select customer_id, {a} as period, {_customer(a, contract, choices)} as stood,
               {_customer(b, contract, choices)} as stays,
               count(*) filter ({inside} and kind in {active}) > 0 as active,
               count(*) filter ({inside} and kind in {called}) > 0 as called,
               count(distinct occurred_at::date) filter ({inside} and kind = 'order') as order_days,
               min(occurred_at) filter (kind = 'order') < {loyal_from}
                   + interval {months} month as known,
               count(distinct date_trunc('{choices.period}', occurred_at)) filter (
                   kind = 'order' and occurred_at >= {loyal_from}) = {choices.loyal_periods} as loyal,
               arg_max({channel}, occurred_at) filter (
                   kind = 'order' and occurred_at < {a}) as channel
        from events where occurred_at < {b} group by 1),
    grieved as ({complaints})
    select m.*, coalesce(g.complaints, 0) as complaints
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
    quoted = ", ".join("'" + kind.replace("'", "''") + "'" for kind in kinds)
    return f"({quoted})"
