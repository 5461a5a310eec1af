"""What a request costs the serving process: ours, the least that could do it, and others.

All serve the same models of the sample company in one process each, asked in turn over one
connection; what is compared is the CPU time of the server, which other work disturbs least.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pyarrow.parquet as pq

from benchmarks.serving_peers import TARGETS
from benchmarks.trained_sample import trained_sample
from features.config.company import Company
from features.settings import Workspace
from models.bundles.champions import load_champions
from serve.process.server import LaunchOptions, free_port, running_service
from serve.scoring.company_scorer import CompanyScorer

#: Customers in a call, calls in a round, and the ratio to the bare application that is the goal.
SIZES = {1: (100, 3.5), 100: (40, 1.15), 1000: (10, None)}
ROUNDS = 7
PATIENCE = 180.0


@dataclass(frozen=True)
class Contestant:
    """A running server, and how it is asked for customers."""

    name: str
    url: str
    pid: int
    body: Any

    def cpu(self) -> float:
        """CPU seconds of the server with its workers so far."""
        parent = psutil.Process(self.pid)
        times = [p.cpu_times() for p in (parent, *parent.children(recursive=True))]
        return sum(t.user + t.system for t in times)


def measure() -> str:
    """Ask every contestant in turn; the table of CPU time a call, and of rows a second."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        company, workspace = trained_sample(Path(folder))
        snapshot = pq.read_table(workspace.features("sample") / "snapshot.parquet")
        ids = snapshot["customer_id"].to_pylist()
        in_process = _rows_a_second(CompanyScorer(company, workspace), ids)
        contestants = [
            running.enter_context(_ours(company, workspace)),
            running.enter_context(_peer("bare", workspace)),
            running.enter_context(_peer("fastapi", workspace)),
        ]
        skipped = ""
        try:
            contestants.append(running.enter_context(_mlflow(workspace)))
        except (TimeoutError, OSError) as err:
            skipped = f"`mlflow models serve` is missing here: {err}."
        time.sleep(4)  # ours makes the scores of the snapshot in its first seconds
        rows = [_row(size, contestants, ids) for size in SIZES]
    return "\n".join(
        [
            "# Serving",
            "",
            "CPU milliseconds of the server per call (wall-clock milliseconds in brackets), medians of "
            f"{ROUNDS} alternating rounds, varied customers of the sample's {len(ids):,}, targets "
            f"{' and '.join(TARGETS)}; other work runs here, so compare within a row. *Bare* is an "
            "ASGI application without a framework: look-up, LightGBM, calibration, two numbers per "
            "customer. Ours returns every output (intervals, curves, flags), validates the request, "
            "logs and counts; it predicts each customer once per model and looks the result up "
            "afterwards. MLflow serves one model and has no look-up: it receives the features.",
            "",
            f"| customers | {' | '.join(c.name for c in contestants)} | ours / bare | goal |",
            f"|--:|{'--:|' * len(contestants)}--:|--:|",
            *rows,
            "",
            f"1,000 customers at a time through `scorer.score_ids`, in this process: {in_process:,.0f} "
            "customers per second of CPU time (goal 50,000).",
            skipped,
            "",
        ]
    )


def _rows_a_second(scorer: CompanyScorer, ids: list[str]) -> float:
    while any(not p.known.all() for p in scorer._loaded.predictions.values()):
        scorer.refresh()
    rng = np.random.default_rng(5)
    seconds = []
    for _ in range(30):
        asked = rng.choice(ids, min(1000, len(ids)), replace=False).tolist()
        begun = time.process_time()
        scorer.score_ids(asked, TARGETS, 0)
        seconds.append((time.process_time() - begun) / len(asked))
    return 1 / statistics.median(seconds)


