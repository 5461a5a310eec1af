"""What had happened to a customer before a moment: broken promises, returns, complaints, slow help."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.index_dates import has_table, run_query

#: A cause of a kind that fewer rows met is not looked at on its own.
MIN_ROWS = 30
DAY = 86400.0


@dataclass(frozen=True)
class Exposure:
    """Something that may have caused the outcome, and at which rows it was met.

    `branch` is the bone of the fishbone it is on. `stage` is its place in the chain: a cause is
    adjusted for those of its own and of earlier stages, never for what follows from it. `dose` is how
    much of it there was (days late), 0 where it was not met; None where it has no size. `among` are
    the rows that could meet it at all and are compared: a reply is late to those who complained.
    """

    name: str
    branch: str
    stage: int
    met: NDArray[np.bool_]
    dose: NDArray[np.float64] | None = None
    among: NDArray[np.bool_] | None = None

    def at(self, part: NDArray[np.bool_]) -> "Exposure":
        """The cause at some of the rows."""
        dose = None if self.dose is None else self.dose[part]
        among = None if self.among is None else self.among[part]
        return Exposure(self.name, self.branch, self.stage, self.met[part], dose, among)


def find_exposures(
    con: duckdb.DuckDBPyConnection, settings: ComplaintSettings, complaints: pd.DataFrame | None
) -> list[Exposure]:
    """Every cause that the history can show, at the rows of the view `moments`.

    `complaints` are those of `insight.complaints.intake`, or None where there are none.
    """
    count = int(con.execute("select count(*) from moments").fetchall()[0][0])
    found = list(_from_events(con, settings, count)) if has_table(con, "events") else []
    if complaints is not None:
        found += _from_tickets(con, settings, complaints, count)
    return [cause for cause in found if cause.met.sum() >= MIN_ROWS]


def _from_events(
    con: duckdb.DuckDBPyConnection, settings: ComplaintSettings, count: int
) -> Iterator[Exposure]:
    for stage, name, kinds, also in (
        (0, "late handover", settings.before_delivery, ()),
        (1, "late delivery", settings.delivery, ("order",)),
    ):
        late = _days_late(con, settings, kinds, also)
        if late is not None:
            dose = _spread(late, count)
            met = dose >= settings.late_days[0]
            yield Exposure(name, "delivery", stage, met, np.where(met, dose, 0.0))
    returns = run_query(con, _RETURNS, [settings.window_days])
    for reason, part in returns.groupby("reason", sort=True):
        yield Exposure(f"return: {reason}", "goods", 1, _mask(part["row"], count))


def _days_late(
    con: duckdb.DuckDBPyConnection,
    settings: ComplaintSettings,
    kinds: list[str],
    also: tuple[str, ...],
) -> pd.DataFrame | None:
    """The worst delay in days at each row; None where the company records no such promise."""
    recorded = con.execute(
        "select 1 from events where list_contains(?, kind) and due_at is not null limit 1", [kinds]
    ).fetchall()
    if not recorded:
        return None
    values = [[*kinds, *also], kinds, settings.window_days]
    return run_query(con, _LATE, values)


def _from_tickets(
    con: duckdb.DuckDBPyConnection,
    settings: ComplaintSettings,
    complaints: pd.DataFrame,
    count: int,
) -> Iterator[Exposure]:
    """Complaints by category, and slow or fruitless handling of them."""
    con.register("complained", complaints)
    values = [settings.reply_hours, settings.close_days, settings.window_days]
    table = run_query(con, _TICKETS, values)
    con.unregister("complained")
    for category, part in table.groupby("category", sort=True):
        yield Exposure(f"complaint: {category}", "complaints", 2, _mask(part["row"], count))
    among = _mask(table["row"], count)
    for stage, name in ((3, "slow reply"), (4, "slow solution"), (4, "reopened")):
        rows = table.loc[table[name.replace(" ", "_")].fillna(False).astype(bool), "row"]
        yield Exposure(name, "handling", stage, _mask(rows, count), among=among)


def _mask(rows: "pd.Series[int]", count: int) -> NDArray[np.bool_]:
    met = np.zeros(count, np.bool_)
    met[rows.to_numpy(np.int64)] = True
    return met


def _spread(table: pd.DataFrame, count: int) -> NDArray[np.float64]:
    values = np.zeros(count)
    values[table["row"].to_numpy(np.int64)] = table["days"].to_numpy(float)
    return values


#: A promise is (customer, day promised): an order and its delivery that name the same day are one.
#: What has not come yet is as late as it is at the moment.
_LATE = """
with promised as (
    select customer_id, due_at, min(occurred_at) as made
    from events where due_at is not null and list_contains(?, kind) group by all
),
kept as (
    select customer_id, due_at, min(occurred_at) as done
    from events where due_at is not null and list_contains(?, kind) group by all
)
select m.row,
       max(date_diff('second', p.due_at, least(coalesce(k.done, m.moment), m.moment))) / 86400.0 as days
from moments m
join promised p on p.customer_id = m.customer_id and p.due_at < m.moment
     and p.due_at >= m.moment - to_days(?)
left join kept k on k.customer_id = p.customer_id and k.due_at = p.due_at
group by m.row having days > 0
"""

_RETURNS = """
select distinct m.row, coalesce(e.category, 'no reason given') as reason
from moments m join events e on e.customer_id = m.customer_id and e.kind = 'return'
     and e.occurred_at < m.moment and e.occurred_at >= m.moment - to_days(?)
"""

_TICKETS = """
select m.row, t.category,
       date_diff('second', t.opened_at, least(coalesce(t.first_reply_at, m.moment), m.moment))
           > 3600 * ? as slow_reply,
       date_diff('second', t.opened_at, least(coalesce(t.closed_at, m.moment), m.moment))
           > 86400 * ? as slow_solution,
       t.reopened = 1 and t.closed_at < m.moment as reopened
from moments m join complained t on t.customer_id = m.customer_id
     and t.opened_at < m.moment and t.opened_at >= m.moment - to_days(?)
"""
