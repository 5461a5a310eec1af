"""CPU seconds to import the command and the retrain pipeline, next to the data libraries they need."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from resource import RUSAGE_CHILDREN, getrusage

CASES = {
    "pandas, pyarrow, duckdb": "import pandas, pyarrow, duckdb",
    "retrain pipeline": "import models.pipeline.retrain",
    "goodwill --help": "from serve.cli.main import cli; cli(['--help'], standalone_mode=False)",
}
RUNS = 5


def measure() -> str:
    """Time the cases alternately; the median CPU seconds of each, and its ratio to the first."""
    seconds = _measure()
    first = next(iter(seconds.values()))
    rows = [f"| {name} | {s:.2f} | {s / first:.2f} |" for name, s in seconds.items()]
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    head = f"# Import times\n\n{day}, `python -m benchmarks imports`, median of {RUNS} runs.\n"
    return "\n".join([head, "| | CPU seconds | ratio |", "|---|--:|--:|", *rows]) + "\n"


def _measure() -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(RUNS):
        for name, code in CASES.items():
            taken[name].append(_cpu(lambda code=code: _run(code)))
    return {name: sorted(seconds)[RUNS // 2] for name, seconds in taken.items()}


def _run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)


def _cpu(work: Callable[[], None]) -> float:
    before = getrusage(RUSAGE_CHILDREN)
    work()
    after = getrusage(RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
