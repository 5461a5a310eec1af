"""Progress of long work: spinners and result lines on the terminal, one JSON log line a step."""

import json
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from features.atomic_write import append_line
from features.disk_failures import machine_failed
from features.errors import GoodwillError
from features.terminal_table import Indented

Item = TypeVar("Item")


class StepResult:
    """The running step: takes its figures and shows its progress."""

    def __init__(self, name: str, status: Status) -> None:
        self.name = name
        self.figures: dict[str, Any] = {}
        self._status = status
        self._start = time.perf_counter()

    def __call__(self, **figures: Any) -> None:
        self.figures.update(figures)

    @property
    def seconds(self) -> float:
        """Seconds since the step started."""
        return time.perf_counter() - self._start

    def progress(self, done: int, total: int) -> None:
        """Show the share that is done and the time left at the same speed."""
        share = done / max(total, 1)
        left = self.seconds * (1 - share) / share if share else 0.0
        self._status.update(f"{self.name} ... {share:.0%}, about {left:.0f} s left")


class Steps:
    """The steps of a run, shown on the terminal and written to a JSON-lines log.

    A log line holds `at` (UTC), `step`, `seconds`, `outcome` (ok or the error's class) and the
    figures given to the step. It must not hold values of single customers.
    """

    def __init__(self, log: Path | None = None, console: Console | None = None) -> None:
        self.log = log
        self.console = console or Console(stderr=True, highlight=False)
        self.missing: dict[str, str] = {}
        self._now: StepResult | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[StepResult]:
        """Run a step: a spinner while it runs, a line with its figures when it is done."""
        outcome = "ok"
        with self.console.status(f"{name} ...") as status:
            done = self._now = StepResult(name, status)
            try:
                yield done
            except BaseException as err:
                outcome = type(err).__name__
                raise
            finally:
                status.stop()
                self._report(done, outcome)

    def track(self, items: Iterable[Item], total: int) -> Iterator[Item]:
        """Iterate over the items of the running step, showing the share done and the time left."""
        for place, item in enumerate(items, start=1):
            yield item
            if self._now:
                self._now.progress(place, total)

    @contextmanager
    def optional(self, part: str) -> Iterator[None]:
        """Run a part that the results are useful without, such as a plot: see `go_on_without`."""
        try:
            yield
        except Exception as error:
            self.go_on_without(part, error)

    def go_on_without(self, part: str, error: Exception) -> str:
        """Note and log why a part is missing, and return it; `missing` lists these parts.

        Raises the error when the machine failed: then the next part would fail, too.
        """
        if machine_failed(error):
            raise error
        why = str(error) if isinstance(error, GoodwillError) else f"{type(error).__name__}: {error}"
        self.missing[part] = why
        self.note(f"[red]✗[/] no {escape(part)}: {escape(why)}")
        where = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
        self._write({"missing": part, "outcome": type(error).__name__, "stack": where[-8:]})
        return why

    def note(self, text: str) -> None:
        """Print a line that is not a step; what does not fit goes on below it, indented like it."""
        shown = Text.from_markup(text)
        indent = len(shown.plain) - len(shown.plain.lstrip(" "))
        self.console.print(Indented(shown[indent:], indent), crop=False)

    def _report(self, done: StepResult, outcome: str) -> None:
        shown = "  ".join(f"{k} {_short(v)}" for k, v in done.figures.items())
        mark = "[green]✓[/]" if outcome == "ok" else "[red]✗[/]"
        line = f"{mark} {done.name:<30}[dim]{done.seconds:7.1f} s[/]  {shown}"
        self.console.print(line, soft_wrap=True)
        seconds = round(done.seconds, 3)
        self._write({"step": done.name, "seconds": seconds, "outcome": outcome, **done.figures})

    def _write(self, entry: dict[str, Any]) -> None:
        """Append a line to the log, with its time."""
        if not self.log:
            return
        self.log.parent.mkdir(parents=True, exist_ok=True)
        at = {"at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        append_line(self.log, json.dumps(at | entry, default=str))


def _short(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def silent_steps() -> Steps:
    """Steps that print nothing, for tests and notebooks."""
    # In Jupyter, a quiet console would still leave an empty widget for each step.
    return Steps(console=Console(quiet=True, force_jupyter=False))
