"""Action log: actions of a company by customer, date and employee."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.settings import Workspace
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.company_settings import read_section
from insight.complaints.index_dates import has_table, run_query

#: `held_out` marks a customer of the hold-out group, who was not treated.
COLUMNS = ("customer_id", "done_at", "known_at", "action", "by", "held_out")


@dataclass(frozen=True)
class ActionLog:
    """Actions of a company with the columns `COLUMNS`, oldest first; the data end at `end`."""

    table: pd.DataFrame
    end: datetime

    def of(self, action: str) -> pd.DataFrame:
        """Return the first time each customer was treated with an action or held out of it.

        Raises DataRefused for an action that is not in the log, with the logged ones.
        """
        once = self.all_of(action).drop_duplicates("customer_id", keep="first")
        return once.reset_index(drop=True)

    def all_of(self, action: str) -> pd.DataFrame:
        """Return every record of an action. Raises DataRefused like `of`."""
        rows = self.table[self.table["action"] == action]
        if rows.empty:
            known = ", ".join(sorted(self.table["action"].unique())) or "none"
            raise DataRefused(f"no action {action!r} in the log; there are: {known}")
        return rows

    def known_before(self, until: datetime) -> "ActionLog":
        """Return the log as it was known before a date."""
        return ActionLog(self.table[self.table["known_at"] < until], self.end)

    def summary(self) -> pd.DataFrame:
        """Return one row per action: customers treated and held out, first and last date, employees."""
        rows = []
        for action, part in self.table.groupby("action", sort=True):
            once = self.of(str(action))
            held = int(once["held_out"].sum())
            by = sorted(part["by"].dropna().unique())
            rows.append({
                "action": action, "treated": len(once) - held, "held_out": held,
                "first": part["done_at"].min(), "last": part["done_at"].max(), "by": ", ".join(by),
            })  # fmt: skip
        names = ["action", "treated", "held_out", "first", "last", "by"]
        return pd.DataFrame(rows, columns=names)


def read_action_log(company: Company, workspace: Workspace) -> ActionLog:
    """Read the actions among a company's events: imported campaigns and feedback from the CRM.

    Raises DataRefused without any action.
    """
    settings = read_section(company, "loop", LoopSettings)
    end = Manifest.read(workspace, company.name).end
    with open_history(workspace.history(company.name)) as con:
        values = [settings.holdout, settings.kinds]
        table = run_query(con, _ACTIONS, values) if has_table(con, "events") else pd.DataFrame()
    if table.empty:
        raise DataRefused(
            f"{company.name} has no events of kind {' or '.join(settings.kinds)}: no action was "
            "recorded; send them with POST /v1/feedback, category saying what was done"
        )
    return ActionLog(table.assign(held_out=table["held_out"].to_numpy(np.bool_)), end)


_ACTIONS = """
select customer_id, occurred_at as done_at, known_at,
       case when ends_with(category, $1) then left(category, len(category) - len($1))
            else coalesce(category, 'not named') end as action,
       channel as by, coalesce(ends_with(category, $1), false) as held_out
from events where list_contains($2, kind)
order by occurred_at, customer_id, category
"""
