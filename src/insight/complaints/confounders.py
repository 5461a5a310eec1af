"""Confounders: what else differs between exposed and unexposed customers."""

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from insight.complaints.complaint_settings import ComplaintSettings
from insight.complaints.index_dates import has_table, run_query

Floats = NDArray[np.float64]

#: Most common levels of a text column that get their own indicator column.
MAX_LEVELS = 12


def read_confounders(con: duckdb.DuckDBPyConnection, settings: ComplaintSettings) -> pd.DataFrame:
    """Read the confounders of each row of the view `index_dates`, as columns of numbers and texts.

    CRM attributes valid at the time; the season; purchases and promised deliveries within the window;
    the last rating and the number of contacts before the window, which reflect how readily a customer
    complains.
    """
    parts = [run_query(con, _SEASON, []).set_index("row")]
    for table, query, windows in (
        ("customers", _ATTRIBUTES, 0),
        ("events", _ORDERS, 2),
        ("surveys", _RATINGS, 1),
        ("tickets", _CONTACTS, 1),
    ):
        if has_table(con, table):
            found = run_query(con, query, [settings.window_days] * windows)
            parts.append(found.set_index("row"))
    return pd.concat(parts, axis=1).sort_index()


def encode_confounders(table: pd.DataFrame) -> Floats:
    """Encode confounders as standardised columns; shape (rows, columns).

    Texts become indicators by level, missing numbers get an indicator, skewed ones a logarithm. Constant
    columns are left out.
    """
    columns: list[Floats] = []
    for name in table.columns:
        values = table[name]
        if pd.api.types.is_numeric_dtype(values):
            columns += _numeric(values.to_numpy(float, na_value=np.nan))
        else:
            texts = values.astype(object).where(values.notna(), "(none)").astype(str)
            levels = texts.value_counts().index[:MAX_LEVELS]
            columns += [(texts == level).to_numpy(float) for level in levels]
    matrix = np.column_stack([c for c in columns if np.ptp(c) > 0] or [np.zeros(len(table))])
    spread = matrix.std(axis=0)
    return np.asarray((matrix - matrix.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def _numeric(values: Floats) -> list[Floats]:
    missing = np.isnan(values)
    known = values[~missing]
    if not len(known):
        return []
    if np.min(known) >= 0 and np.max(known) > 20 * (1 + np.median(known)):
        values = np.log1p(values)
    filled = np.where(missing, np.nanmedian(values), values)
    return [filled, missing.astype(float)]


_SEASON = """
select row, epoch(index_date) / 31557600.0 as year,
       (epoch(index_date) / 31557600.0) ** 2 as year_squared,
       sin(2 * pi() * dayofyear(index_date) / 365.25) as season_sin,
       cos(2 * pi() * dayofyear(index_date) / 365.25) as season_cos
from index_dates
"""

_ATTRIBUTES = """
select d.row, c.* exclude (customer_id, valid_from)
from index_dates d left join customers c on c.customer_id = d.customer_id
     and coalesce(c.valid_from, '1900-01-01'::timestamptz) <= d.index_date
qualify row_number() over (partition by d.row order by c.valid_from desc nulls last) = 1
"""

_ORDERS = """
select d.row,
       coalesce(ln(1 + greatest(sum(e.amount) filter (e.kind = 'order' and recent), 0)), 0) as spend,
       count(*) filter (e.kind = 'order' and recent) as orders,
       ln(1 + count(*) filter (e.kind = 'order' and not recent)) as orders_before,
       ln(1 + count(distinct e.due_at) filter (e.kind <> 'payment' and e.due_at < d.index_date
          and e.due_at >= d.index_date - to_days(?))) as promises,
       arg_max(e.category, e.occurred_at) filter (e.kind = 'order') as category,
       arg_max(e.channel, e.occurred_at) filter (e.kind = 'order') as channel,
       date_diff('day', min(e.occurred_at), d.index_date) as days_known
from index_dates d left join events e
     on e.customer_id = d.customer_id and e.occurred_at < d.index_date,
     lateral (select e.occurred_at >= d.index_date - to_days(?) as recent)
group by d.row, d.index_date
"""

_RATINGS = """
select d.row,
       arg_max((s.score - s.scale_low) / (s.scale_high - s.scale_low), s.answered_at) as judged_before
from index_dates d left join surveys s on s.customer_id = d.customer_id and s.dimension = 'overall'
     and s.score is not null and s.scale_high > s.scale_low
     and s.answered_at < d.index_date - to_days(?)
group by d.row
"""

_CONTACTS = """
select d.row, ln(1 + count(t.opened_at)) as contacts_before
from index_dates d left join tickets t on t.customer_id = d.customer_id
     and t.opened_at < d.index_date - to_days(?)
group by d.row
"""
