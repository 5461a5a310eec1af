"""The rules of lost rows: stored rows that are gone, and new days with far fewer rows than usual."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from features.config.import_limits import ImportLimits
from features.import_history.daily_rows import EPOCH, Counts, DailyRows, day_text
from features.import_history.usual_rows import ERRATIC, FEWEST_WEEKS, UsualRows

#: What is lost: a source, the whole table, stored rows, stored days, or rows of new days.
LossKind = Literal["empty source", "empty", "rows", "days", "new days"]
#: Kinds that the sentence about a table names.
NAMED = 3


@dataclass(frozen=True)
class Loss:
    """Rows of a table, or of one of its kinds, that an import lacks.

    `before` are the stored rows, or the usual ones of new days; `now` are those of the import. What
    an empty source should have is not known: both are 0, and `detail` names it.
    """

    table: str
    kind: str | None
    what: LossKind
    before: int
    now: int
    days: tuple[int, ...] = ()
    detail: str = ""
    is_oldest: bool = False  # exactly the first days are gone, as where sources keep N days

    @property
    def rows(self) -> int:
        """How many rows are missing."""
        return self.before - self.now

    def __str__(self) -> str:
        place = self.table if self.kind is None else f"{self.table} of kind {self.kind!r}"
        if self.what == "empty source":
            return f"{place}: the source {self.detail} has no row at all"
        if self.what == "empty":
            return f"{place}: no row at all, the history has {self.before:,}"
        gone = f"{self.rows:,} of {self.before:,}"
        if self.what == "new days":
            return f"{place}, {self._period()}: {self.now:,} rows, about {self.before:,} are usual"
        where = f", {self._period()}" if self.days else ""
        share = f"{self.rows / self.before:.0%}{self.detail}"
        return f"{place}{where}: {gone} stored rows are gone ({share}), {self.now:,} are left"

    def _period(self) -> str:
        first, last = day_text(self.days[0]), day_text(self.days[-1])
        if len(self.days) == 1:
            return first
        return f"{len(self.days)} days from {first} to {last}"


@dataclass(frozen=True)
class NewDays:
    """The days to check, all of them after the last stored one, `since`, and up to `until`."""

    since: int
    until: int
    days: tuple[int, ...]


def find_lost_rows(former: DailyRows, now: DailyRows, limits: ImportLimits) -> list[Loss]:
    """Stored rows of one table that the import no longer has, beyond the limits."""
    if former.rows and not now.rows:
        return [Loss(former.table, None, "empty", former.rows, 0)]
    if not former.by_day:
        gone = former.rows - now.rows
        is_loss = gone >= limits.least_rows and gone > limits.lost_share * former.rows
        return [Loss(former.table, None, "rows", former.rows, now.rows)] if is_loss else []
    whole = _lost(former, now, None, limits)
    kinds = [loss for kind in former.kinds if (loss := _lost(former, now, kind, limits))]
    if whole is None:
        return kinds
    if len(kinds) == 1 < len(former.kinds):  # the kind says more than the table
        return kinds
    worst = sorted(kinds, key=lambda loss: -loss.rows)[:NAMED]
    if len(former.kinds) == 1:
        return [whole]
    named = ", ".join(f"{loss.kind} {loss.rows / loss.before:.0%}" for loss in worst)
    return [replace(whole, detail=f": {named}" if named else "")]


def _lost(former: DailyRows, now: DailyRows, kind: str | None, limits: ImportLimits) -> Loss | None:
    """The stored rows of a table or kind that are gone, if they are more than the limits allow."""
    stored, found = former.by_day.get(kind, {}), now.by_day.get(kind, {})
    if limits.keeps_days is not None:
        newest = max(now.last_day or 0, former.last_day or 0)
        stored = {d: n for d, n in stored.items() if d > newest - limits.keeps_days}
    gone = {d: n - found.get(d, 0) for d, n in stored.items() if n > found.get(d, 0)}
    before, rows = sum(stored.values()), sum(gone.values())
    if rows >= limits.least_rows and rows > limits.lost_share * before:
        days = tuple(sorted(gone))
        oldest = _is_oldest(stored, gone)
        return Loss(former.table, kind, "rows", before, before - rows, days, is_oldest=oldest)
    days = tuple(
        sorted(
            d for d, n in gone.items()
            if n >= limits.least_rows and n > limits.lost_day_share * stored[d]
        )
    )  # fmt: skip
    if not days:
        return None
    had, lost = sum(stored[d] for d in days), sum(gone[d] for d in days)
    oldest = _is_oldest(stored, gone)
    return Loss(former.table, kind, "days", had, had - lost, days, is_oldest=oldest)


def _is_oldest(stored: Counts, gone: Counts) -> bool:
    """Whether exactly the first days are gone, and later ones are left."""
    whole = len(gone) < len(stored) and all(gone[d] == stored[d] for d in gone)
    return whole and sorted(gone) == sorted(stored)[: len(gone)]


def find_small_days(
    former: DailyRows, now: DailyRows, since: int, until: int, limits: ImportLimits, series: int
) -> list[Loss]:
    """New days of one table, after `since` up to `until`, with far fewer rows than usual.

    `series` is the number of tables and kinds that are checked, over which the false refusals are
    divided. Days on which the whole table is too small are not repeated for its kinds.
    """
    days = range(since + 1, until + 1)
    open_days = [d for d in days if not limits.is_quiet(EPOCH + timedelta(days=d))]
    if not open_days:
        return []
    level = limits.false_refusals_a_year / (365 * max(series, 1))
    span = NewDays(since, until, tuple(open_days))
    found = list(_small(former, now, None, span, limits, level))
    covered = {d for loss in found for d in loss.days}
    rest = NewDays(since, until, tuple(d for d in open_days if d not in covered))
    several = former.kinds != now.kinds or len(now.kinds) > 1
    for kind in former.kinds if several and rest.days else []:
        found += _small(former, now, kind, rest, limits, level)
    return found


def _small(
    former: DailyRows, now: DailyRows, kind: str | None, new: NewDays, limits: ImportLimits,
    level: float,
) -> Iterator[Loss]:  # fmt: skip
    """The new days of a table or kind that are too small, each alone or all of them together."""
    stored, found = former.known.get(kind, {}), now.known.get(kind, {})
    if sum(stored.values()) < FEWEST_WEEKS * limits.least_rows:
        return  # too few for any day to be unusual
    usual, days = UsualRows(stored, new.since), new.days
    if not usual.is_steady:
        return
    expected = {d: usual.expected(d) * _share_at_age(stored, found, new, d) for d in days}
    few = tuple(d for d in days if _is_few(usual, found.get(d, 0), expected[d], 1, limits, level))
    wanted, got = sum(expected.values()), sum(found.get(d, 0) for d in days)
    if not few and len(days) > 1 and _is_few(usual, got, wanted, len(days), limits, level):
        few = days
    if few:
        yield Loss(
            former.table, kind, "new days", round(sum(expected[d] for d in few)),
            sum(found.get(d, 0) for d in few), few,
        )  # fmt: skip


def _share_at_age(stored: Counts, found: Counts, new: NewDays, day: int) -> float:
    """The share of a day's rows that had arrived at the same age, at the last import.

    Where rows arrive late, as with a carrier's reports, the newest days are always small.
    """
    former = new.since - (new.until - day)
    return min(1.0, (stored.get(former, 0) + 1) / (found.get(former, 0) + 1))


def _is_few(
    usual: UsualRows, found: int, expected: float, days: int, limits: ImportLimits, level: float
) -> bool:
    """Whether rows are substantially and significantly fewer than expected, and not so by habit."""
    return (
        expected >= limits.least_rows
        and found < limits.new_day_share * expected
        and usual.chance(found, expected) < level
        and usual.share_as_low(found / expected, days) <= ERRATIC
    )


def count_series(tables: Mapping[str, DailyRows]) -> int:
    """How many tables and kinds have days of their own."""
    return sum(1 + len(rows.kinds) for rows in tables.values() if rows.by_day)
