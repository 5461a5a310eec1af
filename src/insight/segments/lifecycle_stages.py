"""Lifecycle stages of customers, as a state machine over their orders and contracts.

prospect -> new -> active <-> at_risk -> lost -> reactivated -> active ...; a customer is a prospect, and
new, only once.
"""

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from features.config.toml_section import TomlSection
from features.errors import DataRefused
from features.history_store import open_history

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
    """`[insight.lifecycle]`: how long a customer is new, and when they are at risk and lost.

    Days without an order; `at_risk_probability` applies to the predicted churn probability, if there is
    one.
    """

    new_days: float = Field(default=90, gt=0)
    at_risk_days: float = Field(default=120, gt=0)
    at_risk_probability: float = Field(default=0.25, gt=0, le=1)
    lost_days: float = Field(default=365, gt=0)

    @model_validator(mode="after")
    def _at_risk_before_lost(self) -> "LifecycleSettings":
        if not self.new_days <= self.at_risk_days < self.lost_days:
            raise ValueError(
                f"new_days is {self.new_days:g}, at_risk_days {self.at_risk_days:g}, lost_days "
                f"{self.lost_days:g}; they should rise: a customer is new, then at "
                "risk, then lost"
            )
        return self


def assign_stages(
    history: Path, cutoff: datetime, settings: LifecycleSettings, leaving: pd.Series | None = None
) -> pd.DataFrame:
    """Return the `stage` of every customer known at the cutoff, and its `cause` in words.

    A cancelled contract is a loss until the next order, renewal or contract, which reactivates, as does
    an order after a silence of `lost_days`. `leaving` is the predicted churn probability by customer; it
    does not apply to customers who are new or reactivated.
    """
    with open_history(history) as con:
        values = [cutoff, str(history / "events.parquet"), settings.lost_days]
        found = con.sql(SQL, params=values)
        ages: pd.DataFrame = found.to_arrow_table().to_pandas().set_index("customer_id")
    ages = ages.astype(float).sort_index()
    if leaving is not None:
        ages["leaving"] = leaving.reindex(ages.index)
    return derive_stages(ages, settings)


def derive_stages(ages: pd.DataFrame, settings: LifecycleSettings) -> pd.DataFrame:
    """Derive stage and cause from days since the first order, last activity, comeback and cancellation.

    Columns `first`, `last`, `comeback`, `cancelled` (days, NaN for never) and `leaving` (optional).
    """
    leaving = ages.get("leaving", pd.Series(np.nan, ages.index))
    ages = ages.assign(leaving=leaving)
    rules = [
        (ages["cancelled"].notna(), "lost", "cancelled {:.0f} days ago", "cancelled"),
        (ages["first"].isna() & ages["comeback"].isna(), "prospect", "no order yet", "first"),
        (ages["last"] >= settings.lost_days, "lost", "silent for {:.0f} days", "last"),
        (ages["last"] >= settings.at_risk_days, "at_risk", "silent for {:.0f} days", "last"),
        (
            ages["comeback"] < settings.new_days,
            "reactivated",
            "came back {:.0f} days ago",
            "comeback",
        ),
        (ages["first"] < settings.new_days, "new", "first order {:.0f} days ago", "first"),
        (leaving >= settings.at_risk_probability, "at_risk", "likely to leave: {:.2f}", "leaving"),
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


#: $1 the cutoff, $2 the file of events, $3 the days of silence that are a loss.
SQL = """
with known as (
  select * from read_parquet($2) where known_at < $1::timestamptz and occurred_at < $1::timestamptz
),
all_customers as (
  select customer_id from customers where valid_from is null or valid_from < $1::timestamptz
  union select customer_id from known
),
life as (
  select customer_id, kind, occurred_at as occurred,
         max(occurred_at) filter (kind = 'order') over before_it as last_order,
         max(occurred_at) filter (kind = 'cancel') over before_it as last_cancel,
         max(occurred_at) filter (kind <> 'cancel') over before_it as last_tie
  from known where kind in ('order', 'cancel', 'renewal', 'contract')
  window before_it as (partition by customer_id order by occurred_at
                       rows between unbounded preceding and 1 preceding)
),
lives as (
  select customer_id, min(occurred) filter (kind = 'order') as first,
         max(occurred) filter (kind = 'order') as last_order,
         max(occurred) filter (kind <> 'cancel') as tied,
         max(occurred) filter (kind = 'cancel') as left_on,
         max(occurred) filter (
           (kind = 'order' and epoch(occurred - last_order) >= $3 * 86400)
           or (kind <> 'cancel' and last_cancel >= coalesce(last_tie, last_cancel))
         ) as comeback
  from life group by customer_id
)
select customer_id, epoch($1::timestamptz - first) / 86400 as first,
       epoch($1::timestamptz - greatest(last_order, comeback)) / 86400 as last,
       epoch($1::timestamptz - comeback) / 86400 as comeback,
       case when tied is null or left_on >= tied then epoch($1::timestamptz - left_on) / 86400 end
         as cancelled
from all_customers left join lives using (customer_id)
"""
