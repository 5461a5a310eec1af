"""Importing files far larger than memory should be: seconds, peak memory and spill by format.

`GOODWILL_BENCH_GB` is the size of the CSV in gigabytes (default 0.2). Each import runs in a process
of its own, so that its peak memory is its own.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from features.config.company import load_company
from features.import_history.run_import import import_history
from features.progress import Steps
from features.settings import Workspace

FORMATS = {
    "csv": "(header)",
    "csv.gz": "(header, compression gzip)",
    "parquet": "(format parquet)",
}
BYTES_PER_ROW = 65
TOML = """
[company]
name = "large"
root = "{here}"
[tables.events]
files = "events.FORMAT"
[tables.events.columns]
customer_id = "customer"
occurred_at = "happened"
kind = "kind"
amount = "price * quantity"
channel = "channel"
category = "category"
"""


def measure() -> str:
    """Import the same events from each format; seconds, memory and disk, and what 20 GB would take."""
    size = float(os.environ.get("GOODWILL_BENCH_GB", "0.2"))
    lines = [
        "# Large files", "",
        "| format | on disk MB | rows | seconds | s per GB of CSV | 20 GB of CSV, minutes "
        "| peak memory MB | peak spill MB |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="goodwill-large-") as folder:
        text_gb = _write(Path(folder), size, "csv") / 1e9
        for name in FORMATS:
            on_disk = _write(Path(folder), size, name)
            ran = _import(Path(folder), name)
            (Path(folder) / f"events.{name}").unlink()
            pace = ran["seconds"] / text_gb
            figures = (
                f"{on_disk / 1e6:,.0f}", f"{ran['rows']:,}", f"{ran['seconds']:.1f}", f"{pace:.1f}",
                f"{pace * 20 / 60:.0f}", f"{ran['peak_mb']:,.0f}", f"{ran['spill_mb']:,.0f}",
            )  # fmt: skip
            lines.append(f"| {' | '.join((name, *figures))} |")
    lines += ["", f"{text_gb:.2f} GB of CSV, {os.cpu_count()} cores, {platform.machine()}; DuckDB's "
              "memory limit is 4 GB, the import uses more memory outside of it. Minutes for 20 GB "
              "are extrapolated from the measured size.", ""]  # fmt: skip
    return "\n".join(lines)


def _write(folder: Path, size: float, name: str) -> int:
    """Write the events in a format; the bytes on disk."""
    path = folder / f"events.{name}"
    rows = int(size * 1e9 / BYTES_PER_ROW)
    with duckdb.connect() as con:
        con.execute(
            f"copy (select 'C' || lpad((hash(i) % 200000)::varchar, 7, '0') as customer, "
            f"timestamp '2023-01-01' + to_seconds(i * 86400 * 700 // {rows}) as happened, "
            "case when i % 20 = 0 then 'return' else 'order' end as kind, "
            "round((hash(i + 1) % 100000) / 100.0, 2) as price, 1 + i % 5 as quantity, "
            "['web', 'shop', 'phone'][1 + i % 3] as channel, 'category ' || (i % 40) as category "
            f"from range({rows}) t(i)) to '{path}' {FORMATS[name]}"
        )
    return path.stat().st_size


def _import(folder: Path, name: str) -> dict[str, float]:
    """Import in a child process, watching its spill folder."""
    home = folder / "home"
    home.mkdir(exist_ok=True)
    (folder / "large.toml").write_text(TOML.replace("FORMAT", name), encoding="utf-8")
    spill, peak = home / "data" / "large" / "spill", 0
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.large_files", str(folder)], stdout=subprocess.PIPE
    )
    while child.poll() is None:
        peak = max(peak, _bytes_in(spill))
        time.sleep(0.5)
    answer, _ = child.communicate()
    if child.returncode:
        raise RuntimeError(f"the import of events.{name} failed, see above")
    return {**json.loads(answer), "spill_mb": peak / 1e6}


def _bytes_in(folder: Path) -> int:
    """The bytes of the files of a folder that is written and removed while we look."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _child(folder: Path) -> None:
    start = time.perf_counter()
    company = load_company(folder / "large.toml")
    manifest = import_history(company, Workspace(folder / "home"), Steps())
    ran = {
        "rows": sum(manifest.rows.values()),
        "seconds": time.perf_counter() - start,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(ran))


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
