"""The feature engine compared with DuckDB, Polars and pandas: the same window aggregates, equal numbers.

`GOODWILL_BENCH_EVENTS` sets the size (default 5,000,000: 200,000 customers, 2.4 million rows made),
`GOODWILL_BENCH_RUNS` how often each contestant runs (default 3), in turn, each run in a process of
its own.
"""

import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest import run
from benchmarks.contestants import CONTESTANTS, THREADS
from benchmarks.events import COLUMNS, CUTOFFS, EVENTS_A_CUSTOMER, write_events

SMALL = 50_000


def measure() -> str:
    """Alternate the contestants and return the table of medians."""
    events = int(os.environ.get("GOODWILL_BENCH_EVENTS", "5000000"))
    rounds = int(os.environ.get("GOODWILL_BENCH_RUNS", "3"))
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTESTANTS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        write_events(path, events)
        write_events(path.with_name("warm.parquet"), SMALL)
        check_equal(path.with_name("warm.parquet"))
        for turn in range(rounds):
            for name, runs in measured.items():
                runs.append(run(name, path, THREADS))
                sys.stderr.write(f"  run {turn + 1}: {name} {runs[-1]['seconds']:.2f} s\n")
    _check_sums({name: runs[-1]["sums"] for name, runs in measured.items()})
    return _table(measured, events)


def check_equal(path: Path) -> None:
    """Raise AssertionError when any number of any contestant differs from goodwill's.

    A customer without events in a year has no row in SQL: it must be zero with us.
    """
    keys = ["customer_id", "cutoff"]
    made = {n: work(path).to_pandas().set_index(keys) for n, work in CONTESTANTS.items()}
    ours = made.pop("goodwill").sort_index()
    for name, frame in made.items():
        theirs = frame.reindex(ours.index).fillna(0.0)
        for column in COLUMNS:
            if not np.allclose(ours[column], theirs[column], rtol=1e-9, atol=1e-6):
                raise AssertionError(f"{column} differs between goodwill and {name}")


def _check_sums(sums: dict[str, dict[str, float]]) -> None:
    for name, theirs in sums.items():
        for column, value in sums["goodwill"].items():
            if not np.isclose(value, theirs[column], rtol=1e-9):
                raise AssertionError(f"the sum of {column} differs between goodwill and {name}")


def _table(measured: dict[str, list[dict[str, Any]]], events: int) -> str:
    seconds = {n: statistics.median(r["seconds"] for r in runs) for n, runs in measured.items()}
    peaks = {n: statistics.median(r["peak_mb"] for r in runs) for n, runs in measured.items()}
    ours = seconds["goodwill"]
    rounds = len(measured["goodwill"])
    lines = [
        "# Feature engine",
        "",
        f"{events:,} events, {events // EVENTS_A_CUSTOMER:,} customers, {len(CUTOFFS)} monthly "
        f"cutoffs, {len(COLUMNS)} window aggregates, {THREADS} threads, Parquet to feature table. "
        f"Median of {rounds} alternating runs, each in a separate process; all numbers are equal.",
        "",
        "| | seconds | goodwill takes | peak memory MB |",
        "|---|--:|--:|--:|",
        *(
            f"| {name} | {s:.2f} | {ours / s:.2f} of it | {peaks[name]:,.0f} |"
            for name, s in seconds.items()
        ),
        "",
    ]
    for peer in ("duckdb", "polars", "pandas"):
        fastest = min(s for name, s in seconds.items() if name.startswith(peer))
        lines.append(f"- {ours / fastest:.2f} of the time of the fastest {peer}")
    return "\n".join([*lines, ""])
