"""Ten times the events: customers in blocks, time that grows with them and memory that does not.

`GOODWILL_BENCH_EVENTS` sets the small size (default 5,000,000), the large one is ten times it.
Both run the same way, in blocks of `GOODWILL_BLOCK_CUSTOMERS`, each in a process of its own.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.contestants import THREADS, features_of
from benchmarks.events import EVENTS_A_CUSTOMER, write_events

TIMES = 10


def measure() -> str:
    """Run both sizes and return the table."""
    events = int(os.environ.get("GOODWILL_BENCH_EVENTS", "5000000"))
    measured = []
    with tempfile.TemporaryDirectory() as folder:
        for size in (events, TIMES * events):
            path = Path(folder) / f"events_{size}.parquet"
            sys.stderr.write(f"  writing {size:,} events ...\n")
            write_events(path, size)
            measured.append(_run(path))
            path.unlink()
    small, large = measured
    return "\n".join(
        [
            "# Feature engine at ten times the size",
            "",
            f"Customers in blocks of {small['block']:,}, {THREADS} threads, 12 monthly cutoffs, 40 "
            "window aggregates; rows are computed and counted block by block.",
            "",
            "| events | customers | rows | seconds | peak memory MB |",
            "|--:|--:|--:|--:|--:|",
            *(
                f"| {size:,} | {size // EVENTS_A_CUSTOMER:,} | {t['rows']:,} | {t['seconds']:.1f} "
                f"| {t['peak_mb']:,.0f} |"
                for size, t in ((events, small), (TIMES * events, large))
            ),
            "",
            f"{TIMES} times the events take {large['seconds'] / small['seconds']:.1f} times as long.",
            "",
        ]
    )


def _run(path: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    command = [sys.executable, "-m", "benchmarks.feature_scale", str(path)]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, env=environment, cwd=root, stdout=subprocess.PIPE, text=True, check=True
    )
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def main() -> None:
    """Make the feature table of one file block by block, showing the progress."""
    from features.execution.partitions import split_customers
    from features.history.build_history import build_history
    from features.history_store import stored_customers
    from features.progress import Steps
    from features.settings import Settings

    path, block, steps = Path(sys.argv[1]), Settings().block_customers, Steps()
    start, rows = time.perf_counter(), 0
    with steps.step(f"features of {path.stem}") as done:
        pieces = split_customers(stored_customers([path]), block)
        for span in steps.track(pieces, len(pieces)):
            history = build_history({"events": span.read(path)}, is_sorted=True)
            rows += features_of(history).num_rows
        done(rows=rows)
    measured = {
        "seconds": time.perf_counter() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": rows,
        "block": block,
    }
    sys.stdout.write(json.dumps(measured) + "\n")


if __name__ == "__main__":
    main()
