"""A small company whose nights are run as processes, and what must hold after each of them.

Nothing here needs pytest: benchmarks/nights_with_faults.py runs the same nights.
"""

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from features.config.company import load_company
from features.errors import EXIT_CODES, GoodwillError
from features.result_sets import CURRENT, SETS
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace
from models.bundles.champions import POINTER, load_champion

PROJECT = Path(__file__).parents[2]
#: The company of the nights; not the sample, whose missing tables would be simulated anew.
NAME, CUSTOMERS = "acme", 250
#: A night takes one minute on a quiet machine.
LONGEST_SECONDS = 1800
#: Exit codes of a night that did its work.
DONE = (0, 4)


@dataclass(frozen=True)
class NightEnd:
    """How a night ended: its exit code, negative for a signal, and what it printed."""

    code: int
    printed: str

    def problem(self, *expected: int) -> str:
        """What is wrong with this end: a traceback, or another code than those; empty if nothing."""
        if "Traceback" in self.printed:
            return f"a traceback: {self.printed[-600:]}"
        if self.code not in expected:
            known = EXIT_CODES.get(self.code, "undocumented")
            return f"exit code {self.code} ({known}) instead of {expected}: {self.printed[-600:]}"
        return ""


class Nights:
    """A company of its own; only churn and value are trained."""

    def __init__(self, home: Path, customers: int = CUSTOMERS) -> None:
        self.workspace = Workspace(home)
        self.folder = self.workspace.data / NAME
        self.raw = self.folder / "raw"
        self.toml = self.workspace.data / f"{NAME}.toml"
        self.log = self.workspace.log(NAME)
        self._logged: dict[int, int] = {}  # steps in the log before a night, by its process
        if not self.toml.exists():
            self._make(customers)
        self.company = load_company(self.toml)

    def _make(self, customers: int) -> None:
        self.folder.mkdir(parents=True)
        generate_sample_company(self.raw, self.folder / "truth", customers, 7)
        text = (PROJECT / "data/sample.toml").read_text(encoding="utf-8")
        start, end = text.index("[tables.surveys]"), text.index("[tables.tickets]")
        text = text[:start] + text[end:]
        text = text.replace('name = "sample"', f'name = "{NAME}"').replace("/sample/", f"/{NAME}/")
        self.toml.write_text(text, encoding="utf-8")

    # Run nights

    def start(
        self,
        *arguments: str,
        wrapper: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> "subprocess.Popen[str]":
        """Start `goodwill` (by default `retrain`) as systemd would, in a process group of its own.

        `wrapper` is a command before it, such as faketime; `before` runs in the process.
        """
        own = {"GOODWILL_HOME": str(self.workspace.home), "GOODWILL_COMPANY": str(self.toml),
               "GOODWILL_THREADS": "1", "PYTHONPATH": str(PROJECT / "src")}  # fmt: skip
        logged = len(self.steps())
        night = subprocess.Popen(
            [*wrapper, sys.executable, "-m", "serve.cli", *(arguments or ["retrain"])],
            env={**os.environ, **own, **(environment or {})}, preexec_fn=before,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        self._logged[night.pid] = logged
        return night

    def run(
        self,
        *arguments: str,
        wrapper: Sequence[str] = (),
        environment: dict[str, str] | None = None,
        before: Callable[[], None] | None = None,
    ) -> NightEnd:
        """Run a night to its end."""
        return end_of(
            self.start(*arguments, wrapper=wrapper, environment=environment, before=before)
        )

    def kill_after(self, seconds: float) -> NightEnd:
        """Kill a night so many seconds after its start, if it still runs then."""
        night = self.start()
        try:
            _, printed = night.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            return kill(night)
        return NightEnd(night.returncode, printed)

    def kill_after_step(self, step: str) -> NightEnd:
        """Kill a night when the log says that a step is done."""
        night = self.start()
        self.wait_for_step(night, step)
        return kill(night)

    def wait_for_step(self, night: "subprocess.Popen[str]", step: str) -> None:
        """Wait until the log of a running night says that a step is done."""
        while step not in self.steps_of(night):
            _check_running(night, f"before {step!r}")

    def wait_until_staged(self, night: "subprocess.Popen[str]") -> None:
        """Wait until a night has begun its set of results: its first step is done.

        The folders of a night that was killed are no sign of it.
        """
        while not self.steps_of(night):
            _check_running(night, "at once")

    def steps_of(self, night: "subprocess.Popen[str]") -> list[str]:
        """The steps that a night has done so far."""
        return self.steps()[self._logged[night.pid] :]

    def steps(self) -> list[str]:
        """The steps in the log so far; a line that is being written is left out."""
        text = self.log.read_text(encoding="utf-8") if self.log.exists() else ""
        lines = [json.loads(x) for x in text.splitlines(keepends=True) if x.endswith("}\n")]
        return [line["step"] for line in lines if "step" in line]

    # Look at results

    @property
    def current(self) -> Path:
        """The folder of the published set."""
        return (self.folder / CURRENT).resolve()

    def published(self) -> dict[str, str]:
        """Hashes of everything that readers see, by path."""
        files = sorted(p for p in self.current.rglob("*") if p.is_file())
        return {
            str(p.relative_to(self.current)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in files
        }

    def problems(self) -> list[str]:
        """What is not of one night or half written in the published set; empty if it is whole."""
        return self.unreadable() or [*self.odd_links(), *self._odd_versions()]

    def unreadable(self) -> list[str]:
        """Files that are half written."""
        found = list[str]()
        for path in sorted(p for p in self.current.rglob("*") if p.is_file()):
            try:
                _read(path)
            except (OSError, ValueError) as err:
                found.append(f"{path.relative_to(self.current)} cannot be read: {err}")
        return found

    def odd_links(self) -> list[str]:
        """Results that are not found at their usual paths."""
        places = [(self.folder / p.name, p) for p in self.current.iterdir() if p.name != "serving"]
        if (self.current / "serving").is_dir():
            places.append((self.workspace.serving(NAME), self.current / "serving"))
        return [f"{place} does not show {p}" for place, p in places if place.resolve() != p]

    def _odd_versions(self) -> list[str]:
        """Scores, reasons and status that are not of the models, or not of one moment."""
        scores = pq.read_table(self.workspace.scores(NAME))
        reasons = pq.read_table(self.workspace.scores(NAME).with_name("reasons.parquet"))
        snapshot = pq.read_table(
            self.workspace.features(NAME) / "snapshot.parquet", columns=["cutoff"]
        )
        status = pq.read_metadata(self.folder / "evaluation/customer_status.parquet")
        found = list[str]()
        for pointer in sorted(self.workspace.serving(NAME).glob(f"*/{POINTER}")):
            target = pointer.parent.name
            try:
                champion = load_champion(pointer.parents[1], target)
            except GoodwillError as err:
                found.append(f"the champion of {target} is broken: {err}")
                continue
            serves = champion.version if champion else "none"
            mine = [v for t, v in zip(reasons["target"].to_pylist(), reasons["version"].to_pylist(),
                                      strict=True) if t == target]  # fmt: skip
            for what, versions in (("scores", scores[f"{target}_version"].to_pylist()),
                                   ("reasons", mine)):  # fmt: skip
                if set(versions) != {serves}:
                    found.append(f"{what} of {target} are of {set(versions)}, {serves} serves")
        moments = {m for t, c in ((scores, "as_of"), (reasons, "as_of"), (snapshot, "cutoff"))
                   for m in t[c].to_pylist()}  # fmt: skip
        if len(moments) != 1:
            found.append(f"scores, reasons and snapshot are of {moments}")
        if status.num_rows != scores.num_rows:
            found.append(
                f"{status.num_rows} customers with a status, {scores.num_rows} with scores"
            )
        return found

    def alias_problems(self) -> list[str]:
        """MLflow aliases that do not name the models that serve; they follow with the next night."""
        with closing(sqlite3.connect(self.workspace.mlruns / "mlflow.db")) as database:
            rows = database.execute(
                "select name, version from registered_model_aliases where alias = 'champion'"
            ).fetchall()
        aliases = {name: str(version) for name, version in rows}
        found = []
        for pointer in self.workspace.serving(NAME).glob(f"*/{POINTER}"):
            version = json.loads(pointer.read_text("utf-8"))["version"]
            alias = aliases.get(f"goodwill-{pointer.parent.name}-{NAME}")
            if alias != version:
                found.append(f"the alias of {pointer.parent.name} is {alias}, {version} serves")
        return found

    def leftovers(self) -> list[str]:
        """What killed nights left on disk; nothing after the next complete one."""
        return [p.name for p in (self.folder / SETS).glob(".*")]


def end_of(night: "subprocess.Popen[str]") -> NightEnd:
    """Wait for the end of a night; one that hangs is killed, and the error says where."""
    try:
        _, printed = night.communicate(timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        printed = kill(night).printed
        raise AssertionError(f"a night took over {LONGEST_SECONDS} s: {printed[-600:]}") from None
    return NightEnd(night.returncode, printed)


def kill(night: "subprocess.Popen[str]") -> NightEnd:
    """Kill a night and its processes."""
    os.killpg(night.pid, signal.SIGKILL)
    _, printed = night.communicate()
    return NightEnd(night.returncode, printed)


def _check_running(night: "subprocess.Popen[str]", when: str) -> None:
    if night.poll() is not None:
        raise AssertionError(f"the night ended {when}: {night.communicate()[1][-600:]}")
    time.sleep(0.02)


def _read(path: Path) -> None:
    """Read a file of a known format; raises OSError or ValueError where it is half written."""
    if path.suffix == ".parquet":
        pq.read_table(path)
    elif path.suffix == ".json":
        json.loads(path.read_text(encoding="utf-8"))
    elif path.suffix == ".html" and not path.read_text(encoding="utf-8").rstrip().endswith(
        "</html>"
    ):
        raise ValueError("the page has no end")
    if path.name.startswith(".") or path.name.endswith(".new"):
        raise ValueError("a temporary file")
