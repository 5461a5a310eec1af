"""Net revenue by month, and the last half-year against the one before and the same one a year ago."""

import math
from datetime import date, datetime

import duckdb

from features.calendar_periods import add_months, bucket_sql
from features.config.company import Company
from features.errors import DataRefused
from features.history_store import Manifest, open_history
from features.settings import Workspace
from insight.evaluation.business_schema import RevenueChange, RevenueOfMonth
from insight.evaluation.indicator_schema import IntervalEstimate
from insight.satisfaction.behavioural_rates import whole_periods
from models.nonresponse.aipw import Z_95

#: Months that are compared with earlier ones: half a year.
MONTHS = 6
NO_AMOUNTS = "the company records no amounts of orders; map the column amount of events"

#: Sums and sums of products over customers: of the last months (a), those before (b), a year ago (c).
Sums = dict[str, float]


def measure_revenue(company: Company, workspace: Workspace) -> RevenueChange:
    """Measure net revenue, as the value model defines it: orders minus returns.

    Raises DataRefused without a history, amounts, or half a year of whole months.
    """
    manifest, zone = Manifest.read(workspace, company.name), company.info.time_zone
    if "amount" not in manifest.schema.tables.get("events", ()):
        raise DataRefused(NO_AMOUNTS)
    months = [start for start, _ in whole_periods(manifest, "month", zone)]
    if len(months) < MONTHS:
        raise DataRefused(
            f"{len(months)} whole months of data; a comparison of revenue needs {MONTHS}"
        )
    with open_history(workspace.history(company.name)) as con:
        _create_months(con, months, zone)
        by_month = dict(
            con.execute("select month::date, sum(amount) from bought group by 1").fetchall()
        )
        sums = _sums(con, months)
    if not by_month:
        raise DataRefused(NO_AMOUNTS)
    return _change(months, by_month, sums)


def _change(months: list[datetime], by_month: dict[date, float], sums: Sums) -> RevenueChange:
    before = sums["b"] if len(months) >= 2 * MONTHS else None
    year_ago = sums["c"] if len(months) >= 12 + MONTHS else None
    return RevenueChange(
        since=months[-MONTHS].date(), until=add_months(months[-1], 1).date(), months=MONTHS,
        value=sums["a"], before=before, year_ago=year_ago,
        on_before=None if before is None else relative_change(sums, "b"),
        on_year_ago=None if year_ago is None else relative_change(sums, "c"),
        over_time=[
            RevenueOfMonth(month=month.date(), value=by_month.get(month.date(), 0.0))
            for month in months
        ],
    )  # fmt: skip


def relative_change(sums: Sums, earlier: str) -> IntervalEstimate | None:
    """The change of revenue as a share of the earlier one; None where that is not positive.

    The interval is that of a ratio of two sums over independent customers (delta method).
    """
    a, b = sums["a"], sums[earlier]
    if b <= 0:
        return None
    ratio = a / b
    spread = sums["aa"] - 2 * ratio * sums["a" + earlier] + ratio**2 * sums[2 * earlier]
    half = Z_95 * math.sqrt(max(spread, 0.0)) / b
    return IntervalEstimate(value=ratio - 1, low=ratio - 1 - half, high=ratio - 1 + half)


def _create_months(con: duckdb.DuckDBPyConnection, months: list[datetime], zone: str) -> None:
    """Create the table `bought`: the net revenue of each customer in each whole month."""
    con.execute(
        f"""
        create or replace temp table bought as
        select customer_id, {bucket_sql("month", "occurred_at", zone)} as month,
               sum(amount) as amount
        from events where kind in ('order', 'return') and amount is not null
        group by 1, 2 having month between ? and ?
        """,
        [months[0], months[-1]],
    )


def _sums(con: duckdb.DuckDBPyConnection, months: list[datetime]) -> Sums:
    last, recent = months[-1], add_months(months[-1], 1 - MONTHS)
    spans = {
        "a": (recent, last),
        "b": (add_months(recent, -MONTHS), add_months(last, -MONTHS)),
        "c": (add_months(recent, -12), add_months(last, -12)),
    }
    columns = ", ".join(
        f"coalesce(sum(amount) filter (month between ${name}_first and ${name}_last), 0) as {name}"
        for name in spans
    )
    names = ("a", "b", "c", "a*a", "b*b", "c*c", "a*b", "a*c")
    wanted = ", ".join(f"coalesce(sum({name}), 0)" for name in names)
    ends = {
        f"{name}_{end}": month
        for name, span in spans.items()
        for end, month in zip(("first", "last"), span, strict=True)
    }
    found = con.execute(
        f"with spans as (select {columns} from bought group by customer_id) "
        f"select {wanted} from spans", ends,
    ).fetchone()  # fmt: skip
    values = found or (0.0,) * len(names)
    return {n.replace("*", ""): float(v) for n, v in zip(names, values, strict=True)}