def _row(size: int, contestants: list[Contestant], ids: list[str]) -> str:
    calls, goal = SIZES[size]
    rng = np.random.default_rng(size)
    found: dict[str, list[tuple[float, float]]] = {c.name: [] for c in contestants}
    for _ in range(ROUNDS + 1):
        for one in contestants:
            asked = [rng.choice(ids, size, replace=False).tolist() for _ in range(calls)]
            found[one.name].append(_ask(one, [one.body(a) for a in asked]))
    middle = {
        n: np.median(np.array(measured[1:]), axis=0) for n, measured in found.items()
    }  # first: warm-up
    cells = [f"{cpu:.2f} ({wall:.2f})" for cpu, wall in middle.values()]
    ratio = middle["ours"][0] / middle["bare"][0]
    return f"| {size:,} | {' | '.join(cells)} | {ratio:.2f} | {f'at most {goal}' if goal else ''} |"


def _ask(one: Contestant, bodies: list[tuple[str, Any]]) -> tuple[float, float]:
    """CPU and wall milliseconds a call, asked one after the other."""
    with httpx.Client(base_url=one.url, trust_env=False, timeout=60.0) as client:
        cpu, begun = one.cpu(), time.perf_counter()
        for path, body in bodies:
            client.post(path, json=body).raise_for_status()
        wall, used = time.perf_counter() - begun, one.cpu() - cpu
    return 1000 * used / len(bodies), 1000 * wall / len(bodies)


def _by_ids(ids: list[str]) -> tuple[str, Any]:
    return "/v1/scores", {"customer_ids": ids, "targets": [*TARGETS]}


@contextmanager
def _ours(company: Company, workspace: Workspace) -> Iterator[Contestant]:
    log = workspace.home / "ours.log"
    with running_service(
        LaunchOptions(company.path, workspace, workers=1, output=log), seconds=PATIENCE
    ) as server:
        yield Contestant("ours", server.url, server.process.pid, _by_ids)


@contextmanager
def _peer(name: str, workspace: Workspace) -> Iterator[Contestant]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.serving_peers", name]
    with _running([*command, str(workspace.home), str(port)], port, "/readyz") as process:
        yield Contestant(name, f"http://127.0.0.1:{port}", process.pid, _by_ids)


@contextmanager
def _mlflow(workspace: Workspace) -> Iterator[Contestant]:
    """MLflow's own server with the churn model; the client sends the rows of the encoder."""
    import mlflow.lightgbm

    bundle = load_champions(workspace.serving("sample"))[0]["churn"]
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet")
    rows = bundle.estimator.encoder.encode(table)
    place = {c: i for i, c in enumerate(table["customer_id"].to_pylist())}
    names = bundle.estimator.booster.feature_name()
    folder, port = workspace.home / "mlflow_model", free_port()
    mlflow.lightgbm.save_model(bundle.estimator.booster, folder)

    def sent(ids: list[str]) -> tuple[str, Any]:
        measured = [
            [0.0 if v != v else v for v in rows[place[i]].tolist()] for i in ids
        ]  # no nulls
        return "/invocations", {"dataframe_split": {"columns": names, "data": measured}}

    command = [
        sys.executable,
        "-m",
        "mlflow",
        "models",
        "serve",
        "-m",
        str(folder),
        "--workers",
        "1",
    ]
    command += ["--env-manager", "local", "--port", str(port), "--host", "127.0.0.1"]
    with _running(command, port, "/ping") as process:
        yield Contestant("mlflow", f"http://127.0.0.1:{port}", process.pid, sent)


@contextmanager
def _running(command: list[str], port: int, path: str) -> Iterator[subprocess.Popen[bytes]]:
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(["src", "."]), "PATH": commands}
    root = Path(__file__).parents[1]
    process = subprocess.Popen(
        command, env=environment, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(f"http://127.0.0.1:{port}{path}", process)
        yield process
    finally:
        if process.poll() is None:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.terminate()
            process.terminate()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    ended = "its process ended" if process.poll() is not None else f"no answer in {PATIENCE:.0f} s"
    raise TimeoutError(f"{process.args[3:5]} does not serve {url}: {ended}")
