"""One run of one contestant in a process of its own: `python -m benchmarks.contest NAME FILE`.

Prints a JSON line: seconds from Parquet to feature table, peak memory of the process in MB, rows,
and the sum of every column, by which runs at full size are held against each other. A smaller file
next to it (`warm.parquet`) is worked through first, so that imports and compiling are not timed.
"""

import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.compute as pc


def main() -> None:
    """Run the contestant named on the command line."""
    from benchmarks.contestants import CONTESTANTS
    from benchmarks.events import COLUMNS

    name, path = sys.argv[1], Path(sys.argv[2])
    CONTESTANTS[name](path.with_name("warm.parquet"))
    start = time.perf_counter()
    made = CONTESTANTS[name](path)
    seconds = time.perf_counter() - start
    measured = {
        "seconds": seconds,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "rows": made.num_rows,
        "sums": {column: float(pc.sum(made[column]).as_py()) for column in COLUMNS},
    }
    sys.stdout.write(json.dumps(measured) + "\n")


def run(name: str, path: Path, threads: int) -> dict[str, Any]:
    """One run in a child process; raises CalledProcessError when it fails."""
    environment = {
        **os.environ,
        "POLARS_MAX_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "PYTHONPATH": os.pathsep.join(["src", "."]),
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.contest", name, str(path)],
        env=environment,
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.stderr.write(done.stderr)
        done.check_returncode()
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    main()
