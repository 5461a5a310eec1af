"""What every notebook starts with: the project, the company, and whatever has not been made yet."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from features.config.company import Company, load_company
from features.contract import TABLES
from features.errors import GateFailed
from features.history_store import open_history
from features.settings import Workspace, disable_telemetry, find_workspace
from models.bundles.champions import POINTER
from models.targets.registry import TARGETS


def begin(toml: str, upto: str) -> tuple[Workspace, Company]:
    """The project around the working directory and the company of a TOML file (relative to it).

    Runs the verbs of `goodwill` up to `upto` (data, features, train, score) whose results lack.
    """
    disable_telemetry()
    workspace = find_workspace()
    company = load_company(workspace.home / toml)
    for verb in ("data", "features", "train", "score"):
        if not _made(workspace, company.name)[verb]:
            print(f"nothing of `goodwill {verb}` yet for {company.name}: running it ...")
            _run(verb, company.path)
        if verb == upto:
            return workspace, company
    raise ValueError(f"{upto!r} is no verb; it should be data, features, train or score")


def _made(workspace: Workspace, name: str) -> dict[str, bool]:
    """Which verbs have left their results."""
    return {
        "data": (workspace.history(name) / "history.json").is_file(),
        "features": (workspace.features(name) / "counts.json").is_file(),
        "train": any((workspace.serving(name) / t / POINTER).is_file() for t in TARGETS),
        "score": workspace.scores(name).is_file(),
    }


def _run(verb: str, toml: Path) -> None:
    """Run a verb in a process of its own; a gate that refused one target is told, not raised."""
    command = [sys.executable, "-m", "serve.cli", verb, "--company", str(toml)]
    sources = os.pathsep.join(str(Path(p).resolve()) for p in sys.path if p)
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": sources, "TERM": "dumb"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    print(done.stdout)
    if done.returncode not in (0, GateFailed.exit_code):
        raise RuntimeError(f"goodwill {verb} ended with exit code {done.returncode}; see above")


def open_tables(workspace: Workspace, company: Company) -> duckdb.DuckDBPyConnection:
    """SQL over the company's history: a view of each table, times in UTC."""
    con = open_history(workspace.history(company.name))
    for file in sorted(workspace.history(company.name).glob("*.parquet")):
        present = pq.read_schema(file).names
        moments = [c.name for c in TABLES[file.stem].columns if c.kind == "time"]
        casts = ", ".join(f"{m}::timestamp as {m}" for m in moments if m in present)
        cast = con.read_parquet(str(file)).project(f"* replace ({casts})")
        cast.create_view(file.stem, replace=True)
    return con
