"""Whether records are lacking: days without rows, sudden drops, an incomplete end.

A day is held against the median of the same weekday in the six weeks before and after it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.data_quality.checked_table import CheckedTable
from features.data_quality.daily_counts import Counts, DailyCounts
from features.data_quality.finding import TableFinding, Severity

WEEKS = 6
#: A day is a drop when it has less than half of what is usual, 4 standard deviations less.
HALF, DEVIATIONS = 0.5, 4.0
#: Empty days that lack so many rows together are a gap, however few a day lacks.
LACKING = 12.0
SHOWN = 5
#: The end of the data is incomplete when it has less than a quarter; as many days are looked at.
COLLAPSE, ENDING = 0.25, 400
#: Days at the start of a series on which it may still be growing into its usual size.
GROWING = 14
#: A series whose busiest twentieth of days holds more than half of its rows comes in waves.
BUSIEST, WAVES = 0.05, 0.5


@dataclass(frozen=True)
class Shortfall:
    """Days in a row, `first` to `last`, with the rows they have and those to be expected."""

    first: int
    last: int
    found: float
    usual: float

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    @property
    def lacking(self) -> int:
        return round(self.usual - self.found)


def check_volume_drops(table: CheckedTable, daily: DailyCounts) -> Iterator[TableFinding]:
    """Spans of days on which the table, or one of its series alone, lacks records."""
    spans = find_shortfalls(daily.total)
    yield from _told(table, daily, daily.total, spans, "")
    lacking = {d for span in spans for d in range(span.first, span.last + 1)}
    if len(daily.series) < 2:
        return
    for name, counts in daily.series.items():
        there = np.flatnonzero(counts)
        begins, ends = int(there[0]) + GROWING, int(there[-1])  # its end is the check "vanished"
        own = [
            span
            for span in find_shortfalls(counts)
            if begins <= span.first and span.last < ends and (span.days > 1 or not span.found)
            and not lacking & set(range(span.first, span.last + 1))
        ]  # fmt: skip
        yield from _told(table, daily, counts, own, name)


def find_shortfalls(counts: Counts) -> list[Shortfall]:
    """The spans that lack rows, from the first day with rows on; none where rows come in waves."""
    if is_bursty(counts):
        return []
    start = int(np.flatnonzero(counts)[0])
    usual, spread = expected_counts(counts, start)
    flagged = (counts < HALF * usual) & (
        usual - counts > DEVIATIONS * np.maximum(np.sqrt(usual), spread)
    )
    for first, last in _runs(counts[start:] == 0):
        run = slice(start + first, start + last + 1)
        if usual[run].sum() >= LACKING:
            flagged[run] = usual[run] > 0
    flagged[:start] = False
    spans = _joined(flagged, counts, usual)
    end = find_final_shortfall(counts)
    return spans if end is None else [*(s for s in spans if s.last < end.first), end]


def find_final_shortfall(counts: Counts) -> Shortfall | None:
    """The longest end with less than a quarter of what the six weeks before it had, if there is one.

    Weeks after a collapse do not count as usual, as they do for a gap.
    """
    weeks = 7 * WEEKS
    for first in range(max(weeks, len(counts) - ENDING), len(counts)):
        before = np.median(counts[first - weeks : first].reshape(WEEKS, 7), axis=0)
        usual = np.resize(before, len(counts) - first)
        found = counts[first:].sum()
        begins = counts[first : first + 7].sum() < HALF * usual[:7].sum() and len(usual) > 1
        lacks = usual.sum() >= LACKING and found < COLLAPSE * usual.sum()
        if counts[first] < HALF * usual[0] and begins and lacks:
            return Shortfall(first, len(counts) - 1, float(found), float(usual.sum()))
    return None


def is_bursty(counts: Counts) -> bool:
    """Whether most rows fall on few days, as with campaigns: silence between them is usual."""
    there = np.sort(counts[int(np.flatnonzero(counts)[0]) :])[::-1]
    busiest = there[: max(int(BUSIEST * len(there)), 1)]
    return bool(len(there) > 2 / BUSIEST and busiest.sum() > WAVES * there.sum())


def expected_counts(counts: Counts, start: int) -> tuple[Counts, Counts]:
    """What each day usually has, and the spread around it: medians of the same weekday nearby.

    Long gaps do not count as usual; where nothing is near, the weekday's median over all stands.
    """
    known = np.where(np.arange(len(counts)) < start, np.nan, counts)
    rate = np.nanmean(known)
    for first, last in _runs(known == 0):
        if last - first >= 6 and rate * (last - first + 1) >= LACKING:
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
    """First and last place of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _joined(flagged: NDArray[np.bool_], counts: Counts, usual: Counts) -> list[Shortfall]:
    """Runs of flagged days; days on which nothing is usual, such as Sundays, do not part them."""
    bridged = flagged | ((usual < 1) & (counts == 0))
    spans = []
    for first, last in _runs(bridged):
        inside = np.flatnonzero(flagged[first : last + 1])
        if len(inside):
            a, b = first + int(inside[0]), first + int(inside[-1])
            spans.append(Shortfall(a, b, float(counts[a : b + 1].sum()), float(usual[a : b + 1].sum())))
    return spans


