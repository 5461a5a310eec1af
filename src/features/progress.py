"""What people see while long work runs, and the one JSON line a step leaves in the log."""

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


class Done:
    """Handed to a step's block: takes its figures, and shows how far a long one is."""

    def __init__(self, name: str, status: Status) -> None:
        self.name = name
        self.figures: dict[str, Any] = {}
        self._status = status
        self._start = time.perf_counter()

    def __call__(self, **figures: Any) -> None:
        self.figures.update(figures)

    @property
    def seconds(self) -> float:
        """Seconds since the step began."""
        return time.perf_counter() - self._start

    def progress(self, done: int, total: int) -> None:
        """Show the share that is done, and the time left if the rest goes as fast."""
        share = done / max(total, 1)
        left = self.seconds * (1 - share) / share if share else 0.0
        self._status.update(f"{self.name} ... {share:.0%}, about {left:.0f} s left")


class Steps:
    """Steps of a run, told on the terminal and written to a JSON-lines log.

    A log line holds `at` (UTC), `step`, `seconds`, `outcome` (ok or the error's class) and the
    figures given to `done`. No customer's values belong there.
    """

    def __init__(self, log: Path | None = None, console: Console | None = None) -> None:
        self.log = log
        self.console = console or Console(stderr=True, highlight=False)
        self._now: Done | None = None

    @contextmanager
    def step(self, name: str) -> Iterator[Done]:
        """Run a step: a spinner while it lasts, a line with its figures when it is done."""
        outcome = "ok"
        with self.console.status(f"{name} ...") as status:
            done = self._now = Done(name, status)
            try:
                yield done
            except BaseException as err:
                outcome = type(err).__name__
                raise
            finally:
                status.stop()
                self._tell(done, outcome)

    def track(self, items: Iterable[Item], total: int) -> Iterator[Item]:
        """Go through the items of the running step, showing the share done and the time left."""
        for place, item in enumerate(items, start=1):
            yield item
            if self._now:
                self._now.progress(place, total)

    def note(self, text: str) -> None:
        """A line for people that is no step of its own."""
        self.console.print(text)

    def _tell(self, done: Done, outcome: str) -> None:
        shown = "  ".join(f"{k} {_short(v)}" for k, v in done.figures.items())
        mark = "[green]✓[/]" if outcome == "ok" else "[red]✗[/]"
        told = f"{mark} {done.name:<30}[dim]{done.seconds:7.1f} s[/]  {shown}"
        self.console.print(told, soft_wrap=True)
        if self.log:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            line = {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "step": done.name,
                "seconds": round(done.seconds, 3),
                "outcome": outcome,
                **done.figures,
            }
            with self.log.open("a", encoding="utf-8") as out:
                out.write(json.dumps(line, default=str) + "\n")


def _short(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def quiet() -> Steps:
    """Steps nobody watches: for tests and notebooks."""
    return Steps(console=Console(quiet=True))
