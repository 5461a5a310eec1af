"""Complaints of a company: from tickets, or from comments of dissatisfied customers in surveys."""

from dataclasses import dataclass
from datetime import datetime

import duckdb
import pandas as pd

from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.ingest.sql import quote_literal
from features.settings import Workspace
from insight.company_settings import read_section
from insight.complaints.categories import AssignedCategories, assign_categories
from insight.complaints.complaint_settings import ComplaintSettings

#: Complaints needed for an analysis.
MIN_COMPLAINTS = 20
#: Columns of a complaint; times in UTC, `NaT` if it has not happened yet.
COLUMNS = ("customer_id", "opened_at", "first_reply_at", "closed_at", "category", "origin",
           "severity", "channel", "reopened", "weight")  # fmt: skip


@dataclass(frozen=True)
class Complaints:
    """All complaints of a company until `end`, with the columns `COLUMNS`; texts are not kept."""

    table: pd.DataFrame
    source: str
    end: datetime
    categories: AssignedCategories

    @property
    def customers(self) -> int:
        """The number of customers who complained."""
        return int(self.table["customer_id"].nunique())


def read_complaints(company: Company, workspace: Workspace) -> Complaints:
    """Read all complaints of a company, with their categories.

    Raises DataRefused without tickets and comments of answers, or with fewer than `MIN_COMPLAINTS`
    complaints.
    """
    settings = read_section(company, "complaints", ComplaintSettings)
    manifest = Manifest.read(workspace, company.name)
    source = settings.source or ("tickets" if manifest.rows.get("tickets") else "surveys")
    if not manifest.rows.get(source):
        raise DataRefused(
            f"{company.name} has no {source}, the source of complaints; map a table of "
            "tickets, or of surveys with comments"
        )
    with open_history(workspace.history(company.name)) as con:
        kinds = ", ".join(map(quote_literal, settings.kinds))
        there = _kinds_there(con) if source == "tickets" else ""
        query = _TICKETS.format(kinds=kinds) if source == "tickets" else _ANSWERS
        table = con.sql(query).to_arrow_table().to_pandas()
    if len(table) < MIN_COMPLAINTS:
        kinds_text = "tickets of kind " + " or ".join(settings.kinds)
        what = kinds_text if source == "tickets" else "comments of dissatisfied customers"
        raise DataRefused(
            f"{company.name} has {len(table):,} {what}; at least {MIN_COMPLAINTS} are needed"
            + (f": {there}; check insight.complaints.kinds" if source == "tickets" else "")
        )
    texts, given = (_texts(table[name]) for name in ("comment", "category"))
    categories = assign_categories(texts, given)
    table = table.assign(category=categories.names, origin=categories.origins)
    return Complaints(table[list(COLUMNS)], source, manifest.end, categories)


def _kinds_there(con: duckdb.DuckDBPyConnection) -> str:
    """Name the kinds of all tickets with their numbers, the largest first."""
    rows = con.execute(
        "select coalesce(kind, 'unknown'), count(*) from tickets group by 1 order by 2 desc, 1 limit 5"
    ).fetchall()
    return "its tickets are " + ", ".join(f"{kind} ({count:,})" for kind, count in rows)


def _texts(column: "pd.Series[str]") -> list[str | None]:
    return [text if isinstance(text, str) and text.strip() else None for text in column]


_TICKETS = """
select customer_id, opened_at, first_reply_at, closed_at, category, comment, severity, channel,
       reopened::double as reopened, 1.0 as weight
from tickets where kind in ({kinds}) order by opened_at, customer_id
"""

#: An answer in the lowest quarter of its scale, with a comment.
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