def _told(
    table: CheckedTable, daily: DailyCounts, counts: Counts, spans: list[Shortfall], series: str
) -> Iterator[TableFinding]:
    """The longer spans one by one, single days together, the incomplete end with its own remedy."""
    end = daily.days - 1
    long = sorted((s for s in spans if s.days >= 3 and s.last < end), key=lambda s: -s.lacking)
    short = sorted((s for s in spans if s.days < 3 and s.last < end), key=lambda s: -s.lacking)
    for span in [s for s in spans if s.last == end]:
        yield _end(table, daily, span, counts)
    for span in long[:SHOWN]:
        yield _gap(table, daily, span, counts, series)
    rest = [*long[SHOWN:], *short]
    if rest:
        yield _days(table, daily, rest, counts, series)


def _what(table: CheckedTable, series: str) -> str:
    return f"{table.name} of kind {series}" if series else table.name


def _period(daily: DailyCounts, span: Shortfall) -> str:
    first, last = daily.date_at(span.first), daily.date_at(span.last)
    return f"on {first}" if first == last else f"from {first} to {last} ({span.days} days)"


def _gap(table: CheckedTable, daily: DailyCounts, span: Shortfall, counts: Counts, series: str) -> TableFinding:
    found = f"only {span.found:,.0f}" if span.found else "no"
    return TableFinding(
        table.name, table.clock or "", "volume", "warning", span.lacking, int(counts.sum()),
        f"{found} {_what(table, series)} {_period(daily, span)}, {span.usual:,.0f} are usual",
        "import the missing records again; if it was a holiday or a closing, nothing is to be done",
        {"series": series, "first_day": str(daily.date_at(span.first)), "last_day": str(daily.date_at(span.last)),
         "rows": int(span.found), "usual_rows": round(span.usual)},
    )  # fmt: skip


def _days(
    table: CheckedTable, daily: DailyCounts, spans: list[Shortfall], counts: Counts, series: str
) -> TableFinding:
    lacking, days = sum(s.lacking for s in spans), sum(s.days for s in spans)
    worst = ", ".join(
        f"{daily.date_at(s.first)} ({s.found:,.0f} instead of {s.usual:,.0f})" for s in spans[:3]
    )
    severity: Severity = "warning" if days > 5 and not series else "advice"
    return TableFinding(
        table.name, table.clock or "", "volume", severity, lacking, int(counts.sum()),
        f"{_what(table, series)} drop below half of what is usual on {days} days: {worst}",
        "look whether those days were imported whole; holidays are harmless",
        {"series": series, "days": [str(daily.date_at(s.first)) for s in spans[:20]]},
    )  # fmt: skip


def _end(table: CheckedTable, daily: DailyCounts, span: Shortfall, counts: Counts) -> TableFinding:
    first = daily.date_at(span.first)
    found = f"only {span.found:,.0f}" if span.found else "no"
    return TableFinding(
        table.name, table.clock or "", "last days", "warning", span.lacking, int(counts.sum()),
        f"{found} {table.name} from {first} to the end of the data ({span.days} days), "
        f"{span.usual:,.0f} are usual",
        f'set company.data_end = "{first}T00:00:00Z", or import the rest; until then the silence '
        "of the last days is taken for that of the customers",
        {"first_day": str(first), "rows": int(span.found), "usual_rows": round(span.usual)},
    )  # fmt: skip
