"""Index dates of the cause analysis: survey answers, and cutoffs with or without churn."""

from dataclasses import dataclass, replace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from features.config.company import Company
from features.errors import DataRefused
from features.settings import Workspace
from insight.complaints.complaint_settings import ComplaintSettings

#: Cases (dissatisfied answers, churned customers) needed to separate causes.
MIN_CASES = 50
#: Largest number of rows analysed.
MAX_ROWS = 40_000


@dataclass(frozen=True)
class IndexDates:
    """Rows (row, customer_id, index_date, outcome, weight) of an outcome, called `title`.

    `outcome` is 1 if it happened, 0 if not, NaN if unknown (invitations without an answer).
    """

    name: str
    title: str
    table: pd.DataFrame

    def sample(self, most: int = MAX_ROWS) -> "IndexDates":
        """Return all rows, or those of a random sample of customers with about `most` rows.

        Larger data takes minutes, and the intervals are narrow by then.
        """
        if len(self.table) <= most:
            return self
        customers = np.sort(self.table["customer_id"].unique())
        count = round(len(customers) * most / len(self.table))
        sampled = np.random.default_rng(0).choice(customers, count, replace=False)
        table = self.table[self.table["customer_id"].isin(sampled)].reset_index(drop=True)
        return replace(self, table=table.assign(row=table.index))


def read_answer_dates(con: duckdb.DuckDBPyConnection) -> IndexDates:
    """Read every invitation to rate satisfaction (else to recommend), with dissatisfied answers as
    cases.

    Dissatisfied: the lowest quarter of the scale, or 0 to 6 of 10 for a recommendation. The index date
    is that of the answer; without an answer, the median delay after the invitation. Raises DataRefused
    for fewer than `MIN_CASES` dissatisfied answers.
    """
    _require_table(con, "surveys", "answers to a survey")
    for instrument, cut, title in (
        ("csat", 0.25, "dissatisfaction with the service"),
        ("nps", 0.6, "would not recommend"),
    ):
        table = run_query(con, _ANSWERS, [instrument, cut + 1e-9])
        cases = int((table["outcome"] == 1).sum())
        if cases >= MIN_CASES:
            return IndexDates("dissatisfaction", title, table)
    raise DataRefused(
        f"{cases} answers of dissatisfied customers; at least {MIN_CASES} are needed to compare causes"
    )


def read_departure_dates(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    workspace: Workspace,
    settings: ComplaintSettings,
) -> IndexDates:
    """Read customers at non-overlapping cutoffs, with whether they left within the churn horizon.

    Labels are those of the churn model. Raises DataRefused without labels or with too few churned
    customers.
    """
    path = workspace.features(company.name) / "churn.parquet"
    if not path.is_file():
        raise DataRefused(
            f"{company.name} has no labels of churn; make them with `goodwill features`"
        )
    rows = pq.read_table(path, columns=["customer_id", "cutoff", "label"])
    con.register("labelled", rows)
    table = run_query(con, _DEPARTURES, [settings.leave_days])
    con.unregister("labelled")
    cases = int((table["outcome"] == 1).sum())
    if cases < MIN_CASES:
        raise DataRefused(
            f"{cases} customers left; at least {MIN_CASES} are needed to compare causes"
        )
    return IndexDates("churn", "leaves", table)


def run_query(con: duckdb.DuckDBPyConnection, query: str, values: list[Any]) -> pd.DataFrame:
    """Return the rows of a query with its parameters; times in UTC."""
    table: pd.DataFrame = con.sql(query, params=values or None).to_arrow_table().to_pandas()
    return table


def has_table(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """Return whether the history has a table."""
    query = "select 1 from duckdb_views() where view_name = ?"
    return bool(con.execute(query, [table]).fetchall())


def _require_table(con: duckdb.DuckDBPyConnection, table: str, what: str) -> None:
    if not has_table(con, table):
        raise DataRefused(f"the company has no {what}: map a table `{table}`")


_ANSWERS = """
with asked as (
    select * from surveys
    where instrument = ? and dimension = 'overall' and scale_high > scale_low
),
usual as (select median(answered_at - sent_at) as delay from asked where score is not null)
select row_number() over (order by sent_at, customer_id) - 1 as row, customer_id,
       coalesce(answered_at, sent_at + delay) as index_date,
       ((score - scale_low) / (scale_high - scale_low) <= ?)::double as outcome,
       coalesce(weight, 1.0) as weight
from asked, usual
"""

#: The latest cutoff, and the nearest ones a whole number of horizons before it.
_DEPARTURES = """
with days as (select distinct cutoff from labelled where label is not null),
placed as (
    select cutoff, date_diff('day', cutoff, max(cutoff) over ()) // ? as place from days
),
kept as (select max(cutoff) as cutoff from placed group by place)
select row_number() over (order by cutoff, customer_id) - 1 as row, customer_id, cutoff as index_date,
       label::double as outcome, 1.0 as weight
from labelled semi join kept using (cutoff) where label is not null
"""
