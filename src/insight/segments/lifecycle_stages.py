"""Lifecycle stages of customers, as a state machine over their orders and contracts.

Who is a customer, and who has left, follows `features.customer_definition`: a customer who left is lost,
one without evidence is a prospect.

prospect -> new -> active <-> at_risk -> lost -> reactivated -> active ...; a customer is a prospect, and
new, only once.
"""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.toml_section import TomlSection
from features.customer_definition import EVIDENCE, ORDERED, TIES, CustomerDefinition, kinds_sql
from features.errors import DataRefused
from features.history_store import create_departures_table, open_history

STAGES = ("prospect", "new", "active", "at_risk", "lost", "reactivated")
#: Stages that can directly follow each stage.
NEXT_STAGES = {
    "prospect": {"new", "lost"},
    "new": {"active", "at_risk", "lost"},
    "active": {"at_risk", "lost"},
    "at_risk": {"active", "lost"},
    "lost": {"reactivated"},
    "reactivated": {"active", "at_risk", "lost"},
}


class LifecycleSettings(TomlSection):
    """`[insight.lifecycle]`: how long a customer is new, and when they are at risk.

    `at_risk_days` are days without an order; `at_risk_probability` applies to the predicted churn
    probability, if there is one. `lost_days` is the former name of `targets.churn.active_days`, the days
    without an order after which a customer without contracts is lost.
    """

    new_days: float = Field(default=90, gt=0)
    at_risk_days: float = Field(default=120, gt=0)
    at_risk_probability: float = Field(default=0.25, gt=0, le=1)
    lost_days: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _at_risk_before_lost(self) -> "LifecycleSettings":
        lost = self.lost_days or float("inf")
        if not self.new_days <= self.at_risk_days < lost:
            raise ValueError(
                f"new_days is {self.new_days:g}, at_risk_days {self.at_risk_days:g}, lost_days "
                f"{lost:g}; they should rise: a customer is new, then at risk, then lost"
            )
        return self


def assign_stages(
    history: Path,
    cutoff: datetime,
    settings: LifecycleSettings,
    definition: CustomerDefinition,
    leaving: pd.Series | None = None,
) -> pd.DataFrame:
    """Return the `stage` of every customer known at the cutoff, and its `cause` in words.

    With contracts, a contract or a renewal after the end of the last one reactivates; without, an order
    after a silence of `active_days`. `leaving` is the predicted churn probability by customer; it does
    not apply to customers who are new or reactivated.
    """
    at = f"timestamptz '{cutoff.isoformat()}'"
    with open_history(history) as con:
        create_departures_table(con, ["events"], at)
        found = con.sql(_ages_sql(definition, at)).to_arrow_table().to_pandas()
    ages = found.set_index("customer_id").sort_index()
    if leaving is not None:
        ages["leaving"] = leaving.reindex(ages.index)
    return derive_stages(ages, settings)


def derive_stages(ages: pd.DataFrame, settings: LifecycleSettings) -> pd.DataFrame:
    """Derive stage and cause from the state and the days since what happened.

    Columns `state` (`features.customer_definition`), `first` (first evidence), `last` (last order or
    comeback), `comeback`, `cancelled` (days, NaN for never) and `leaving` (optional).
    """
    leaving = ages.get("leaving", pd.Series(np.nan, ages.index))
    ages, left = ages.assign(leaving=leaving), ages["state"] == "left"
    rules = [
        (left & ages["cancelled"].notna(), "lost", "cancelled {:.0f} days ago", "cancelled"),
        (left, "lost", "silent for {:.0f} days", "last"),
        (ages["state"] == "unknown", "prospect", "no order or contract known", "first"),
        (ages["last"] >= settings.at_risk_days, "at_risk", "silent for {:.0f} days", "last"),
        (
            ages["comeback"] < settings.new_days,
            "reactivated",
            "came back {:.0f} days ago",
            "comeback",
        ),
        (ages["first"] < settings.new_days, "new", "customer for {:.0f} days", "first"),
        (leaving >= settings.at_risk_probability, "at_risk", "likely to leave: {:.2f}", "leaving"),
        (ages["last"].isna(), "active", "open contract", "last"),
        (pd.Series(True, ages.index), "active", "last seen {:.0f} days ago", "last"),
    ]
    rule_index = np.select([holds.to_numpy(bool) for holds, *_ in rules], range(len(rules)))
    names = np.array([stage for _, stage, _, _ in rules], dtype=object)
    cause = np.empty(len(ages), dtype=object)
    for place, (_, _, text, column) in enumerate(rules):
        matches = rule_index == place
        cause[matches] = [text.format(value) for value in ages.loc[matches, column].tolist()]
    return pd.DataFrame({"stage": names[rule_index], "cause": cause}, index=ages.index)


