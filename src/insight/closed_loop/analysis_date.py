"""The one date on which the effect of an action is analysed.

A verdict that is looked up every night until it appears is wrong far more often than 5% of the time. So
each action is analysed once, on a date that later data cannot move (Wald and fixed-horizon tests:
Johari, Koomen, Pekelis and Walsh 2017), with what was known on that date.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

import duckdb

from features.contract import TABLES
from insight.closed_loop.action_log import ActionLog
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.complaints.index_dates import has_table


@dataclass(frozen=True)
class AnalysisPlan:
    """When an action is analysed (`due`), and until when a customer is treated to be counted."""

    due: datetime
    treated_until: datetime

    def is_due(self, end: datetime) -> bool:
        """Whether data that end on `end` reach the analysis date."""
        return end >= self.due


def plan_analysis(log: ActionLog, action: str, settings: LoopSettings) -> AnalysisPlan:
    """Plan the analysis of an action: as stated in `analysis_dates`, or from its first date.

    The first date is that of the action recorded first, so that no later record moves it. Raises
    DataRefused for an action that is not in the log.
    """
    outcome = timedelta(days=settings.outcome_days)
    if stated := settings.analysis_dates.get(action):
        due = datetime.combine(stated, time(), UTC)
    else:
        rows = log.all_of(action).sort_values(["known_at", "done_at"], kind="stable")
        first: datetime = rows["done_at"].iloc[0].to_pydatetime()
        due = first + timedelta(days=settings.enrol_days) + outcome
    return AnalysisPlan(due, due - outcome)


def limit_to_known(con: duckdb.DuckDBPyConnection, until: datetime) -> None:
    """Hide the rows of a history that were not known before `until`, on this connection."""
    for name, table in TABLES.items():
        if has_table(con, name):
            con.execute(
                f"create temp view {name} as select * from memory.main.{name} "
                f"where {table.known} is null or {table.known} < '{until.isoformat()}'::timestamptz"
            )
