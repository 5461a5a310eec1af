"""The feature engine beside DuckDB: the same window aggregates, from Parquet to feature table.

`GOODWILL_BENCH_EVENTS` sets the size (default 1,000,000; 25 events a customer, 12 monthly
cutoffs, 40 aggregates). The two run in turn, three times each, in one process;
the numbers must be equal.
"""

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.contract import EVENTS
from features.engine import Plan
from features.expressions import Past
from features.history import build_history
from features.registry import Column
from features.settings import Settings
from features.table import feature_table

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 540
KINDS = ("order", "return", "payment", "visit")
WINDOWS = (7, 30, 90, 180, 365)
AGGREGATES = ("count", "sum")
CUTOFFS = [START + timedelta(days=170 + 30 * i) for i in range(12)]


def measure() -> str:
    """Alternate the contestants and return the table of medians."""
    events = int(os.environ.get("GOODWILL_BENCH_EVENTS", "1000000"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        write_events(path, events)
        contestants: dict[str, Callable[[], pa.Table]] = {
            "goodwill": lambda: by_goodwill(path),
            "duckdb, once a cutoff": lambda: by_duckdb(path),
        }
        for work in contestants.values():
            work()  # compiled, and the file in the page cache
        times: dict[str, list[float]] = {name: [] for name in contestants}
        results: dict[str, pa.Table] = {}
        for _ in range(3):
            for name, work in contestants.items():
                start = time.perf_counter()
                results[name] = work()
                times[name].append(time.perf_counter() - start)
    check_equal(*results.values())
    return _table(times, events)


def _table(times: dict[str, list[float]], events: int) -> str:
    medians = {name: statistics.median(t) for name, t in times.items()}
    fastest_peer = min(v for n, v in medians.items() if n != "goodwill")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = [
        "# Feature engine",
        "",
        f"{events:,} events, {events // 25:,} customers, {len(CUTOFFS)} monthly cutoffs, "
        f"{len(KINDS) * len(WINDOWS) * len(AGGREGATES)} window aggregates, {Settings().threads} "
        f"threads, Parquet to feature table, median of 3 alternating runs; all numbers equal. "
        f"Peak memory of the process {peak:,.0f} MB.",
        "",
        "| | seconds | times goodwill |",
        "|---|--:|--:|",
        *(f"| {n} | {s:.2f} | {s / medians['goodwill']:.1f} |" for n, s in medians.items()),
        "",
        f"goodwill takes {medians['goodwill'] / fastest_peer:.2f} of the time of the fastest peer.",
        "",
    ]
    return "\n".join(lines)


def write_events(path: Path, events: int) -> None:
    """Random events sorted by customer and time, as a stored history is."""
    rng = np.random.default_rng(1)
    customer = np.sort(rng.integers(0, events // 25, events))
    moment = (rng.random(events) * DAYS * 86_400e6).astype(np.int64)
    moment += int(START.timestamp() * 1e6)
    moment = moment[np.lexsort((moment, customer))]
    table = pa.table(
        {
            "customer_id": pa.array([f"C{c:08d}" for c in customer]),
            "occurred_at": pa.array(moment, pa.timestamp("us", "UTC")),
            "kind": pa.DictionaryArray.from_arrays(
                rng.integers(0, len(KINDS), events).astype(np.int32), list(KINDS)
            ).cast(pa.string()),
            "amount": np.round(rng.lognormal(4, 1, events), 2),
        }
    )
    pq.write_table(table, path, compression="zstd", row_group_size=100_000)


def by_goodwill(path: Path) -> pa.Table:
    """The product's own path: arrays, plan, compiled pass."""
    history = build_history({EVENTS.name: pq.read_table(path)}, is_sorted=True)
    columns = []
    for kind in KINDS:
        for window in WINDOWS:
            view = Past(window).events.where(kind=kind)
            columns.append(Column(f"{kind}_count_{window}", "", "", view.count()))
            columns.append(Column(f"{kind}_sum_{window}", "", "", view.sum("amount")))
    ids = pa.array(np.repeat(np.array(history.customer_ids, object), len(CUTOFFS)), pa.string())
    cutoffs = np.array([int(c.timestamp() * 1e6) for c in CUTOFFS])
    return feature_table(
        history,
        ids,
        np.tile(cutoffs, len(history.customer_ids)),
        Plan.of(columns),
        Settings().threads,
    )


def by_duckdb(path: Path) -> pa.Table:
    """Filtered aggregates over the longest window, one query a cutoff: DuckDB's fastest form here."""
    con = duckdb.connect()
    con.execute(f"SET threads = {Settings().threads}")
    con.execute("SET TimeZone = 'UTC'")
    parts = []
    for cutoff in CUTOFFS:
        c = f"timestamptz '{cutoff.isoformat()}'"
        made = []
        for kind in KINDS:
            for window in WINDOWS:
                inside = f"kind = '{kind}' and occurred_at >= {c} - interval {window} day"
                made.append(f"count(*) filter ({inside}) as {kind}_count_{window}")
                made.append(f"coalesce(sum(amount) filter ({inside}), 0) as {kind}_sum_{window}")
        parts.append(
            con.sql(
                f"select customer_id, {c} as cutoff, {', '.join(made)} from '{path}' "
                f"where occurred_at < {c} and occurred_at >= {c} - interval 365 day group by 1"
            ).to_arrow_table()
        )
    return pa.concat_tables(parts)


def check_equal(ours: pa.Table, theirs: pa.Table) -> None:
    """Raise when any number differs; a customer without events in a year has no row in SQL."""
    keys = ["customer_id", "cutoff"]
    a = ours.to_pandas().set_index(keys).sort_index()
    b = theirs.to_pandas().set_index(keys).reindex(a.index).fillna(0.0)
    for column in b.columns:
        if not np.allclose(a[column], b[column], rtol=1e-9, atol=1e-6):
            raise AssertionError(f"{column} differs between goodwill and duckdb")
