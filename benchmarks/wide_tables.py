"""What columns cost: the data quality command on a company with 50 to 2,000 attributes of customers."""

import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

CUSTOMERS, ORDERS, SEED = 5_000, 60_000, 17
COLUMNS = (50, 100, 200, 400, 2_000)
_COMPANY = """
[company]
name = "wide"
currency = "EUR"
time_zone = "UTC"
root = "{here}/raw"

[tables.customers]
files = "customers.csv"

[tables.customers.columns]
customer_id = "id"
valid_from = "since"
"""
_EVENTS = """
[tables.events]
files = "orders.csv"

[tables.events.columns]
customer_id = "id"
occurred_at = "ordered_at"
kind = "'order'"
amount = "amount"
"""


def measure() -> str:
    """CPU seconds and peak memory by number of columns, and the ratio to half as many."""
    found = {columns: _quality(columns) for columns in COLUMNS}
    rows = []
    for columns, (seconds, memory) in found.items():
        half = found.get(columns // 2)
        ratio = f"{seconds / half[0]:.2f}" if half else "–"
        rows.append(f"| {columns:,} | {seconds:.1f} | {ratio} | {memory / 1e6:.2f} |")
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    head = (
        f"# Wide tables\n\n{day}, `python -m benchmarks wide_tables`: `goodwill quality` of "
        f"{CUSTOMERS:,} customers, half of the attributes texts, half numbers, and {ORDERS:,} orders, "
        "from CSV.\n"
    )
    columns = "| attributes | CPU seconds | times half as many | peak memory, GB |"
    return "\n".join([head, columns, "|--:|--:|--:|--:|", *rows]) + "\n"


def _quality(columns: int) -> tuple[float, float]:
    """CPU seconds and peak kilobytes of the command in a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        company = _write_company(Path(folder), columns)
        code = (
            "import resource, sys\n"
            "from serve.cli.main import cli\n"
            f"cli(['quality', '--company', {str(company)!r}], standalone_mode=False)\n"
            "used = resource.getrusage(resource.RUSAGE_SELF)\n"
            "print(used.ru_maxrss, file=sys.stderr)"
        )
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "GOODWILL_HOME": folder},
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, float(done.stderr.split()[-1])


def _write_company(home: Path, columns: int) -> Path:
    generator = np.random.default_rng(SEED)
    data = home / "data" / "raw"
    data.mkdir(parents=True)
    ids = [f"C{i:05d}" for i in range(CUSTOMERS)]
    start = pd.Timestamp("2023-01-01")
    since = start + pd.to_timedelta(generator.integers(0, 300, CUSTOMERS), "D")
    customers: dict[str, object] = {"id": ids, "since": since}
    for i in range(columns):
        customers[f"x{i}"] = (
            generator.choice(list("abcd"), CUSTOMERS) if i % 2 else generator.normal(size=CUSTOMERS)
        )
    pd.DataFrame(customers).to_csv(data / "customers.csv", index=False)
    pd.DataFrame({
        "id": generator.choice(ids, ORDERS),
        "ordered_at": start + pd.to_timedelta(generator.integers(0, 800 * 86_400, ORDERS), "s"),
        "amount": generator.gamma(2, 30, ORDERS).round(2),
    }).to_csv(data / "orders.csv", index=False)  # fmt: skip
    lines = "\n".join(f'x{i} = "x{i}"' for i in range(columns))
    path = home / "data" / "wide.toml"
    path.write_text(f"{_COMPANY}{lines}\n{_EVENTS}", encoding="utf-8")
    return path
