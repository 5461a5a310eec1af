"""What people see while long work runs, and the one JSON line a step leaves in the log."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress

Done = Callable[..., None]
Item = TypeVar("Item")


class Steps:
    """Steps of a run, told on the terminal and written to a JSON-lines log.

    A log line holds `at` (UTC), `step`, `seconds`, `outcome` (ok or the error's class) and the
    figures given to `done`. No customer's values belong there.
    """

    def __init__(self, log: Path | None = None, console: Console | None = None) -> None:
        self.log = log
        self.console = console or Console(stderr=True, highlight=False)

    @contextmanager
    def step(self, name: str) -> Iterator[Done]:
        """Run a step: a spinner while it lasts, a line with its figures when it is done."""
        figures: dict[str, Any] = {}
        start = time.perf_counter()
        outcome = "ok"
        try:
            with self.console.status(f"{name} ..."):
                yield lambda **given: figures.update(given)
        except BaseException as err:
            outcome = type(err).__name__
            raise
        finally:
            seconds = time.perf_counter() - start
            self._tell(name, seconds, outcome, figures)

    def track(self, items: Iterable[Item], total: int, name: str) -> Iterator[Item]:
        """Go through items under a bar with an estimate of the time left."""
        if total < 2 or self.console.quiet:
            yield from items
            return
        with Progress(console=self.console, transient=True) as bar:
            yield from bar.track(items, total=total, description=name)

    def note(self, text: str) -> None:
        """A line for people that is no step of its own."""
        self.console.print(text)

    def _tell(self, name: str, seconds: float, outcome: str, figures: dict[str, Any]) -> None:
        shown = "  ".join(f"{k} {_short(v)}" for k, v in figures.items())
        mark = "[green]✓[/]" if outcome == "ok" else "[red]✗[/]"
        self.console.print(f"{mark} {name:<30}[dim]{seconds:7.1f} s[/]  {shown}", soft_wrap=True)
        if self.log:
            self.log.parent.mkdir(parents=True, exist_ok=True)
            line = {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "step": name,
                "seconds": round(seconds, 3),
                "outcome": outcome,
                **figures,
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
