"""Nights of a company replayed day by day: false refusals on ordinary nights, planted losses found.

Every night holds the rows that were known at the end of a day, and is compared with the night before.
No night of a company's own history is a loss, so each refusal is a false one. Then losses are planted
in every night of the last months: a tenth of the rows of a table, a kind or a table missing, a
truncated file. `GOODWILL_BENCH_CUSTOMERS` sets the size of the sample company (default 1,500).
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.config.company import Company, load_company
from features.config.import_limits import ImportLimits
from features.contract import TABLES
from features.data_quality.checked_table import SERIES
from features.errors import GoodwillError
from features.history_store import open_history
from features.import_history.daily_rows import Counts, DailyRows, day_text
from features.import_history.loss_check import compare_rows
from features.import_history.loss_rules import Loss
from features.import_history.run_import import import_history
from features.progress import silent_steps
from features.sample_company.generate import generate_sample_company
from features.settings import Workspace

PROJECT = Path(__file__).parents[1]
REAL = ("online_retail", "complete_journey", "olist")
#: Nights at the end of a replay in which losses are planted, and every how many of them.
LAST_NIGHTS, EVERY = 240, 5
#: The share of rows that a damaged source keeps.
TENTH = 0.1

Tables = dict[str, DailyRows]


@dataclass(frozen=True)
class Night:
    """The import at the end of a day, and the history of the night before."""

    day: int
    former: Tables
    now: Tables

    def losses(self, now: Tables | None = None, limits: ImportLimits | None = None) -> list[Loss]:
        """What the check finds in this night, or in a damaged one."""
        limits = limits or ImportLimits()
        return compare_rows(self.former, now or self.now, self.day - 1, self.day, limits)


def replay_nights(folder: Path, company: Company) -> Iterator[Night]:
    """The nights of a stored history, one for each day after the first."""
    groups = _rows_by_known_day(folder, company)
    days = sorted({day for by_known in groups.values() for day in by_known})
    by_day: dict[str, dict[str | None, Counts]] = {name: {None: {}} for name in groups}
    known: dict[str, dict[str | None, Counts]] = {name: {None: {}} for name in groups}
    total = dict.fromkeys(groups, 0)
    former: Tables = {}
    for day in range(days[0], days[-1] + 1):
        for name, by_known in groups.items():
            for kind, clock, n in by_known.get(day, []):
                total[name] += n
                for key in (kind, None):
                    _add(by_day[name], key, clock, n)
                    _add(known[name], key, day, n)
        now = {n: DailyRows(n, total[n], _copy(by_day[n]), _copy(known[n])) for n in groups}
        if former:
            yield Night(day, former, now)
        former = now


def _rows_by_known_day(
    folder: Path, company: Company
) -> dict[str, dict[int, list[tuple[str, int, int]]]]:
    """Rows of each table by the day they were known, kind and day of their time."""
    con = open_history(folder)
    zone = company.info.time_zone
    groups = {}
    for file in sorted(folder.glob("*.parquet")):
        if (name := file.stem) == "customers":
            continue
        clock, column = TABLES[name].clock, SERIES[name]
        seen = f"greatest({clock}, {TABLES[name].known})"
        days = [f"datediff('day', date '1970-01-01', timezone('{zone}', {t})::date)"
                for t in (seen, clock)]  # fmt: skip
        found = con.execute(
            f"select {days[0]}, coalesce({column}, ''), {days[1]}, count(*) from {name} group by 1, 2, 3"
        ).fetchall()
        by_known: dict[int, list[tuple[str, int, int]]] = {}
        for day, kind, when, n in found:
            by_known.setdefault(day, []).append((kind, when, n))
        groups[name] = by_known
    return groups


def _add(counts: dict[str | None, Counts], kind: str | None, day: int, n: int) -> None:
    days = counts.setdefault(kind, {})
    days[day] = days.get(day, 0) + n


def _copy(counts: Mapping[str | None, Counts]) -> dict[str | None, Counts]:
    return {kind: dict(days) for kind, days in counts.items()}


def with_rows(table: DailyRows, kind: str | None, keep: Callable[[int, int], int]) -> DailyRows:
    """A table of which `keep(day, rows)` rows are left, of one kind or of all (None)."""

    def damaged(counts: Mapping[str | None, Counts]) -> dict[str | None, Counts]:
        left = {
            k: {d: keep(d, n) for d, n in days.items()} if kind in (None, k) else dict(days)
            for k, days in counts.items()
            if k is not None
        }
        left = {k: {d: n for d, n in days.items() if n} for k, days in left.items()}
        whole: Counts = Counter()  # type: ignore[assignment]
        for days in left.values():
            whole.update(days)  # a Counter adds
        return {**left, None: dict(whole)}

    by_day, known = damaged(table.by_day), damaged(table.known)
    return DailyRows(table.table, sum(by_day[None].values()), by_day, known)


def planted_losses(night: Night, tables: tuple[str, ...]) -> Iterator[tuple[str, Tables]]:
    """Damaged versions of a night: what is missing, and the tables as they would be imported."""
    for name in tables:
        table, rng = night.now[name], np.random.default_rng(night.day)

        def tenth(_: int, rows: int, rng: np.random.Generator = rng) -> int:
            return int(rng.binomial(rows, TENTH))

        def without_today(day: int, rows: int) -> int:
            return 0 if day == night.day else rows

        def tenth_today(day: int, rows: int) -> int:
            return int(TENTH * rows) if day == night.day else rows

        def truncated(day: int, rows: int) -> int:
            return rows if day < night.day - 20 else 0

        damages = {"a tenth of the rows": tenth, "yesterday missing": without_today,
                   "a tenth of yesterday": tenth_today, "a truncated file": truncated}  # fmt: skip
        for what, keep in damages.items():
            yield f"{name}: {what}", {**night.now, name: with_rows(table, None, keep)}
        for kind in table.kinds:
            gone = with_rows(table, kind, lambda _day, _rows: 0)
            yield f"{name}: kind {kind} missing", {**night.now, name: gone}


def measure() -> str:
    """Replay the sample company and the real ones that are available; the table of refusals."""
    lines = []
    with tempfile.TemporaryDirectory() as home:
        for company, workspace in _companies(Path(home)):
            lines += _replay(company, workspace)
    return "\n".join(
        [
            "# Ordinary nights and planted losses",
            "",
            "Each night holds what was known at the end of a day and is compared with the night before, "
            "under the default limits. A refusal of an ordinary night is a false one. A planted loss is "
            "refused if the check names its table; it is planted in every fifth of the last "
            f"{LAST_NIGHTS} nights. With few rows a day, a single empty day is no sign: the figure in "
            "brackets counts only nights on which at least 20 rows are gone.",
            "",
            "The refusals of online_retail are public holidays of its first year and the royal wedding "
            "of 2011; those of olist are holes of the data (payments of April 2018, the lorry drivers' "
            "strike of May, and the end from 29 August on, where the source breaks off).",
            "",
            "| company | nights | false refusals | planted loss | planted | refused | (20 rows) |",
            "|---|--:|--:|---|--:|--:|--:|",
            *lines,
            "",
        ]
    )


def _companies(home: Path) -> Iterator[tuple[Company, Workspace]]:
    workspace = Workspace(home)
    folder = workspace.company("sample")
    folder.mkdir(parents=True)
    customers = int(os.environ.get("GOODWILL_BENCH_CUSTOMERS", "1500"))
    generate_sample_company(folder / "raw", folder / "truth", customers, 7)
    text = (PROJECT / "data/sample.toml").read_text(encoding="utf-8")
    (workspace.data / "sample.toml").write_text(text, encoding="utf-8")
    paths = [workspace.data / "sample.toml", *(PROJECT / f"data/{name}.toml" for name in REAL)]
    for path in paths:
        try:
            company = load_company(path)
            import_history(company, workspace, silent_steps())
        except GoodwillError as err:  # real data that are not here
            sys.stderr.write(f"  {path.stem}: left out, {str(err).splitlines()[0]}\n")
            continue
        yield company, workspace


def _replay(company: Company, workspace: Workspace) -> list[str]:
    """The lines of one company: its ordinary nights, then one for each planted loss."""
    nights, false, planted = 0, 0, {}
    all_nights = list(replay_nights(workspace.history(company.name), company))
    for position, night in enumerate(all_nights):
        nights += 1
        if losses := night.losses():
            false += 1
            sys.stderr.write(f"  {company.name} {day_text(night.day)}: {losses[0]}\n")
        elif position >= len(all_nights) - LAST_NIGHTS and position % EVERY == 0:
            for what, tables in planted_losses(night, tuple(night.now)):
                name = what.split(":")[0]
                found = any(loss.table == name for loss in night.losses(tables))
                gone = night.now[name].rows - tables[name].rows
                counted = planted.setdefault(what, [0, 0, 0, 0])
                if gone:
                    for place, yes in enumerate((True, found, gone >= 20, found and gone >= 20)):
                        counted[place] += yes
    first = f"| {company.name} | {nights} | {false} | | | | |"
    return [first, *(f"| | | | {what} | {n} | {f} | {f20} of {n20} |"
                     for what, (n, f, n20, f20) in planted.items())]  # fmt: skip
