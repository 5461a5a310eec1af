"""Nights that are killed, doubled or fed with broken sources: afterwards nothing is half."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.errors import AlreadyRunning, DataRefused
from features.result_sets import CURRENT, SETS
from models.bundles.champions import load_champion
from support.trained_company import PROJECT, simulated

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

CUSTOMERS = 250
#: The steps after which a night is killed: at the import, at the training, at the scores, at the report.
KILLED_AFTER = (
    "check data quality",
    "train churn",
    "score and explain every customer",
    "indicators",
)


class Nights:
    """A small company whose nights are run as processes; only churn and value are trained."""

    def __init__(self, home: Path) -> None:
        self.company, self.workspace = simulated(home, CUSTOMERS)
        toml = self.company.path
        text = toml.read_text(encoding="utf-8")
        start, end = text.index("[tables.surveys]"), text.index("[tables.tickets]")
        toml.write_text(text[:start] + text[end:], encoding="utf-8")
        self.raw = self.workspace.data / "sample" / "raw"
        self.log = self.workspace.log("sample")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start a night as systemd would, in a process group of its own."""
        environment = {**os.environ, "GOODWILL_HOME": str(self.workspace.home),
                       "GOODWILL_THREADS": "1", "PYTHONPATH": str(PROJECT / "src")}  # fmt: skip
        return subprocess.Popen(
            [sys.executable, "-m", "serve.cli", "retrain", *arguments], env=environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, *arguments: str) -> tuple[int, str]:
        """Run a night to its end; its exit code and what it printed."""
        night = self.start(*arguments)
        _, printed = night.communicate(timeout=600)
        return night.returncode, printed

    def kill_after(self, step: str) -> None:
        """Start a night and kill it when the log says that a step is done."""
        read = len(self.lines())
        night = self.start()
        while step not in [line.get("step") for line in self.lines()[read:]]:
            assert night.poll() is None, f"the night ended before {step!r}: {night.stderr.read()}"  # type: ignore[union-attr]
            time.sleep(0.02)
        os.killpg(night.pid, signal.SIGKILL)
        night.communicate()

    def lines(self) -> list[dict[str, object]]:
        """The log so far; a line that is being written is left out."""
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def published(self) -> dict[str, str]:
        """Hashes of everything that readers see, by path."""
        current = (self.workspace.data / "sample" / CURRENT).resolve()
        files = sorted(p for p in current.rglob("*") if p.is_file())
        return {
            str(p.relative_to(current)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files
        }

    def is_whole(self) -> bool:
        """Whether scores, reasons, status and models are of one night."""
        scores = self.workspace.scores("sample")
        table = pq.read_table(scores)
        reasons = pq.read_table(scores.with_name("reasons.parquet"))
        status = pq.read_table(self.workspace.company("sample") / "evaluation/standing.parquet")
        champion = load_champion(self.workspace.serving("sample"), "churn")
        assert champion is not None
        versions = set(table["churn_version"].to_pylist())
        return (
            versions == {champion.version}
            and set(reasons["as_of"].to_pylist()) == set(table["as_of"].to_pylist())
            and status.num_rows == table.num_rows
        )


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    made = Nights(tmp_path_factory.mktemp("nights") / "home")
    code, printed = made.run()
    assert code in (0, 4), printed
    assert made.is_whole()
    return made


@pytest.mark.parametrize("step", KILLED_AFTER)
def test_a_night_that_is_killed_changes_nothing(nights: Nights, step: str) -> None:
    before = nights.published()
    nights.kill_after(step)
    assert nights.published() == before
    assert nights.is_whole()


def test_a_second_night_at_once_is_refused(nights: Nights) -> None:
    before = nights.published()
    read = len(nights.lines())
    first = nights.start()
    while len(nights.lines()) == read:  # its first step is done, so it holds the lock
        assert first.poll() is None
        time.sleep(0.02)
    code, printed = nights.run()
    assert code == AlreadyRunning.exit_code, printed
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert nights.published() == before


@pytest.mark.parametrize("fault", ["truncated", "empty", "a tenth", "gone"])
def test_a_broken_source_is_refused_and_changes_nothing(nights: Nights, fault: str) -> None:
    source = nights.raw / "orders.parquet"
    good, before = source.read_bytes(), nights.published()
    table = pq.read_table(source)
    try:
        if fault == "truncated":
            source.write_bytes(good[: len(good) // 2])
        elif fault == "gone":
            source.unlink()
        else:
            kept = table.slice(0, 0 if fault == "empty" else table.num_rows // 10)
            pq.write_table(kept, source)
        code, printed = nights.run()
    finally:
        source.write_bytes(good)
    assert code == DataRefused.exit_code, printed
    assert "Traceback" not in printed
    assert "kind 'order'" in printed or "orders.parquet" in printed
    assert nights.published() == before


def test_after_all_faults_a_night_completes(nights: Nights) -> None:
    """Nothing that the killed nights left stands in its way or stays on disk."""
    code, printed = nights.run()
    assert code in (0, 4), printed
    assert nights.is_whole()
    assert not list((nights.workspace.data / "sample" / SETS).glob(".*"))
