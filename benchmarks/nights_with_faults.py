"""Nights with faults, as real processes: killed, doubled, without sources, disk, database or clock.

After each night, the published set is as it was or a whole new one, nothing is half written, the end
has a documented exit code, and there is no traceback. `GOODWILL_BENCH_KILLS` sets the kills at random
moments (default 20), `GOODWILL_BENCH_FAULTS` chooses groups of faults by name (default all).
"""

import os
import platform
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

PROJECT = Path(__file__).parents[1]
SEED = 14
REFUSED, BUSY, ENVIRONMENT, KILLED = 3, 5, 9, -9
#: Free bytes of the small disk, and from how many on a night may get through.
FREE, ENOUGH = (20_000, 300_000, 1_000_000, 3_000_000), 1_000_000
FIRST_DAY = date(2026, 6, 15)

if TYPE_CHECKING:
    from support.nights import NightEnd, Nights


@dataclass
class Row:
    """One fault: its nights, how they ended, and what was wrong afterwards."""

    fault: str
    codes: Counter[int] = field(default_factory=Counter)
    unchanged: int = 0
    whole: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ends = ", ".join(f"{c} ({n} x)" if n > 1 else str(c) for c, n in sorted(self.codes.items()))
        cells = (self.fault, self.codes.total(), ends.replace("-9", "killed"), self.unchanged,
                 self.whole, len(self.wrong))  # fmt: skip
        return f"| {' | '.join(map(str, cells))} |"


class Matrix:
    """The faults of one company, and the rows of the table they make."""

    def __init__(self, nights: "Nights") -> None:
        self.nights = nights
        self.rows: list[Row] = []

    def add(
        self, fault: str, night: "Callable[[], NightEnd]", *expected: int,
        nights: "Nights | None" = None,
    ) -> "NightEnd":  # fmt: skip
        """Run one night, check what it left, and add it to the row of its fault."""
        from support.nights import DONE

        company = nights or self.nights
        row = next((r for r in self.rows if r.fault == fault), None)
        if row is None:
            self.rows.append(row := Row(fault))
        before, start = company.published(), time.monotonic()
        end = night()
        changed = company.published() != before
        wrong = [end.problem(*expected)] if end.problem(*expected) else []
        wrong += company.problems()
        if changed and end.code not in (*DONE, KILLED):
            wrong.append(f"published though it ended with {end.code}")
        row.codes[end.code] += 1
        row.unchanged += not changed
        row.whole += changed and not wrong
        row.wrong += wrong
        said = next((x for x in reversed(end.printed.splitlines()) if "goodwill:" in x), "")
        seconds = time.monotonic() - start
        sys.stderr.write(f"  {fault}: {end.code}, {seconds:.0f} s {said} {'; '.join(wrong)}\n")
        return end

    def complete(self, after: str) -> None:
        """Run an ordinary night, which has to complete and clean up."""
        from support.nights import DONE

        self.add(f"an ordinary night after {after}", self.nights.run, *DONE)
        self.rows[-1].wrong += [*self.nights.alias_problems(), *self.nights.leftovers()]


def kills(matrix: Matrix) -> None:
    """SIGKILL at random moments of a night, and after each of its steps."""
    from support.nights import DONE

    nights, rng = matrix.nights, random.Random(SEED)  # noqa: S311 - moments, not secrets
    logged, start = len(nights.steps()), time.monotonic()
    matrix.complete("the first")
    seconds, steps = time.monotonic() - start, dict.fromkeys(nights.steps()[logged:])
    for _ in range(int(os.environ.get("GOODWILL_BENCH_KILLS", "20"))):
        moment = rng.uniform(0, seconds)
        matrix.add(
            "killed at a random moment", lambda m=moment: nights.kill_after(m), KILLED, *DONE
        )
    for step in steps:
        matrix.add(
            "killed after a step of the log", lambda s=step: nights.kill_after_step(s), KILLED
        )
    matrix.complete("kills")


