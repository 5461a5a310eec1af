"""Labels: what happened after each cutoff, by a target's SQL over the stored history."""

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from features.config.company import Company
from features.errors import DataRefused
from features.import_history.run_import import Manifest
from features.settings import Workspace
from models.targets.registry import Target
from models.training_set.splits import cutoffs, instant, microseconds

#: An answer later than this is none: the horizon with which every answer would be a label.
EVER_DAYS = 36_500


def connect(workspace: Workspace, company: Company) -> duckdb.DuckDBPyConnection:
    """The history's tables as views, and `known(customer_id, since)`."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("SET enable_progress_bar = false")
    con.execute("SET threads = 1")  # several add amounts up in another order every time
    names = []
    for file in sorted(workspace.history(company.name).glob("*.parquet")):
        path = str(file).replace("'", "''")
        con.execute(f"create view {file.stem} as select * from read_parquet('{path}')")
        names.append(file.stem)
    know(con, names)
    return con


def know(con: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> None:
    """Make `known(customer_id, since)`: when each customer of the tables was first known."""
    clocks = {"customers": "valid_from", "events": "greatest(occurred_at, known_at)",
              "surveys": "sent_at", "tickets": "opened_at"}  # fmt: skip
    seen = [f"select customer_id, {clocks[name]} as since from {name}" for name in tables]
    con.execute(
        "create or replace temp table known as select customer_id, min(since) as since from ("
        f"{' union all '.join(seen)}) where since is not null group by 1"
    )


def label_rows(
    target: Target, company: Company, workspace: Workspace, manifest: Manifest
) -> tuple[pa.Table, int, int, int]:
    """(customer_id, cutoff, label, weight) sorted, with the rows left out: unripe, late, sampled out."""
    config = company.target(target.name)
    span = target.span_days(config)
    con = connect(workspace, company)
    try:
        if target.on_calendar:
            grid = cutoffs(company.calendar, span, manifest.start, manifest.end, target.name)
            con.execute("create temp table cutoffs (cutoff timestamptz)")
            con.executemany("insert into cutoffs values (?)", [[c.isoformat()] for c in grid])
        ripe_end = instant(microseconds(manifest.end)).isoformat()
        made = f"({target.labels(config)})"
        ripe = f"cutoff + interval {span} day <= timestamptz '{ripe_end}'"
        total, unripe = con.execute(
            f"select count(*), count(*) filter (not ({ripe})) from {made}"
        ).fetchall()[0]
        late = 0 if target.on_calendar else _ever(con, target, company) - total
        keep = min(1.0, company.calendar.max_rows / max(1, total - unripe))
        sample = f"hash(customer_id) % 1000000 < {int(keep * 1_000_000)}" if keep < 1 else "true"
        labels = con.sql(
            f"select customer_id, cutoff, label::double as label, weight::double as weight "
            f"from {made} where {ripe} and {sample} order by all"
        ).to_arrow_table()
    finally:
        con.close()
    if not total:
        raise DataRefused(f"target {target.name}: the history holds not one label of it")
    if not labels.num_rows:
        raise DataRefused(
            f"target {target.name}: no ripe label in {total:,} rows; "
            f"answers must be {span} days older than the end of the data, {manifest.data_end[:10]}"
        )
    return labels, int(unripe), late, int(total - unripe - labels.num_rows)


def _ever(con: duckdb.DuckDBPyConnection, target: Target, company: Company) -> int:
    """The labels there would be if answers might come at any time."""
    patient = company.target(target.name).model_copy(update={"horizon_days": EVER_DAYS})
    return int(con.execute(f"select count(*) from ({target.labels(patient)})").fetchall()[0][0])
