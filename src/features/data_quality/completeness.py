"""Checks for missing records: days without rows, sudden drops, an incomplete or late end of the data.

Each day is compared with the median of the same weekday in the six weeks before and after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.data_quality.checked_table import CheckedTable
from features.data_quality.daily_counts import Counts, DailyCounts
from features.data_quality.finding import Severity, TableFinding

WEEKS = 6
#: A day is a drop below half of the usual rows and by more than 4 standard deviations.
HALF, DEVIATIONS = 0.5, 4.0
#: Consecutive empty days are a gap from this number of missing rows in total.
MISSING_ROWS = 12.0
SHOWN = 5
#: The end is incomplete below this share of the usual rows; number of last days checked.
COLLAPSE, ENDING = 0.25, 400
#: Days at the start of a series in which it may still be growing to its usual size.
GROWING = 14
#: Days of a former period that say how long a table is usually without rows, and the fewest of them.
YEAR, FEWEST_DAYS = 365, 56
#: A series is bursty if its busiest 5% of days hold more than half of its rows.
BUSIEST, BURSTY = 0.05, 0.5


@dataclass(frozen=True)
class Shortfall:
    """Consecutive days with too few rows, `first` to `last`: the rows found and the usual number."""

    first: int
    last: int
    found: float
    usual: float

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    @property
    def missing(self) -> int:
        return round(self.usual - self.found)


@dataclass(frozen=True)
class LateEnd:
    """Final days without rows after the `newest` day with one, more than the longest gap before."""

    newest: int
    days: int
    longest_gap: int


def check_volume_drops(table: CheckedTable, daily: DailyCounts) -> Iterator[TableFinding]:
    """Days on which records of the table, or of one of its series alone, are missing."""
    spans = find_shortfalls(daily.total)
    yield from _report(table, daily, daily.total, spans, "")
    covered = {d for span in spans for d in range(span.first, span.last + 1)}
    if len(daily.series) < 2:
        return
    for name, counts in daily.series.items():
        present = np.flatnonzero(counts)
        # the check "vanished" covers the end of a series
        begins, ends = int(present[0]) + GROWING, int(present[-1])
        own = [
            span
            for span in find_shortfalls(counts)
            if begins <= span.first and span.last < ends and (span.days > 1 or not span.found)
            and not covered & set(range(span.first, span.last + 1))
        ]  # fmt: skip
        yield from _report(table, daily, counts, own, name)


def find_shortfalls(counts: Counts) -> list[Shortfall]:
    """The periods with too few rows after the first day with rows; none for a bursty series."""
    if is_bursty(counts):
        return []
    start = int(np.flatnonzero(counts)[0])
    usual, spread = expected_counts(counts, start)
    flagged = (counts < HALF * usual) & (
        usual - counts > DEVIATIONS * np.maximum(np.sqrt(usual), spread)
    )
    for first, last in _runs(counts[start:] == 0):
        run = slice(start + first, start + last + 1)
        if usual[run].sum() >= MISSING_ROWS:
            flagged[run] = usual[run] > 0
    flagged[:start] = False
    spans = _joined(flagged, counts, usual)
    end = find_final_shortfall(counts)
    return spans if end is None else [*(s for s in spans if s.last < end.first), end]


def find_final_shortfall(counts: Counts) -> Shortfall | None:
    """The longest final period with less than a quarter of the rows of the six weeks before it, if any.

    Unlike a gap, it is compared with the weeks before it only.
    """
    weeks = 7 * WEEKS
    for first in range(max(weeks, len(counts) - ENDING), len(counts)):
        before = np.median(counts[first - weeks : first].reshape(WEEKS, 7), axis=0)
        usual = np.resize(before, len(counts) - first)
        found = counts[first:].sum()
        begins = counts[first : first + 7].sum() < HALF * usual[:7].sum() and len(usual) > 1
        incomplete = usual.sum() >= MISSING_ROWS and found < COLLAPSE * usual.sum()
        if counts[first] < HALF * usual[0] and begins and incomplete:
            return Shortfall(first, len(counts) - 1, float(found), float(usual.sum()))
    return None


def check_late_rows(table: CheckedTable, daily: DailyCounts) -> Iterator[TableFinding]:
    """No row for longer than in the year before: the newest rows of a table may not have arrived.

    In a table with few rows a day, an empty day alone is no sign, and it takes long until so many
    rows are missing that the check "last days" says so.
    """
    late = find_late_end(daily.total)
    if late is None or find_final_shortfall(daily.total) is not None:
        return
    newest, longest = daily.date_at(late.newest), late.longest_gap
    yield TableFinding(
        table.name, table.clock or "", "late", "warning", 0, int(daily.total.sum()),
        f"no {table.name} for {late.days} days: the newest row is from {newest}; in the year before, "
        f"there was one after at most {longest} days" if longest else
        f"no {table.name} after {newest}, though every day of the year before has some",
        "check whether the newest rows were delivered; if so, there is nothing to do",
        {"newest_day": str(newest), "days": late.days, "longest_gap": longest},
    )  # fmt: skip


def find_late_end(counts: Counts) -> LateEnd | None:
    """The final days without rows, if they are more than ever before within a year.

    None for a history that is too short to tell.
    """
    present = np.flatnonzero(counts)
    newest = int(present[-1])
    days = len(counts) - 1 - newest
    former = counts[max(newest - YEAR, int(present[0])) : newest]
    if not days or len(former) < FEWEST_DAYS:
        return None
    longest = max((last - first + 1 for first, last in _runs(former == 0)), default=0)
    return LateEnd(newest, days, longest) if days > longest else None


def is_bursty(counts: Counts) -> bool:
    """Whether most rows fall on few days, as with campaigns: empty days in between are normal."""
    days = np.sort(counts[int(np.flatnonzero(counts)[0]) :])[::-1]
    busiest = days[: max(int(BUSIEST * len(days)), 1)]
    return bool(len(days) > 2 / BUSIEST and busiest.sum() > BURSTY * days.sum())


def expected_counts(counts: Counts, start: int) -> tuple[Counts, Counts]:
    """The usual rows of each day and their spread: median and MAD of the same weekday nearby.

    Long gaps are excluded; where nothing is nearby, the weekday's overall median is used.
    """
    known = np.where(np.arange(len(counts)) < start, np.nan, counts)
    rate = np.nanmean(known)
    for first, last in _runs(known == 0):
        if last - first >= 6 and rate * (last - first + 1) >= MISSING_ROWS:
            known[first : last + 1] = np.nan
    near = np.full((2 * WEEKS, len(counts)), np.nan)
    for week in range(1, WEEKS + 1):
        shift = 7 * week
        near[week - 1, shift:] = known[:-shift] if shift < len(known) else []
        near[WEEKS + week - 1, : max(len(known) - shift, 0)] = known[shift:]
    anywhere = np.zeros(len(counts))
    for weekday in range(7):
        own = known[weekday::7]
        anywhere[weekday::7] = np.nanmedian(own) if np.isfinite(own).any() else 0.0
    alone = ~np.isfinite(near).any(axis=0)
    near[0, alone] = anywhere[alone]
    usual = np.nanmedian(near, axis=0)
    spread = 1.4826 * np.nanmedian(np.abs(near - usual), axis=0)
    return usual, spread


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and last position of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _joined(flagged: NDArray[np.bool_], counts: Counts, usual: Counts) -> list[Shortfall]:
    """Runs of flagged days, bridging days that are usually empty, such as Sundays."""
    bridged = flagged | ((usual < 1) & (counts == 0))
    spans = []
    for first, last in _runs(bridged):
        inside = np.flatnonzero(flagged[first : last + 1])
        if len(inside):
            a, b = first + int(inside[0]), first + int(inside[-1])
            spans.append(
                Shortfall(a, b, float(counts[a : b + 1].sum()), float(usual[a : b + 1].sum()))
            )
    return spans


def _report(
    table: CheckedTable, daily: DailyCounts, counts: Counts, spans: list[Shortfall], series: str
) -> Iterator[TableFinding]:
    """A finding per longer period, one for all short ones, and one for an incomplete end."""
    end = daily.days - 1
    long = sorted((s for s in spans if s.days >= 3 and s.last < end), key=lambda s: -s.missing)
    short = sorted((s for s in spans if s.days < 3 and s.last < end), key=lambda s: -s.missing)
    for span in [s for s in spans if s.last == end]:
        yield _end(table, daily, span, counts)
    for span in long[:SHOWN]:
        yield _gap(table, daily, span, counts, series)
    rest = [*long[SHOWN:], *short]
    if rest:
        yield _days(table, daily, rest, counts, series)


def days_in_words(days: int) -> str:
    """A number of days: 1 day, 2 days."""
    return f"{days} day" if days == 1 else f"{days} days"


def _what(table: CheckedTable, series: str) -> str:
    return f"{table.name} of kind {series}" if series else table.name


def _period(daily: DailyCounts, span: Shortfall) -> str:
    first, last = daily.date_at(span.first), daily.date_at(span.last)
    return (
        f"on {first}" if first == last else f"from {first} to {last} ({days_in_words(span.days)})"
    )


def _gap(
    table: CheckedTable, daily: DailyCounts, span: Shortfall, counts: Counts, series: str
) -> TableFinding:
    found = f"only {span.found:,.0f}" if span.found else "no"
    return TableFinding(
        table.name, table.clock or "", "volume", "warning", span.missing, int(counts.sum()),
        f"{found} {_what(table, series)} {_period(daily, span)}, {span.usual:,.0f} are usual",
        "import the missing records again; after a holiday or a closure there is nothing to do",
        {"series": series, "first_day": str(daily.date_at(span.first)),
         "last_day": str(daily.date_at(span.last)), "rows": int(span.found),
         "usual_rows": round(span.usual)},
    )  # fmt: skip


def _days(
    table: CheckedTable, daily: DailyCounts, spans: list[Shortfall], counts: Counts, series: str
) -> TableFinding:
    missing, days = sum(s.missing for s in spans), sum(s.days for s in spans)
    worst = ", ".join(
        f"{daily.date_at(s.first)} ({s.found:,.0f} instead of {s.usual:,.0f})" for s in spans[:3]
    )
    severity: Severity = "warning" if days > 5 and not series else "advice"
    return TableFinding(
        table.name, table.clock or "", "volume", severity, missing, int(counts.sum()),
        f"{_what(table, series)} drop below half of the usual number on {days} days: {worst}",
        "check whether those days were imported completely; holidays are harmless",
        {"series": series, "days": [str(daily.date_at(s.first)) for s in spans[:20]]},
    )  # fmt: skip


def _end(table: CheckedTable, daily: DailyCounts, span: Shortfall, counts: Counts) -> TableFinding:
    first = daily.date_at(span.first)
    found = f"only {span.found:,.0f}" if span.found else "no"
    return TableFinding(
        table.name, table.clock or "", "last days", "warning", span.missing, int(counts.sum()),
        f"{found} {table.name} from {first} to the end of the data ({days_in_words(span.days)}), "
        f"{span.usual:,.0f} are usual",
        f'set company.data_end = "{first}T00:00:00Z", or import the rest; until then customers '
        "look inactive in the last days",
        {"first_day": str(first), "rows": int(span.found), "usual_rows": round(span.usual)},
    )  # fmt: skip
