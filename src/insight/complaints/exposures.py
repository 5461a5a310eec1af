"""Exposures before an index date: broken promises, returns, complaints, slow handling."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.index_dates import has_table, run_query

#: Exposed rows needed to consider an exposure.
MIN_ROWS = 30


@dataclass(frozen=True)
class Exposure:
    """A possible cause of the outcome, and the rows exposed to it.

    `branch` is its branch in the fishbone. `stage` is its place in the causal chain: an exposure is
    adjusted for those of its own and earlier stages, never for its consequences. `dose` is its size
    (days late), 0 where not exposed; None if it has no size. `eligible` are the rows that could be
    exposed and are compared: only those who complained can get a late reply.
    """

    name: str
    branch: str
    stage: int
    exposed: NDArray[np.bool_]
    dose: NDArray[np.float64] | None = None
    eligible: NDArray[np.bool_] | None = None

    def select(self, part: NDArray[np.bool_]) -> "Exposure":
        """Return the exposure of a part of the rows."""
        dose = None if self.dose is None else self.dose[part]
        eligible = None if self.eligible is None else self.eligible[part]
        return Exposure(self.name, self.branch, self.stage, self.exposed[part], dose, eligible)


def find_exposures(
    con: duckdb.DuckDBPyConnection, settings: ComplaintSettings, complaints: pd.DataFrame | None
) -> list[Exposure]:
    """Find every exposure that the history shows, for the rows of the view `index_dates`.

    `complaints` are those of `insight.complaints.intake`, or None.
    """
    count = int(con.execute("select count(*) from index_dates").fetchall()[0][0])
    found = list(_from_events(con, settings, count)) if has_table(con, "events") else []
    if complaints is not None:
        found += _from_tickets(con, settings, complaints, count)
    return [exposure for exposure in found if exposure.exposed.sum() >= MIN_ROWS]


def _from_events(
    con: duckdb.DuckDBPyConnection, settings: ComplaintSettings, count: int
) -> Iterator[Exposure]:
    for stage, name, kinds, promised_by in (
        (0, "late handover", settings.before_delivery, ()),
        (1, "late delivery", settings.delivery, ("order",)),
    ):
        late = _days_late(con, settings, kinds, promised_by)
        if late is not None:
            dose = _to_rows(late, count)
            met = dose >= settings.late_days[0]
            yield Exposure(name, "delivery", stage, met, np.where(met, dose, 0.0))
    returns = run_query(con, _RETURNS, [settings.window_days])
    for reason, part in returns.groupby("reason", sort=True):
        yield Exposure(f"return: {reason}", "goods", 1, _mask(part["row"], count))


def _days_late(
    con: duckdb.DuckDBPyConnection,
    settings: ComplaintSettings,
    kinds: list[str],
    promised_by: tuple[str, ...],
) -> pd.DataFrame | None:
    """Return the longest delay in days of each row; None if the company records no such promise."""
    recorded = con.execute(
        "select 1 from events where list_contains(?, kind) and due_at is not null limit 1", [kinds]
    ).fetchall()
    if not recorded:
        return None
    values = [[*kinds, *promised_by], kinds, settings.window_days]
    return run_query(con, _LATE, values)


def _from_tickets(
    con: duckdb.DuckDBPyConnection,
    settings: ComplaintSettings,
    complaints: pd.DataFrame,
    count: int,
) -> Iterator[Exposure]:
    """Find complaints by category, and slow or unsuccessful handling of them."""
    con.register("complained", complaints)
    values = [settings.reply_hours, settings.close_days, settings.window_days]
    table = run_query(con, _TICKETS, values)
    con.unregister("complained")
    for category, part in table.groupby("category", sort=True):
        yield Exposure(f"complaint: {category}", "complaints", 2, _mask(part["row"], count))
    complained = _mask(table["row"], count)
    for stage, name in ((3, "slow reply"), (4, "slow solution"), (4, "reopened")):
        rows = table.loc[table[name.replace(" ", "_")].fillna(False).astype(bool), "row"]
        yield Exposure(name, "handling", stage, _mask(rows, count), eligible=complained)


def _mask(rows: "pd.Series[int]", count: int) -> NDArray[np.bool_]:
    met = np.zeros(count, np.bool_)
    met[rows.to_numpy(np.int64)] = True
    return met


def _to_rows(table: pd.DataFrame, count: int) -> NDArray[np.float64]:
    values = np.zeros(count)
    values[table["row"].to_numpy(np.int64)] = table["days"].to_numpy(float)
    return values


#: A promise is (customer, due day): an order and its delivery with the same due day are one.
#: What has not arrived is as late as it is on the index date.
_LATE = """
with promised as (
    select customer_id, due_at, min(occurred_at) as made
    from events where due_at is not null and list_contains(?, kind) group by all
),
kept as (
    select customer_id, due_at, min(occurred_at) as done
    from events where due_at is not null and list_contains(?, kind) group by all
)
select d.row,
       max(date_diff('second', p.due_at, least(coalesce(k.done, d.index_date), d.index_date))) / 86400.0
           as days
from index_dates d
join promised p on p.customer_id = d.customer_id and p.due_at < d.index_date
     and p.due_at >= d.index_date - to_days(?)
left join kept k on k.customer_id = p.customer_id and k.due_at = p.due_at
group by d.row having days > 0
"""

_RETURNS = """
select distinct d.row, coalesce(e.category, 'no reason given') as reason
from index_dates d join events e on e.customer_id = d.customer_id and e.kind = 'return'
     and e.occurred_at < d.index_date and e.occurred_at >= d.index_date - to_days(?)
"""

_TICKETS = """
select d.row, t.category,
       date_diff('second', t.opened_at, least(coalesce(t.first_reply_at, d.index_date), d.index_date))
           > 3600 * ? as slow_reply,
       date_diff('second', t.opened_at, least(coalesce(t.closed_at, d.index_date), d.index_date))
           > 86400 * ? as slow_solution,
       t.reopened = 1 and t.closed_at < d.index_date as reopened
from index_dates d join complained t on t.customer_id = d.customer_id
     and t.opened_at < d.index_date and t.opened_at >= d.index_date - to_days(?)
"""
