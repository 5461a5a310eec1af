"""Progress of long work: spinners and result lines on the terminal, one JSON log line a step."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.status import Status

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

    def note(self, text: str) -> None:
        """Print a line that is not a step."""
        self.console.print(text)

    def _report(self, done: StepResult, outcome: str) -> None:
        shown = "  ".join(f"{k} {_short(v)}" for k, v in done.figures.items())
        mark = "[green]✓[/]" if outcome == "ok" else "[red]✗[/]"
        line = f"{mark} {done.name:<30}[dim]{done.seconds:7.1f} s[/]  {shown}"
        self.console.print(line, soft_wrap=True)
        if self.log:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            entry = {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "step": done.name,
                "seconds": round(done.seconds, 3),
                "outcome": outcome,
                **done.figures,
            }
            with self.log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(entry, default=str) + "\n")


def _short(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def silent_steps() -> Steps:
    """Steps that print nothing, for tests and notebooks."""
    return Steps(console=Console(quiet=True))
