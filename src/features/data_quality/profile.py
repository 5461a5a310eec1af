"""Profile of a table for the report's plots: rows by day, missing values, kinds by month, amounts."""

from typing import Any

from features.data_quality import category_drift, missing_values
from features.data_quality.checked_table import SERIES, CheckedTable, month_of
from features.data_quality.daily_counts import DailyCounts
from features.ingest.sql import quote_identifier

#: Number of values of a column that are plotted separately; the rest is plotted as one.
SHOWN = 7
OTHERS = "all others"


def build_profile(table: CheckedTable, daily: DailyCounts | None) -> dict[str, Any]:
    """The profile of a table as JSON values."""
    profile: dict[str, Any] = {"rows": table.rows, "missing": _missing(table)}
    if daily is None:
        return profile
    profile["days"] = {"first": str(daily.first), "rows": [int(n) for n in daily.total]}
    profile["missing_by_month"] = _missing_by_month(table)
    column = SERIES[table.name]
    texts = [c for c in category_drift.TEXTS[table.name] if table.has(c)]
    profile["shares"] = {c: _shares(table, c) for c in texts if c == column or c == "channel"}
    if table.name == "events" and table.has("amount"):
        profile["amounts"] = _amounts(table)
    return profile


def _missing(table: CheckedTable) -> dict[str, float]:
    """The share of rows without a value, by mapped column."""
    names = list(table.source.columns)
    counts_sql = ", ".join(f"count({quote_identifier(c)})" for c in names)
    filled = table.query_row(f"select {counts_sql} from {table.view}")
    return {c: round(1 - n / table.rows, 4) for c, n in zip(names, filled, strict=True)}


def _missing_by_month(table: CheckedTable) -> dict[str, Any]:
    """Shares of missing values by column and month, over the series that have the column."""
    sums: dict[str, dict[str, list[int]]] = {}
    for column, found in missing_values.count_missing_by_month(table).items():
        for months in found.values():
            for m in months:
                month = sums.setdefault(column, {}).setdefault(m.month, [0, 0])
                month[0] += m.missing
                month[1] += m.rows
    names = sorted({m for months in sums.values() for m in months})
    shares = {c: [_share(*months.get(m, (0, 0))) for m in names] for c, months in sums.items()}
    return {"months": names, "columns": shares}


def _share(missing: int, rows: int) -> float | None:
    return round(missing / rows, 4) if rows >= missing_values.LEAST_ROWS else None


def _shares(table: CheckedTable, column: str) -> dict[str, Any]:
    """Rows per month of the most frequent values of a column."""
    name = quote_identifier(column)
    top = [row[0] for row in table.query(
        f"select {name} from {table.view} where {name} is not null group by 1 "
        f"order by count(*) desc, 1 limit {SHOWN}"
    )]  # fmt: skip
    found = table.connection.execute(
        f"select {month_of(table.clock, table.time_zone)}, "
        f"case when list_contains($top, {name}) then {name} "
        f"else '{OTHERS}' end, count(*) from {table.view} where {name} is not null group by 1, 2",
        {"top": top},
    ).fetchall()
    rows = {(f"{first:%Y-%m}", value): n for first, value, n in found}
    months = sorted({month for month, _ in rows})
    shown = [*top, *([OTHERS] if any(v == OTHERS for _, v in rows) else [])]
    return {"months": months, "values": {v: [rows.get((m, v), 0) for m in months] for v in shown}}


def _amounts(table: CheckedTable) -> dict[str, list[list[float]]]:
    """Histogram of amounts by kind: (decimal logarithm, rows) in steps of 0.1."""
    found: dict[str, list[list[float]]] = {}
    for series, step, n in table.query(
        f"select {table.series_sql}, round(10 * log10(abs(amount)))::integer, count(*) "
        f"from {table.view} where amount <> 0 group by 1, 2 order by 1, 2"
    ):
        found.setdefault(series, []).append([step / 10, n])
    largest = sorted(found, key=lambda s: -sum(n for _, n in found[s]))
    return {s: found[s] for s in largest[:4]}
