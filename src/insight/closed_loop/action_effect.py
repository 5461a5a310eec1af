"""Measure the effect of a logged action on customers' spend, complaints or departures."""

from dataclasses import dataclass, replace
from typing import Literal

import duckdb
import numpy as np
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import create_departures_table, open_history
from features.settings import Workspace
from insight.closed_loop.action_log import ActionLog, read_action_log
from insight.closed_loop.analysis_date import limit_to_known, plan_analysis
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.closed_loop.holdout_effect import (
    NOT_DUE,
    TreatmentEffect,
    estimate_holdout_effect,
    not_identifiable,
)
from insight.closed_loop.matching import estimate_matched_effect
from insight.company_settings import read_section
from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.confounders import Floats, encode_confounders, read_confounders
from insight.complaints.index_dates import has_table, run_query

ActionOutcome = Literal["spend", "complaints", "leaves"]

#: Table, time column and aggregate of each outcome.
_OUTCOME_SOURCES = {
    "spend": ("events", "occurred_at", "sum(x.amount) filter (x.kind in ('order', 'return'))"),
    "complaints": ("tickets", "opened_at", "count(*) filter (x.kind = 'complaint')"),
    "leaves": ("departures", "occurred_at", "max((x.kind = 'cancel')::int)"),
}


@dataclass(frozen=True)
class ComparisonGroups:
    """Customers treated with an action, and the customers they are compared with.

    `before` holds the outcome before the action and other confounders, in standardised columns.
    `has_holdout` is whether the log marks a hold-out group.
    """

    customers: pd.DataFrame
    outcome: Floats
    treated: np.ndarray
    before: Floats
    has_holdout: bool


def measure_action_effect(
    company: Company, workspace: Workspace, action: str, outcome: ActionOutcome = "spend"
) -> TreatmentEffect:
    """Measure the effect of an action on an outcome per customer in the `outcome_days` after it.

    It is measured once, with what was known on its analysis date, and stays as it is in every later
    night; before that date it is not due. Raises DataRefused for an action that is not in the log, and
    for an outcome without its table.
    """
    log = read_action_log(company, workspace)
    settings = read_section(company, "loop", LoopSettings)
    plan = plan_analysis(log, action, settings)
    if not plan.is_due(log.end):
        treated = int((~log.of(action)["held_out"]).sum())
        why = (
            f"the verdict is due on {plan.due:%Y-%m-%d}: {settings.outcome_days} days after the last "
            f"treatment that counts, {plan.treated_until:%Y-%m-%d}; the data end {log.end:%Y-%m-%d}"
        )
        return TreatmentEffect(NOT_DUE, treated, 0, None, None, 0.0, why, plan.due)
    counted = log.known_before(plan.due).table
    if not ((counted["action"] == action) & (counted["done_at"] <= plan.treated_until)).any():
        why = (
            f"nobody was treated until {plan.treated_until:%Y-%m-%d}, {settings.outcome_days} days "
            f"before the analysis on {plan.due:%Y-%m-%d}; state a later date in analysis_dates"
        )
        return replace(not_identifiable(0, 0, why), due=plan.due)
    groups = select_comparison_groups(company, workspace, log, action, outcome)
    return replace(_estimate(groups), due=plan.due)


def _estimate(groups: "ComparisonGroups") -> TreatmentEffect:
    if groups.has_holdout:
        return estimate_holdout_effect(groups.outcome, groups.treated, groups.before[:, :1])
    if groups.treated.all():
        return estimate_holdout_effect(groups.outcome, groups.treated, groups.before[:, :0])
    return estimate_matched_effect(groups.outcome, groups.treated, groups.before)


def select_comparison_groups(
    company: Company, workspace: Workspace, log: ActionLog, action: str, outcome: ActionOutcome
) -> ComparisonGroups:
    """Select the treated customers and their hold-out group, or customers without any action.

    Customers without an action get the date of a random treated customer. Only customers with an event
    in the `before_days` before their date, and with a complete outcome on the analysis date, are
    compared; all as known on that date.
    """
    settings = read_section(company, "loop", LoopSettings)
    plan = plan_analysis(log, action, settings)
    log = log.known_before(plan.due)
    logged = log.of(action)[["customer_id", "done_at", "held_out"]]
    logged = logged[logged["done_at"] <= plan.treated_until]
    has_holdout = bool(logged["held_out"].any())
    with open_history(workspace.history(company.name)) as con:
        source = _OUTCOME_SOURCES[outcome][0]
        table = "events" if source == "departures" else source
        if not has_table(con, table):
            raise DataRefused(f"{company.name} has no {table} to count {outcome} in")
        limit_to_known(con, plan.due)
        if source == "departures":
            create_departures_table(con, ["events"])
        rows = logged if has_holdout else _with_untreated(con, logged, log)
        rows = rows.reset_index(drop=True)
        con.register(
            "index_dates", rows.rename(columns={"done_at": "index_date"}).assign(row=rows.index)
        )
        counted = _count_outcomes(con, outcome, settings)
        confounders = encode_confounders(
            read_confounders(con, ComplaintSettings(window_days=settings.before_days))
        )
    kept = counted["active"].to_numpy(bool)
    own = counted["before"].to_numpy(float)
    before = np.column_stack([(own - own.mean()) / (own.std() or 1.0), confounders])[kept]
    treated = ~rows["held_out"].to_numpy(bool)[kept]
    return ComparisonGroups(
        rows[kept], counted["after"].to_numpy(float)[kept], treated, before, has_holdout
    )


def _with_untreated(
    con: duckdb.DuckDBPyConnection, logged: pd.DataFrame, log: ActionLog
) -> pd.DataFrame:
    """The treated, and every customer without any action at the date of a random treated customer."""
    ids = run_query(con, "select distinct customer_id from events order by 1", [])["customer_id"]
    others = ids[~ids.isin(log.table["customer_id"])]
    rng = np.random.default_rng(0)
    dates = logged["done_at"].iloc[rng.integers(0, len(logged), len(others))]
    untreated = pd.DataFrame({"customer_id": others.to_numpy(), "done_at": dates.to_numpy()})
    untreated["done_at"] = untreated["done_at"].astype(logged["done_at"].dtype)
    return pd.concat([logged, untreated.assign(held_out=True)], ignore_index=True)


def _count_outcomes(
    con: duckdb.DuckDBPyConnection, outcome: ActionOutcome, settings: LoopSettings
) -> pd.DataFrame:
    """The outcome after and before each date, and whether the customer was active before."""
    table, clock, count = _OUTCOME_SOURCES[outcome]
    query = _OUTCOME_QUERY.format(table=table, clock=clock, count=count)
    return run_query(con, query, [settings.outcome_days, settings.before_days])


_OUTCOME_QUERY = """
with after as (
    select d.row, {count} as n from index_dates d join {table} x on x.customer_id = d.customer_id
         and x.{clock} >= d.index_date and x.{clock} < d.index_date + to_days($1) group by 1
),
former as (
    select d.row, {count} as n from index_dates d join {table} x on x.customer_id = d.customer_id
         and x.{clock} < d.index_date and x.{clock} >= d.index_date - to_days($2) group by 1
),
active as (
    select distinct d.row from index_dates d join events e on e.customer_id = d.customer_id
         and e.occurred_at < d.index_date and e.occurred_at >= d.index_date - to_days($2)
         and e.kind <> 'campaign'
)
select d.row, coalesce(a.n, 0)::double as after, coalesce(f.n, 0)::double as before,
       c.row is not null as active
from index_dates d left join after a on a.row = d.row left join former f on f.row = d.row
     left join active c on c.row = d.row
order by d.row
"""
