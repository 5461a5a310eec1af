"""Set up a notebook: find the workspace, load the company and compute missing results."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
from readable_tables import use_in_tables

from features.config.company import Company, load_company
from features.contract import TABLES
from features.errors import GateFailed
from features.history_store import open_history
from features.settings import Workspace, disable_telemetry, find_workspace
from models.bundles.champions import POINTER
from models.targets.registry import TARGETS


def open_company(toml: str, upto: str) -> tuple[Workspace, Company]:
    """Return the workspace and the company; `toml` is relative to the workspace.

    Runs the commands of `goodwill` up to `upto` (data, features, train, score) whose results are
    missing. Raises ValueError for another `upto`.
    """
    disable_telemetry()
    use_in_tables()
    workspace = find_workspace()
    company = load_company(workspace.home / toml)
    for verb in ("data", "features", "train", "score"):
        if not _results_exist(workspace, company.name)[verb]:
            print(f"no results of `goodwill {verb}` for {company.name} yet; running it ...")
            _run_command(verb, company.path)
        if verb == upto:
            return workspace, company
    raise ValueError(f"upto is {upto!r}; it must be data, features, train or score")


def _results_exist(workspace: Workspace, name: str) -> dict[str, bool]:
    """Return for each command whether its results exist."""
    return {
        "data": (workspace.history(name) / "history.json").is_file(),
        "features": (workspace.features(name) / "counts.json").is_file(),
        "train": any((workspace.serving(name) / t / POINTER).is_file() for t in TARGETS),
        "score": workspace.scores(name).is_file(),
    }


def _run_command(verb: str, toml: Path) -> None:
    """Run a command in another process and print its output; a failed gate raises no error."""
    command = [sys.executable, "-m", "serve.cli", verb, "--company", str(toml)]
    sources = os.pathsep.join(str(Path(p).resolve()) for p in sys.path if p)
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": sources, "TERM": "dumb"}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    print(done.stdout)
    if done.returncode not in (0, GateFailed.exit_code):
        raise RuntimeError(
            f"goodwill {verb} failed with exit code {done.returncode}; see its output above"
        )


def open_tables(workspace: Workspace, company: Company) -> duckdb.DuckDBPyConnection:
    """Open the company's history in DuckDB, with one view per table and times in UTC."""
    con = open_history(workspace.history(company.name))
    for file in sorted(workspace.history(company.name).glob("*.parquet")):
        present = pq.read_schema(file).names
        moments = [c.name for c in TABLES[file.stem].columns if c.kind == "time"]
        casts = ", ".join(f"{m}::timestamp as {m}" for m in moments if m in present)
        cast = con.read_parquet(str(file)).project(f"* replace ({casts})")
        cast.create_view(file.stem, replace=True)
    return con
