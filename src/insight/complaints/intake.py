"""Complaints as they came in: from tickets, or from what discontent customers wrote in surveys."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.ingest.sql import quote_literal
from features.settings import Workspace
from insight.company_settings import read_section
from insight.complaints.categories import AssignedCategories, assign_categories
from insight.complaints.complaint_settings import ComplaintSettings

#: Fewer complaints than this are read one by one, not counted.
MIN_COMPLAINTS = 20
#: The columns of a complaint; times in UTC, `NaT` where it has not happened yet.
COLUMNS = ("customer_id", "opened_at", "first_reply_at", "closed_at", "category", "origin",
           "severity", "channel", "reopened", "weight")  # fmt: skip


@dataclass(frozen=True)
class Complaints:
    """Every complaint of a company until `end`, with the columns `COLUMNS`; no text is kept."""

    table: pd.DataFrame
    source: str
    end: datetime
    categories: AssignedCategories

    @property
    def customers(self) -> int:
        return int(self.table["customer_id"].nunique())


def read_complaints(company: Company, workspace: Workspace) -> Complaints:
    """Every complaint of a company, with its category.

    Raises DataRefused when there are neither tickets nor comments of answers, or fewer than
    `FEWEST` complaints.
    """
    settings = read_section(company, "complaints", ComplaintSettings)
    manifest = Manifest.read(workspace, company.name)
    source = settings.source or ("tickets" if manifest.rows.get("tickets") else "surveys")
    if not manifest.rows.get(source):
        raise DataRefused(
            f"{company.name} has no {source}, from which complaints would be read; map a table of "
            "tickets, or of surveys with comments"
        )
    with open_history(workspace.history(company.name)) as con:
        kinds = ", ".join(map(quote_literal, settings.kinds))
        query = _TICKETS.format(kinds=kinds) if source == "tickets" else _ANSWERS
        table = con.sql(query).to_arrow_table().to_pandas()
    if len(table) < MIN_COMPLAINTS:
        found = "tickets of kind " + " or ".join(settings.kinds)
        what = found if source == "tickets" else "comments of discontent answers"
        raise DataRefused(
            f"{company.name} has {len(table):,} {what}; a table of complaints takes at least {MIN_COMPLAINTS}"
            + (": check insight.complaints.kinds" if source == "tickets" else "")
        )
    texts, given = (_texts(table[name]) for name in ("comment", "category"))
    found_in = assign_categories(texts, given)
    table = table.assign(category=found_in.names, origin=found_in.origins)
    return Complaints(table[list(COLUMNS)], source, manifest.end, found_in)


def _texts(column: "pd.Series[str]") -> list[str | None]:
    return [text if isinstance(text, str) and text.strip() else None for text in column]


_TICKETS = """
select customer_id, opened_at, first_reply_at, closed_at, category, comment, severity, channel,
       reopened::double as reopened, 1.0 as weight
from tickets where kind in ({kinds}) order by opened_at, customer_id
"""

#: An answer in the lowest quarter of its scale, with a text.
_ANSWERS = """
select customer_id, answered_at as opened_at, null::timestamptz as first_reply_at,
       null::timestamptz as closed_at, null::varchar as category, comment,
       null::double as severity, coalesce(channel, 'survey') as channel, null::double as reopened,
       weight
from surveys
where comment is not null and dimension = 'overall' and scale_high > scale_low
      and (score - scale_low) / (scale_high - scale_low) <= 0.25
order by answered_at, customer_id
"""


def effective_sample_size(weight: np.ndarray) -> float:
    """How many rows of equal weight are worth these (Kish 1965)."""
    total = float(np.sum(weight))
    return total**2 / float(np.sum(np.square(weight))) if total else 0.0
