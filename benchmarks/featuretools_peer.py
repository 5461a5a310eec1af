"""The feature engine compared with featuretools, on a size that featuretools can process.

`GOODWILL_BENCH_FEATURETOOLS` sets the events (default 100,000). featuretools needs pandas 2 and so
lives in `.venv-featuretools`, which is made from `requirements-featuretools.lock` when it lacks.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contest import run
from benchmarks.contestants import THREADS
from benchmarks.events import COLUMNS, CUTOFFS, EVENTS_A_CUSTOMER, write_events

PROJECT = Path(__file__).parents[1]
ENVIRONMENT = PROJECT / ".venv-featuretools"
LOCK = PROJECT / "benchmarks/requirements-featuretools.lock"


def measure() -> str:
    """Alternate the two, three times each, and return the table of medians."""
    python = environment()
    events = int(os.environ.get("GOODWILL_BENCH_FEATURETOOLS", "100000"))
    ours: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        write_events(path, events)
        write_events(path.with_name("warm.parquet"), 5_000)
        for _ in range(3):
            ours.append(run("goodwill", path, THREADS))
            theirs.append(_run_featuretools(python, path))
    for column in COLUMNS:
        if not np.isclose(ours[-1]["sums"][column], theirs[-1]["sums"][column], rtol=1e-9):
            raise AssertionError(f"the sum of {column} differs between goodwill and featuretools")
    fast, slow = (statistics.median(r["seconds"] for r in runs) for runs in (ours, theirs))
    return "\n".join(
        [
            "# Feature engine and featuretools",
            "",
            f"{events:,} events, {events // EVENTS_A_CUSTOMER:,} customers, {len(CUTOFFS)} cutoffs, "
            f"{len(COLUMNS)} window aggregates, median of 3 alternating runs, equal sums.",
            "",
            "| | seconds | peak memory MB |",
            "|---|--:|--:|",
            f"| goodwill | {fast:.3f} | {ours[-1]['peak_mb']:,.0f} |",
            f"| featuretools | {slow:.2f} | {theirs[-1]['peak_mb']:,.0f} |",
            "",
            f"goodwill is {slow / fast:,.0f} times as fast.",
            "",
        ]
    )


def environment() -> Path:
    """The Python of featuretools' own environment, made from its lock when it lacks."""
    python = ENVIRONMENT / "bin/python"
    if not python.exists():
        uv = PROJECT / ".venv/bin/uv"
        sys.stderr.write("  installing featuretools into an environment of its own ...\n")
        subprocess.run([uv, "venv", "-q", "--python", sys.executable, ENVIRONMENT], check=True)
        subprocess.run(
            [uv, "pip", "install", "-q", "--python", python, "--only-binary", ":all:", "-r", LOCK],
            check=True,
        )
    return python


def _run_featuretools(python: Path, path: Path) -> dict[str, Any]:
    script = PROJECT / "benchmarks/featuretools_run.py"
    done = subprocess.run([python, script, path], capture_output=True, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    sys.stdout.write(measure())
