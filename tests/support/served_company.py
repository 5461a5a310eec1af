"""The trained company behind a real service with two workers, with access to its files and metrics."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow.parquet as pq

from features.config.company import Company
from features.settings import Workspace
from models.bundles.bundle import write_bundle
from models.bundles.champions import POINTER, load_champion
from models.learners.calibration import Calibrator
from serve.process.server import LaunchOptions, ServiceProcess, running_service
from support.trained_company import copy_of_trained

WORKERS = 2
#: Calibrators of second versions with other predictions: smaller log odds, 25% more value.
OTHER_CALIBRATORS = {
    "churn": Calibrator("binary", "platt", {"slope": [0.5], "shift": [0.1]}),
    "value": Calibrator("regression", "scale", {"factor": [1.25]}),
}


@dataclass(frozen=True)
class Served:
    """A running service with its company and files."""

    server: ServiceProcess
    company: Company
    workspace: Workspace
    ids: list[str]

    @property
    def models(self) -> Path:
        return self.workspace.serving("sample")

    @property
    def snapshot(self) -> Path:
        return self.workspace.features("sample") / "snapshot.parquet"

    def pointer(self, target: str) -> Path:
        return self.models / target / POINTER

    def get(self, path: str) -> httpx.Response:
        """Get on a new connection, so that any worker may answer."""
        return httpx.get(self.server.url + path, trust_env=False, timeout=30)

    def post(self, path: str, content: Any) -> httpx.Response:
        return httpx.post(self.server.url + path, json=content, trust_env=False, timeout=60)

    def score(self, *ids: str, **options: Any) -> dict[str, Any]:
        """Score customers; the call must succeed."""
        answer = self.post("/v1/scores", {"customer_ids": ids or self.ids[:5], **options})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def workers(self) -> set[int]:
        """The worker processes."""
        children = psutil.Process(self.server.process.pid).children()
        return {child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE}

    def reloads(self, part: str, result: str) -> float:
        """The number of reloads of a part with this result, over all workers."""
        return self.metric(f'goodwill_reloads_total{{part="{part}",result="{result}"}}')

    def metric(self, name: str) -> float:
        found = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics").text, re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    def versions(self) -> list[dict[str, str]]:
        """The versions in use, from enough answers to include each worker almost certainly."""
        return [self.score(self.ids[0])["model_versions"] for _ in range(6 * WORKERS)]

    def log(self) -> str:
        assert self.server.output is not None
        return self.server.output.read_text("utf-8", "replace")


@contextmanager
def served(
    home: Path,
    before: Callable[[Workspace], None] = lambda workspace: None,
    wait_for: str = "/readyz",
) -> Iterator[Served]:
    """Serve a copy of the trained company; `before` changes its files before the service starts."""
    company, workspace = copy_of_trained(home)
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet")
    before(workspace)
    launch = LaunchOptions(
        workspace.data / "sample.toml",
        workspace,
        workers=WORKERS,
        output=home / "service.log",
        environment={"GOODWILL_THREADS": "1"},
    )
    with running_service(launch, wait_for=wait_for, seconds=90) as server:
        made = Served(server, company, workspace, table["customer_id"].to_pylist())
        eventually(lambda: len(made.workers()) == WORKERS)
        if wait_for == "/readyz":  # only one worker answered
            eventually(lambda: made.reloads("service", "loaded") == WORKERS, 60)
        yield made


def eventually(happens: Callable[[], bool], seconds: float = 15.0) -> float:
    """Wait until something happens; return the seconds. Fails after the time limit."""
    began = time.monotonic()
    while not happens():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s"
        time.sleep(0.05)
    return time.monotonic() - began


def second_version(workspace: Workspace, target: str) -> None:
    """Write version 2 of a target, with other predictions, without pointing to it."""
    serving_folder = workspace.serving("sample")
    first = load_champion(serving_folder, target)
    assert first is not None
    manifest = replace(first.manifest, version="2")
    second = replace(first, calibrator=OTHER_CALIBRATORS[target], manifest=manifest)
    write_bundle(second, serving_folder / target / "2")


def figure(what: str, value: object) -> None:
    """Print a measured figure; pytest shows it with -s or on failure."""
    print(f"\n  measured: {what}: {value}")  # noqa: T201 - the figures are the result


def error_code(body: bytes | str) -> str:
    """The code of an error answer."""
    error = json.loads(body)["error"]
    assert set(error) == {"code", "message", "details", "request_id"}
    return str(error["code"])
