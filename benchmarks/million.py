"""A night with a million customers: scores and reasons, its memory, and a kill in the middle.

`GOODWILL_BENCH_CUSTOMERS` sets the customers (default 1,000,000). They are the sample's customers many
times over, with ids of their own and their broken numbers moved a little.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

from benchmarks.trained_sample import trained_sample
from features.atomic_write import atomic_path
from features.settings import Settings


@dataclass(frozen=True)
class Night:
    """One run: seconds, CPU seconds and largest memory of all its processes, its exit code."""

    seconds: float
    cpu: float
    bytes: int
    code: int

    def row(self, name: str) -> str:
        cpu = f"{self.cpu:,.0f} s" if self.code == 0 else ""
        return f"| {name} | {self.seconds:,.0f} s | {cpu} | {self.bytes / 2**30:.2f} GB |"


def measure() -> str:
    """A whole night, then one that is killed half-way and goes on; the table."""
    count = int(os.environ.get("GOODWILL_BENCH_CUSTOMERS", "1000000"))
    with tempfile.TemporaryDirectory() as folder:
        company, workspace = trained_sample(Path(folder))
        repeat(workspace.features("sample") / "snapshot.parquet", count)
        scores = workspace.scores("sample")
        whole = _run(company.path, workspace.home)
        rows = dataset(scores).count_rows()
        explained = dataset(scores.with_name("reasons.parquet")).count_rows()
        killed = _run(company.path, workspace.home, kill_after=whole.seconds / 2)
        parts = len([*(scores.parent / "unfinished" / "scores").glob("part-*.parquet")])
        on = _run(company.path, workspace.home)
        if rows != count or whole.code or on.code or dataset(scores).count_rows() != count:
            raise AssertionError(f"{rows} rows, exit codes {whole.code} and {on.code}")
    lines = [
        whole.row("the whole run"),
        killed.row("killed (-9) half-way"),
        on.row(f"the rest, after {parts} finished blocks"),
    ]
    return "\n".join(
        [
            "# Batch scoring with reasons",
            "",
            f"`goodwill score --reasons`, {count:,} customers, four targets, {explained:,} reasons "
            f"in two languages, {Settings().threads} processes. Memory is the summed resident memory "
            "of all processes; the goal is 600 s and 4 GB. The customers are copies of the sample's, "
            "without a history, so sentences do not compare with an earlier window. Other work runs on "
            "the machine, so seconds are upper bounds.",
            "",
            "| | time | of all cores | memory |",
            "|---|--:|--:|--:|",
            *lines,
            "",
        ]
    )


def repeat(path: Path, count: int) -> None:
    """Replace a snapshot by one of so many customers, made of copies of its own."""
    table = pq.read_table(path).combine_chunks()
    origin = json.loads(table.schema.metadata[b"goodwill"])
    metadata = {b"goodwill": json.dumps({**origin, "fingerprint": "repeated"}).encode()}
    table = table.replace_schema_metadata(metadata)
    ids, rng = table["customer_id"].to_pylist(), np.random.default_rng(1)
    with (
        atomic_path(path) as temporary,
        pq.ParquetWriter(temporary, table.schema, compression="zstd") as writer,
    ):
        for copy in range(-(-count // len(ids))):
            rows = min(len(ids), count - copy * len(ids))
            made = _moved(table, rng) if copy else table
            own = pa.array([f"{copy:05d}-{i}" for i in ids], table.schema.field("customer_id").type)
            writer.write_table(made.set_column(0, "customer_id", own).slice(0, rows))


def _moved(table: pa.Table, rng: np.random.Generator) -> pa.Table:
    """The same customers with the numbers that are no counts up to a few percent off."""
    for place, name in enumerate(table.column_names):
        if not pa.types.is_floating(table.schema.field(name).type):
            continue
        values = table[name].to_numpy()
        broken = values != np.floor(values)
        moved = np.where(broken, values * rng.normal(1, 0.02, len(values)), values)
        if name.endswith(("_share", "share")) or not broken.any():
            continue
        table = table.set_column(place, table.schema.field(name), pa.array(moved))
    return table


def _run(toml: Path, home: Path, kill_after: float | None = None) -> Night:
    """`goodwill score --reasons` in a process of its own, watched, and killed after so many seconds."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."])}
    environment["GOODWILL_HOME"] = str(home)
    command = [sys.executable, "-m", "serve.cli", "score", "--reasons", "--company", str(toml)]
    begun, most, used = time.perf_counter(), 0, _of_children()
    process = subprocess.Popen(command, env=environment, cwd=Path(__file__).parents[1])
    while process.poll() is None:
        most = max(most, _resident(process.pid))
        if kill_after and time.perf_counter() - begun > kill_after:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.5)
    seconds, cpu = time.perf_counter() - begun, _of_children() - used
    return Night(seconds, cpu, most, process.returncode)


def _of_children() -> float:
    """CPU seconds of the processes that have ended, with those they started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _resident(pid: int) -> int:
    """Bytes that a process and its children have resident."""
    total = 0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total