def reachable_stages(stage: str) -> set[str]:
    """Return the stages a customer can be in later, directly or through others, including the same."""
    reached, pending = {stage}, [stage]
    while pending:
        new = NEXT_STAGES[pending.pop()] - reached
        reached |= new
        pending += new
    return reached


def count_transitions(before: pd.Series, after: pd.Series) -> pd.DataFrame:
    """Count customers by stage before (rows) and after (columns), among those known at both dates.

    Raises DataRefused for an impossible transition: the history before the earlier date has changed.
    """
    both = pd.DataFrame({"before": before, "after": after}).dropna()
    counts = pd.crosstab(both["before"], both["after"])
    for start, row in counts.iterrows():
        for end in [e for e in row.index[row > 0] if e not in reachable_stages(str(start))]:
            who = both.index[(both["before"] == start) & (both["after"] == end)]
            raise DataRefused(
                f"{len(who)} customers went from {start} to {end} (first: {who[0]}), which cannot be: "
                "orders seen at the earlier date are gone; import the history again"
            )
    order = list(STAGES)
    return counts.reindex(index=order, columns=order, fill_value=0)


def _lives_sql(definition: CustomerDefinition, at: str) -> str:
    """SQL for the state of each customer with events, and when they came, came back and left.

    Reads `departures` (the end of the last contract) and `known`, the events known before `at`.
    """
    if definition.contractual:
        return f"""
            select customer_id, {definition.state_sql(at)} as state,
                   min(occurred_at) filter (kind in {kinds_sql(EVIDENCE)}) as first,
                   max(occurred_at) filter (kind = '{ORDERED}') as last_order,
                   min(occurred_at) filter (kind in {kinds_sql(TIES)} and occurred_at > left_on)
                       as comeback,
                   any_value(left_on) as left_on
            from known left join (select customer_id, max(occurred_at) as left_on
                                  from departures group by 1) using (customer_id)
            group by 1
        """
    return f"""
        select customer_id, {definition.state_sql(at)} as state,
               min(occurred_at) filter (kind = '{ORDERED}') as first,
               max(occurred_at) filter (kind = '{ORDERED}') as last_order,
               max(occurred_at) filter (occurred_at - before > interval {definition.active_days} day)
                   as comeback,
               null::timestamptz as left_on
        from (select *, max(occurred_at) filter (kind = '{ORDERED}') over (
                  partition by customer_id, kind order by occurred_at
                  rows between unbounded preceding and 1 preceding) as before from known)
        group by 1
    """


def _ages_sql(definition: CustomerDefinition, at: str) -> str:
    """SQL for the columns of `derive_stages`: a row per customer known before `at`."""
    return f"""
        with known as (select * from events where greatest(occurred_at, known_at) < {at}),
        lives as ({_lives_sql(definition, at)})
        select customer_id, coalesce(state, 'unknown') as state,
               epoch({at} - first) / 86400 as first,
               epoch({at} - greatest(last_order, comeback)) / 86400 as last,
               epoch({at} - comeback) / 86400 as comeback,
               case when state = 'left' then epoch({at} - left_on) / 86400 end as cancelled
        from (select customer_id from customers where valid_from is null or valid_from < {at}
              union select customer_id from known) left join lives using (customer_id)
    """
