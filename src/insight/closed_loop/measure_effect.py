"""The effect of a logged action on a company's customers: on spend, complaints or departures."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import duckdb
import numpy as np
import pandas as pd

from features.history_store import open_history
from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.closed_loop.action_log import ActionLog, action_log
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.closed_loop.matching import matched_effect
from insight.closed_loop.treatment_effect import Effect, held_out_effect, not_identifiable
from insight.company_settings import section
from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.confounders import Floats, as_columns, circumstances
from insight.complaints.index_dates import has, read

Outcome = Literal["spend", "complaints", "leaves"]

#: The table an outcome is counted in, its moment, and what is counted.
_COUNTED = {
    "spend": ("events", "occurred_at", "sum(x.amount) filter (x.kind in ('order', 'return'))"),
    "complaints": ("tickets", "opened_at", "count(*) filter (x.kind = 'complaint')"),
    "leaves": ("events", "occurred_at", "max((x.kind = 'cancel')::int)"),
}


@dataclass(frozen=True)
class Trial:
    """Customers an action was done to, and those it is compared with.

    `before` holds the outcome of the time before and their circumstances, in standardised columns.
    `by_lot` is whether the log marks a hold-out group.
    """

    customers: pd.DataFrame
    outcome: Floats
    treated: np.ndarray
    before: Floats
    by_lot: bool


def action_effect(
    company: Company, workspace: Workspace, action: str, outcome: Outcome = "spend"
) -> Effect:
    """What an action did to an outcome per customer, within `outcome_days` after it.

    Raises DataRefused for an action that is not in the log and an outcome no table holds.
    """
    log = action_log(company, workspace)
    settings = section(company, "loop", LoopSettings)
    ripe = log.of(action)["done_at"] + timedelta(days=settings.outcome_days) <= log.end
    if not ripe.any():
        first = log.of(action)["done_at"].min() + timedelta(days=settings.outcome_days)
        why = (
            f"the outcome needs {settings.outcome_days} days after the action: not before "
            f"{first:%Y-%m-%d}, and the data end {log.end:%Y-%m-%d}"
        )
        return not_identifiable(len(ripe), 0, why)
    trial = trial_of(company, workspace, log, action, outcome)
    if trial.by_lot:
        return held_out_effect(trial.outcome, trial.treated, trial.before[:, :1])
    if trial.treated.all():
        return held_out_effect(trial.outcome, trial.treated, trial.before[:, :0])
    return matched_effect(trial.outcome, trial.treated, trial.before)


def trial_of(
    company: Company, workspace: Workspace, log: ActionLog, action: str, outcome: Outcome
) -> Trial:
    """The rows of a comparison: with a hold-out group those drawn, else also who had no action at all.

    Others are looked at from a day drawn from those of the treated. Only customers with an event in the
    `before_days` before, and whose outcome is complete, are compared.
    """
    settings = section(company, "loop", LoopSettings)
    drawn = log.of(action)[["customer_id", "done_at", "held_out"]]
    by_lot = bool(drawn["held_out"].any())
    with open_history(workspace.history(company.name)) as con:
        if not has(con, _COUNTED[outcome][0]):
            raise DataRefused(f"{company.name} has no {_COUNTED[outcome][0]} to count {outcome} in")
        rows = drawn if by_lot else _with_others(con, drawn, log)
        ripe = rows["done_at"] + timedelta(days=settings.outcome_days) <= log.end
        rows = rows[ripe].reset_index(drop=True)
        con.register("moments", rows.rename(columns={"done_at": "moment"}).assign(row=rows.index))
        counted = _counted(con, outcome, settings)
        around = as_columns(circumstances(con, ComplaintSettings(window_days=settings.before_days)))
    kept = counted["active"].to_numpy(bool)
    own = counted["before"].to_numpy(float)
    before = np.column_stack([(own - own.mean()) / (own.std() or 1.0), around])[kept]
    treated = ~rows["held_out"].to_numpy(bool)[kept]
    return Trial(rows[kept], counted["after"].to_numpy(float)[kept], treated, before, by_lot)


def _with_others(
    con: duckdb.DuckDBPyConnection, drawn: pd.DataFrame, log: ActionLog
) -> pd.DataFrame:
    """The treated, and every customer without any action, at a day of one of the treated."""
    ids = read(con, "select distinct customer_id from events order by 1", [])["customer_id"]
    others = ids[~ids.isin(log.table["customer_id"])]
    rng = np.random.default_rng(0)
    days = drawn["done_at"].iloc[rng.integers(0, len(drawn), len(others))]
    beside = pd.DataFrame({"customer_id": others.to_numpy(), "done_at": days.to_numpy()})
    beside["done_at"] = beside["done_at"].astype(drawn["done_at"].dtype)
    return pd.concat([drawn, beside.assign(held_out=True)], ignore_index=True)


def _counted(
    con: duckdb.DuckDBPyConnection, outcome: Outcome, settings: LoopSettings
) -> pd.DataFrame:
    """The outcome after and before each moment, and whether the customer was active before."""
    table, clock, count = _COUNTED[outcome]
    query = _OUTCOME.format(table=table, clock=clock, count=count)
    return read(con, query, [settings.outcome_days, settings.before_days])


_OUTCOME = """
with after as (
    select m.row, {count} as n from moments m join {table} x on x.customer_id = m.customer_id
         and x.{clock} >= m.moment and x.{clock} < m.moment + to_days($1) group by 1
),
former as (
    select m.row, {count} as n from moments m join {table} x on x.customer_id = m.customer_id
         and x.{clock} < m.moment and x.{clock} >= m.moment - to_days($2) group by 1
),
active as (
    select distinct m.row from moments m join events e on e.customer_id = m.customer_id
         and e.occurred_at < m.moment and e.occurred_at >= m.moment - to_days($2)
         and e.kind <> 'campaign'
)
select m.row, coalesce(a.n, 0)::double as after, coalesce(f.n, 0)::double as before,
       c.row is not null as active
from moments m left join after a on a.row = m.row left join former f on f.row = m.row
     left join active c on c.row = m.row
order by m.row
"""