def sources(matrix: Matrix) -> None:
    """Two nights at once; sources that are away, broken, or written while they are read."""
    import pyarrow.parquet as pq

    from support.night_faults import moved_away, replaced
    from support.nights import DONE, kill

    nights = matrix.nights
    first = nights.start()
    nights.wait_until_staged(first)
    matrix.add("two at once: the second", nights.run, BUSY)
    kill(first)
    orders = nights.raw / "orders.parquet"
    good, table = orders.read_bytes(), pq.read_table(orders)
    with moved_away(nights.raw):
        matrix.add("the folder of the sources is away", nights.run, ENVIRONMENT)
    with replaced(orders, None):
        matrix.add("a source is gone", nights.run, REFUSED)
    with replaced(orders, good[:-1000]):
        matrix.add("half-written Parquet, no footer", nights.run, REFUSED)
    with replaced(orders, b""):
        matrix.add("Parquet file of 0 bytes", nights.run, REFUSED)
    for name, rows in (("an empty source", 0), ("a tenth of a source", table.num_rows // 10)):
        with replaced(orders, good):
            pq.write_table(table.slice(0, rows), orders)
            matrix.add(name, nights.run, REFUSED)
    with replaced(orders, good):
        matrix.add(
            "a source is written while it is read",
            lambda: _with_writer(nights, orders, good), REFUSED, *DONE,
        )  # fmt: skip
    matrix.complete("faults of sources")


def _with_writer(nights: "Nights", path: Path, good: bytes) -> "NightEnd":
    """A night during which another process writes a source again and again, in place."""
    from support.nights import end_of

    night = nights.start()
    while night.poll() is None and "check events" not in nights.steps_of(night):
        with path.open("wb") as file:
            for begin in range(0, len(good), 20_000):
                file.write(good[begin : begin + 20_000])
                file.flush()
                time.sleep(0.005)
    return end_of(night)


def database(matrix: Matrix) -> None:
    """A tracking database that is locked, truncated, older, of something else, or gone."""
    from support.night_faults import foreign_database, locked_database, older_schema, replaced
    from support.nights import DONE, end_of

    nights = matrix.nights
    path = nights.workspace.mlruns / "mlflow.db"
    good = path.read_bytes()
    with locked_database(path):
        matrix.add("MLflow database locked by another process", nights.run, ENVIRONMENT)

    def locked_later() -> "NightEnd":
        night = nights.start()
        nights.wait_for_step(night, "train churn")
        with locked_database(path):
            return end_of(night)

    matrix.add("MLflow database locked during the training", locked_later, ENVIRONMENT)
    broken = {"truncated": good[: len(good) // 2], "of an older schema": older_schema(path),
              "of another program": foreign_database(nights.workspace.home)}  # fmt: skip
    for name, content in broken.items():
        with replaced(path, content):
            matrix.add(f"MLflow database {name}", nights.run, ENVIRONMENT)
    path.unlink()
    matrix.add("MLflow database gone", nights.run, *DONE)
    matrix.complete("faults of the database")


def disk(matrix: Matrix) -> None:
    """A full disk: the company on a small tmpfs; where none can be mounted, files of limited size."""
    from support.night_faults import full_disk
    from support.nights import DONE

    for free in FREE:
        with (
            tempfile.TemporaryDirectory() as folder,
            full_disk(matrix.nights, Path(folder) / "disk", free) as (copy, limits),
        ):
            what = "of 150 KB is the largest" if limits else f"with {free / 1e6:g} MB left"
            name = f"{'a file' if limits else 'a tmpfs'} {what}"
            ends = (ENVIRONMENT,) if free < ENOUGH else (ENVIRONMENT, *DONE)
            matrix.add(name, lambda c=copy, b=limits: c.run(before=b), *ends, nights=copy)
            matrix.rows[-1].wrong += copy.leftovers()


def clocks(matrix: Matrix) -> None:
    """The clock a day and a year back and a year forward, before the end of the data; time zones."""
    from support.night_faults import FAKETIME, clock, replaced
    from support.nights import DONE

    nights = matrix.nights
    text = nights.toml.read_text(encoding="utf-8")
    for moved in ("-1d", "-365d", "+365d"):
        matrix.add(
            f"clock {moved}",
            lambda m=moved: nights.run(wrapper=clock(m), environment=FAKETIME),
            *DONE,
        )
    matrix.complete("changed clocks")
    open_end = "\n".join(x for x in text.splitlines() if not x.startswith("data_end"))
    with replaced(nights.toml, open_end.encode()):
        matrix.add(
            "clock before the newest rows, no declared data_end",
            lambda: nights.run(wrapper=clock("@2026-06-20 12:00:00"), environment=FAKETIME), REFUSED,
        )  # fmt: skip
    matrix.add(
        "TZ of the process", lambda: nights.run(environment={"TZ": "Pacific/Kiritimati"}), *DONE
    )
    other = text.replace('time_zone = "UTC"', 'time_zone = "Asia/Shanghai"')
    with replaced(nights.toml, other.encode()):
        matrix.add("company.time_zone changed", nights.run, REFUSED, *DONE)
    matrix.complete("a changed time zone")


def days(matrix: Matrix) -> None:
    """Sources of one file a day: yesterday's, or one in the middle, is missing."""
    from support.daily_nights import DailyNights
    from support.night_faults import moved_away
    from support.nights import DONE

    with tempfile.TemporaryDirectory() as folder:
        daily = DailyNights(Path(folder) / "home", FIRST_DAY)
        for day in range(3):
            daily.deliver(FIRST_DAY + timedelta(days=day))
        daily.night()
        yesterday = FIRST_DAY + timedelta(days=3)
        daily.deliver(yesterday, without=("orders",))
        matrix.add("yesterday's file of orders is missing", daily.night, REFUSED, nights=daily)
        daily.deliver(yesterday)
        with moved_away(daily.file("orders", FIRST_DAY + timedelta(days=1))):
            matrix.add(
                "a file of orders in the middle is missing", daily.night, REFUSED, nights=daily
            )
        matrix.add("an ordinary import after missing files", daily.night, *DONE, nights=daily)


GROUPS: dict[str, Callable[[Matrix], None]] = {
    "sources": sources, "database": database, "disk": disk, "clocks": clocks, "days": days,
    "kills": kills,
}  # fmt: skip


def measure() -> str:
    """Run the nights of every group; the table of what they left."""
    sys.path.insert(0, str(PROJECT / "tests"))  # the company of the nights is shared with the tests
    from support.nights import DONE, Nights

    chosen = os.environ.get("GOODWILL_BENCH_FAULTS", ",".join(GROUPS)).split(",")
    with tempfile.TemporaryDirectory() as folder:
        nights = Nights(Path(folder) / "home")
        if problem := nights.run().problem(*DONE):
            raise AssertionError(problem)
        matrix = Matrix(nights)
        for name in chosen:
            GROUPS[name](matrix)
    return _page(matrix.rows)


def _page(rows: list[Row]) -> str:
    wrong = [f"- {row.fault}: {text}" for row in rows for text in row.wrong]
    return "\n".join(
        [
            "# Nights with faults",
            "",
            f"Measured on {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, "
            f"{os.cpu_count()} cores. Each night is a process (`goodwill retrain`; `goodwill data` for "
            "the daily files) of a small simulated company. `unchanged`: every published file is byte "
            "for byte as before; `complete`: another set was published, whole: files readable, scores, "
            "reasons and status of the models that serve, and of one moment. `wrong` counts a "
            "traceback, another exit code than the documented one, anything half written.",
            "",
            "| fault | nights | exit codes | unchanged | complete | wrong |",
            "|---|--:|---|--:|--:|--:|",
            *map(str, rows),
            "",
            *(["Wrong:", "", *wrong, ""] if wrong else []),
        ]
    )
