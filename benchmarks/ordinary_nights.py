"""Nights of a company replayed day by day: false refusals on ordinary nights, planted losses found.

Every night holds the rows that were known at the end of a day, and is compared with the night before.
No night of a company's own history is a loss, so each refusal is a false one. Then losses are planted
in every night of the last months: a tenth of the rows of a table, a kind or a table missing, a
truncated file; and a table no longer arrives at all. The rules were made on the sample company of the
first seed; that of the second was never looked at. `GOODWILL_BENCH_CUSTOMERS` sets the size of both
(default 1,500).
"""

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.config.company import Company, load_company
from features.config.import_limits import ImportLimits
from features.contract import TABLES
from features.data_quality.checked_table import SERIES
from features.data_quality.completeness import find_final_shortfall, find_late_end
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
#: The seed of the sample company on which the rules were made, and one that was held out.
SEEDS = (7, 2027)
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
    lines, late = [], []
    with tempfile.TemporaryDirectory() as home:
        for name, company, workspace in _companies(Path(home)):
            nights = list(replay_nights(workspace.history(company.name), company))
            lines += _replay(name, nights)
            late += _tables_that_stop(name, nights)
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
            "## A table that no longer arrives",
            "",
            "From one of the last nights on, a table has no new row. A single empty day of a table with "
            "few rows a day is no sign and stops no night; the data quality report says so when no row "
            "has come for longer than ever in the year before (check `late`), or when 12 rows are "
            "missing (`last days`). `ordinary` counts the nights of the history itself on which `late` "
            "finds something.",
            "",
            "| company | table | rows a day | ordinary | nights until a finding: median | at most |",
            "|---|---|--:|--:|--:|--:|",
            *late,
            "",
        ]
    )


def _companies(home: Path) -> Iterator[tuple[str, Company, Workspace]]:
    """The companies that are at hand, with the name of each in the table."""
    customers = int(os.environ.get("GOODWILL_BENCH_CUSTOMERS", "1500"))
    text = (PROJECT / "data/sample.toml").read_text(encoding="utf-8")
    paths = dict[str, Path]()
    for seed in SEEDS:
        folder = home / str(seed) / "data" / "sample"
        folder.mkdir(parents=True)
        generate_sample_company(folder / "raw", folder / "truth", customers, seed)
        path = folder.with_suffix(".toml")
        path.write_text(text, encoding="utf-8")
        paths[f"sample, seed {seed}"] = path
    paths |= {name: PROJECT / f"data/{name}.toml" for name in REAL}
    for name, path in paths.items():
        workspace = Workspace(path.parents[1] if path.is_relative_to(home) else home)
        try:
            company = load_company(path)
            import_history(company, workspace, silent_steps())
        except GoodwillError as err:  # real data that are not here
            sys.stderr.write(f"  {name}: left out, {str(err).splitlines()[0]}\n")
            continue
        yield name, company, workspace


def _replay(company: str, all_nights: list[Night]) -> list[str]:
    """The lines of one company: its ordinary nights, then one for each planted loss."""
    nights, false, planted = 0, 0, {}
    for position, night in enumerate(all_nights):
        nights += 1
        if losses := night.losses():
            false += 1
            sys.stderr.write(f"  {company} {day_text(night.day)}: {losses[0]}\n")
        elif position >= len(all_nights) - LAST_NIGHTS and position % EVERY == 0:
            for what, tables in planted_losses(night, tuple(night.now)):
                name = what.split(":")[0]
                found = any(loss.table == name for loss in night.losses(tables))
                gone = night.now[name].rows - tables[name].rows
                counted = planted.setdefault(what, [0, 0, 0, 0])
                if gone:
                    for place, yes in enumerate((True, found, gone >= 20, found and gone >= 20)):
                        counted[place] += yes
    first = f"| {company} | {nights} | {false} | | | | |"
    return [first, *(f"| | | | {what} | {n} | {f} | {f20} of {n20} |"
                     for what, (n, f, n20, f20) in planted.items())]  # fmt: skip


def _tables_that_stop(company: str, nights: list[Night]) -> Iterator[str]:
    """A line for each table: how often ordinary nights look late, and when a stop is noticed."""
    for name, table in nights[-1].now.items():
        days = table.by_day[None]
        first = min(days)
        rows = np.zeros(nights[-1].day - first + 1)
        for day, n in days.items():
            if day <= nights[-1].day:
                rows[day - first] = n
        ordinary = sum(_is_late(rows[: night.day - first + 1]) for night in nights)
        waits = [
            wait
            for night in nights[-LAST_NIGHTS::EVERY]
            if (wait := _nights_until_noticed(rows[: night.day - first]))
        ]
        middle, most = (f"{np.median(waits):g}", max(waits)) if waits else ("–", "–")
        yield f"| {company} | {name} | {rows.mean():.1f} | {ordinary} | {middle} | {most} |"


def _is_late(rows: NDArray[np.float64]) -> bool:
    return bool(rows.any()) and find_late_end(rows) is not None


def _nights_until_noticed(rows: NDArray[np.float64]) -> int | None:
    """After how many nights without a row the data quality report says so; None if never within 60."""
    for empty in range(1, 61):
        grown = np.append(rows, np.zeros(empty))
        if _is_late(grown) or find_final_shortfall(grown) is not None:
            return empty
    return None
