"""What the history itself says: last year's survey answers, and revenue and customers by month."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
from numpy.typing import NDArray

from features.import_history.run_import import Manifest
from features.settings import Workspace

Floats = NDArray[np.float64]

#: Months with fewer answers than this show no mean: it would be noise.
FEWEST_ANSWERS = 10

# The two questions the targets are about, with the same bounds as the labels in models.targets.
_SHARE = "(score - scale_low) / (scale_high - scale_low)"
_TEN = f"case when scale_high = 10 then score else 10.0 * {_SHARE} end"
_ASKED = {
    "satisfaction": "instrument = 'csat' and coalesce(dimension, 'overall') = 'overall'",
    "nps": "instrument = 'nps'",
}
_FIGURE = {
    "satisfaction": f"100.0 * {_SHARE}",
    "nps": f"case when {_TEN} >= 9 then 100.0 when {_TEN} >= 7 then 0.0 else -100.0 end",
}


@dataclass(frozen=True)
class Answered:
    """The questions sent in the year before the data end, and what those who answered said.

    `figure` is the mean score (0 to 100) or the NPS (-100 to 100), weighted as the rows are.
    """

    asked: int
    answered: int
    figure: float

    @property
    def rate(self) -> float:
        return self.answered / self.asked


@dataclass(frozen=True)
class Months:
    """Whole months with a number each; NaN where there is too little to say."""

    first_days: list[date]
    numbers: Floats


@contextmanager
def history(workspace: Workspace, company: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The history's tables as views, with times in UTC."""
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET enable_progress_bar = false")
        for file in sorted(workspace.history(company).glob("*.parquet")):
            path = str(file).replace("'", "''")
            con.execute(f"create view {file.stem} as select * from read_parquet('{path}')")
        yield con
    finally:
        con.close()


def answered(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, Answered]:
    """Last year's answers to the satisfaction and to the NPS question; nothing for one not asked."""
    found: dict[str, Answered] = {}
    if "surveys" not in manifest.schema.tables:
        return found
    end = f"timestamptz '{manifest.data_end}'"
    for target, asked in _ASKED.items():
        row = con.execute(
            f"""
            select count(*), count(score),
                   sum(weight * ({_FIGURE[target]})) filter (score is not null)
                       / sum(weight) filter (score is not null)
            from (select * replace (case when answered_at < {end} then score end as score)
                  from surveys)
            where {asked} and sent_at >= {end} - interval 365 day and sent_at < {end}
            """
        ).fetchall()[0]
        if row[1]:
            found[target] = Answered(int(row[0]), int(row[1]), float(row[2]))
    return found


def months(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, Months]:
    """Revenue, active customers and mean answers of every whole month, under these names:
    `revenue`, `active`, `satisfaction`, `nps`; a company without them lacks the name."""
    tables = manifest.schema.tables
    found: dict[str, Months] = {}
    if "events" in tables:
        orders = "kind in ('order', 'return')"
        if "amount" in tables["events"]:
            found["revenue"] = _by_month(
                con, manifest, "events", ("occurred_at", orders, "sum(amount)")
            )
        counted = ("occurred_at", "kind = 'order'", "count(distinct customer_id)")
        found["active"] = _by_month(con, manifest, "events", counted)
    if "surveys" in tables:
        for target, asked in _ASKED.items():
            mean = (
                f"case when count(*) >= {FEWEST_ANSWERS} "
                f"then sum(weight * ({_FIGURE[target]})) / sum(weight) end"
            )
            given = f"{asked} and score is not null"
            found[target] = _by_month(con, manifest, "surveys", ("answered_at", given, mean))
    return {name: m for name, m in found.items() if np.isfinite(m.numbers).sum() >= 3}


def _by_month(
    con: duckdb.DuckDBPyConnection, manifest: Manifest, table: str, what: tuple[str, str, str]
) -> Months:
    """`what` is the clock, the condition of a row and the number made of a month's rows."""
    clock, condition, number = what
    rows = con.execute(
        f"""
        select date_trunc('month', {clock})::date as first_day, ({number})::double as number
        from {table} where {condition}
        group by 1
        having first_day >= timestamptz '{manifest.data_start}' - interval 1 day
           and first_day + interval 1 month <= timestamptz '{manifest.data_end}'
        order by 1
        """
    ).fetchall()
    numbers = [np.nan if number is None else float(number) for _, number in rows]
    return Months([first for first, _ in rows], np.array(numbers, np.float64))
