"""Control charts: what is usual for a line, since when, and which lines of a period are beyond chance.

A change-point chart (Hawkins, Qiu and Kang 2003): in every period, each split of the current stretch
into a part before and a part after is tested, and the clearest one says since when the line differs.
Limits hold over-dispersion (Laney 2002), season and autocorrelation (`chart_baseline`); over all lines
of a period the false-discovery rate is limited (Benjamini and Hochberg 1995).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused
from insight.satisfaction.chart_baseline import (
    SEASON_YEARS,
    ChartBaseline,
    fit_baseline,
    mean_inflation,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: Periods needed to say what is usual.
MIN_PERIODS = 8
#: A line is beyond chance where chance alone goes as far in this share of the periods at most.
LIMIT = 0.005
#: The expected share of false alarms among the alarms of a period, in each family of lines.
FALSE_DISCOVERIES = 0.05
#: A change that has lasted this many periods is a new level; it is looked for this many periods back.
LASTING, WINDOW = 3, 12

ChangeKind = Literal["", "jump", "shift"]
COLUMNS = ("value", "expected", "level", "low", "high", "off", "p", "kind", "since")


@dataclass(frozen=True)
class ChartLine:
    """A line to watch: one value a period, NaN where there is none, and its standard error.

    With `counts` (answers behind each value) errors are pooled: that of a single answer is taken to be
    the same in every period, as in a p chart. Lines of one `family` share a false-discovery rate.
    """

    values: Floats
    errors: Floats
    counts: Floats | None = None
    family: str = ""


def watch_lines(
    lines: Sequence[ChartLine], seasons: int = 12, min_periods: int = MIN_PERIODS
) -> list[pd.DataFrame]:
    """Watch lines over the same periods; return one table a line with a row for each period.

    Columns: `value`, `expected` (the usual value before this period, with season), `low`, `high`
    (beyond them a single value is an alarm), `off` (the change in standard errors), `p` (the
    probability that chance alone looks as clear), `kind` ("" usual, `jump`, or `shift`: a lasting
    change), `level` (without season; the new one from a `shift` on), `since` (number of the period in
    which the change began, or else the current level).
    NaN where a line has no value or too short a history. `seasons` periods make a year. Raises
    DataRefused for errors that are not positive and fewer than three periods.
    """
    if min_periods < LASTING:
        raise DataRefused(
            f"{min_periods} periods do not say what is usual; it takes at least {LASTING}"
        )
    if not lines:
        return []
    watch = _Watch.begin(lines, seasons, min_periods)
    rows = [_watch_period(watch, now) for now in range(watch.values.shape[1])]
    return [
        pd.DataFrame({name: [row[name][i] for row in rows] for name in COLUMNS})
        for i in range(len(lines))
    ]


@dataclass
class _Watch:
    """The lines (rows) while they are watched.

    `stretch` is the column in which the stretch of a value began, -1 for values left out and later
    ones; `start` that of the current stretch of each line.
    """

    values: Floats
    errors: Floats
    counts: Floats
    stretch: Ints
    start: Ints
    families: NDArray[np.str_]
    seasons: int
    min_periods: int

    @classmethod
    def begin(cls, lines: Sequence[ChartLine], seasons: int, min_periods: int) -> "_Watch":
        values = np.array([line.values for line in lines], np.float64)
        errors = np.array([line.errors for line in lines], np.float64)
        bad = int((np.isfinite(values) & ~(errors > 0)).sum())
        if bad:
            raise DataRefused(f"{bad} standard errors are not positive; each value needs one")
        known = np.isfinite(values)
        # Without counts each error stands as it is: a count of 1 / error² makes all pooled errors so.
        counts = np.array([
            1 / np.where(known[i], errors[i], 1.0) ** 2 if line.counts is None else line.counts
            for i, line in enumerate(lines)
        ], np.float64)  # fmt: skip
        return cls(
            values, np.where(known, errors, 1.0), np.where(known, counts, 1.0),
            stretch=np.full(values.shape, -1), start=np.zeros(len(lines), np.int64),
            families=np.array([line.family for line in lines]), seasons=seasons,
            min_periods=min_periods,
        )  # fmt: skip

    def pooled_errors(self, now: int) -> Floats:
        """The standard errors up to a period, from that of a single answer of the usual values."""
        used = self.stretch[:, :now] >= 0
        single = np.where(used, self.errors[:, :now] ** 2 * self.counts[:, :now], 0.0).sum(axis=1)
        mean = single / np.maximum(used.sum(axis=1), 1)
        return np.sqrt(np.where(mean > 0, mean, 1.0)[:, None] / self.counts[:, : now + 1])

    def forget_seasonal_changes(self, now: int) -> None:
        """Take one level for all of a line's past where season explains it as well as its changes do.

        Before two years a strong season looks like lasting changes.
        """
        changed = np.flatnonzero(self.start > 0)
        if not len(changed) or now < SEASON_YEARS * self.seasons or self.seasons == 1:
            return
        past = self.values[changed, :now], self.pooled_errors(now)[changed, :now]
        _, family = np.unique(self.families[changed], return_inverse=True)
        one_level = np.where(np.isfinite(past[0]), 0, -1)
        by_season, by_changes = (
            fit_baseline(*past, stretch, self.seasons, family).overdispersion
            for stretch in (one_level, self.stretch[changed, :now])
        )
        explained = by_season <= by_changes
        self.stretch[changed[explained], :now] = one_level[explained]
        self.start[changed[explained]] = 0

    def go_on(self, now: int, alarm: Bools, since: Ints, periods: Ints) -> list[ChangeKind]:
        """Go on after a period: a lasting change begins a stretch, a short one is left out."""
        known = np.isfinite(self.values[:, now])
        self.stretch[known & ~alarm, now] = self.start[known & ~alarm]
        kinds: list[ChangeKind] = [""] * len(alarm)
        for i in np.flatnonzero(alarm):
            part = slice(since[i], now + 1)
            lasting = periods[i] >= LASTING
            kinds[i] = "shift" if lasting else "jump"
            if lasting:
                self.start[i] = since[i]
            usual = lasting & np.isfinite(self.values[i, part])
            self.stretch[i, part] = np.where(usual, self.start[i], -1)
        return kinds


@dataclass(frozen=True)
class _Tested:
    """The tested lines of a period, as arrays: what is usual, and the clearest change.

    `level` is the level so far, `new_level` the mean since the change, both without season; `expected`
    is the usual value, `before_change` that without the periods of the change, both with it. `error` is
    the standard error of a single value; `lengths` are the angles between the tests of neighbouring
    splits.
    """

    level: Floats
    new_level: Floats
    expected: Floats
    before_change: Floats
    error: Floats
    off: Floats
    p: Floats
    since: Ints
    periods: Ints
    lengths: Floats
    freedom: Floats

    def widths(self, bar: Floats) -> Floats:
        """How far a single value may be off before its p falls to `bar`."""
        from scipy.special import ndtr, stdtrit

        low, high = np.full(len(bar), 0.5), np.full(len(bar), 8.0)
        for _ in range(25):
            middle = (low + high) / 2
            inside = _any_beyond(middle, self.lengths) > bar
            low, high = np.where(inside, middle, low), np.where(inside, high, middle)
        width: Floats = -stdtrit(self.freedom, ndtr(-high)) * self.error
        return width


def _watch_period(watch: _Watch, now: int) -> dict[str, list[object]]:
    """Test the lines in one period, raise the alarms, go on; one list a column."""
    count = len(watch.values)
    watch.forget_seasonal_changes(now)
    long_enough = (watch.stretch[:, :now] >= 0).sum(axis=1) >= watch.min_periods
    ready = np.flatnonzero(long_enough & np.isfinite(watch.values[:, now]))
    alarm, since, periods = np.zeros(count, bool), watch.start.copy(), np.zeros(count, np.int64)
    columns: dict[str, list[object]] = {name: [np.nan] * count for name in COLUMNS}
    if len(ready):
        tested = _test_period(watch, now, ready)
        alarm[ready], bar = _raise_alarms(tested.p, watch.families[ready])
        width = tested.widths(bar)
        since[ready], periods[ready] = tested.since, tested.periods
        lasting = alarm[ready] & (tested.periods >= LASTING)
        level = np.where(lasting, tested.new_level, tested.level)
        expected = np.where(alarm[ready], tested.before_change, tested.expected)
        found = {"expected": expected, "level": level, "off": tested.off, "p": tested.p,
                 "low": expected - width, "high": expected + width}  # fmt: skip
        for name, numbers in found.items():
            for place, number in zip(ready, numbers.tolist(), strict=True):
                columns[name][place] = number
    columns["value"] = list(watch.values[:, now].tolist())
    columns["kind"] = list(watch.go_on(now, alarm, since, periods))
    columns["since"] = list(np.where(alarm, since, watch.start).tolist())
    return columns


def _raise_alarms(p: Floats, families: NDArray[np.str_]) -> tuple[Bools, Floats]:
    """The lines beyond chance, and the p that each line has to fall to."""
    from scipy.stats import false_discovery_control

    alarm, bar = np.zeros(len(p), bool), np.zeros(len(p))
    for family in np.unique(families):
        mine = families == family
        passed = false_discovery_control(p[mine]) <= FALSE_DISCOVERIES
        # One more line would pass with a p up to that of the next step.
        steps = passed.sum() + ~passed
        bar[mine] = np.minimum(LIMIT, FALSE_DISCOVERIES * steps / mine.sum())
        alarm[mine] = passed & (p[mine] <= LIMIT)
    return alarm, bar


def _test_period(watch: _Watch, now: int, ready: Ints) -> _Tested:
    """Test all splits of the current stretch for a change that ends in this period.

    Chance is estimated twice: around the level so far, which finds the clearest split, then around a
    level before and one after it, so that a change does not pass for chance.
    """
    values, stretch = watch.values[ready, : now + 1], watch.stretch[ready, : now + 1]
    errors, start = watch.pooled_errors(now)[ready], watch.start[ready]
    rows = np.arange(len(ready))
    _, family = np.unique(watch.families[ready], return_inverse=True)
    known = values[:, :now], errors[:, :now]
    whole = fit_baseline(*known, stretch[:, :now], watch.seasons, family)
    first = _compare_splits(values, errors, stretch, start, whole)
    best = first.clear.argmax(axis=1)
    after = np.arange(now) >= (now - best)[:, None]
    lasting = (first.periods[rows, best] >= LASTING)[:, None] & np.isfinite(values[:, :now])
    apart = np.where(after, np.where(lasting, (now - best)[:, None], -1), stretch[:, :now])
    base = _between(whole, fit_baseline(*known, apart, watch.seasons, family))
    splits = _compare_splits(values, errors, stretch, start, base)
    level, season = splits.level[:, 0], base.season[:, now % watch.seasons]
    return _Tested(
        level, splits.level[rows, best] + splits.shift[rows, best], level + season,
        splits.level[rows, best] + season, splits.error[:, 0], splits.off[rows, best],
        _any_beyond(splits.clear[rows, best], splits.lengths), now - best,
        splits.periods[rows, best], splits.lengths, base.freedom,
    )  # fmt: skip


def _between(one: ChartBaseline, two: ChartBaseline) -> ChartBaseline:
    """The second baseline with the mean of both correlations.

    A change passes for chance that lasts in the first; chance that lasts passes for a change in the
    second.
    """
    return replace(two, correlation=(one.correlation + two.correlation) / 2)


@dataclass(frozen=True)
class _Splits:
    """Splits of the current stretch of each line: split j has the last j + 1 periods after it.

    `level` is the mean before it, `shift` the difference of the means, `off` in standard errors, `clear`
    the standard normal value as improbable as it (minus infinity where a split is not tested),
    `periods` the number of values after it.
    """

    level: Floats
    shift: Floats
    error: Floats
    off: Floats
    clear: Floats
    periods: Ints
    lengths: Floats


def _compare_splits(
    values: Floats, errors: Floats, stretch: Ints, start: Ints, base: ChartBaseline
) -> _Splits:
    """Compare the means after and before each split; before it, only usual values count."""
    now = values.shape[1] - 1
    place = np.arange(now + 1) % base.season.shape[1]
    inside = np.arange(now + 1) >= start[:, None]
    here, usual = inside & np.isfinite(values), inside & (stretch >= 0)
    plain = np.where(here, values - base.season[:, place], 0.0)
    last = slice(now, None if now < WINDOW else now - WINDOW, -1)
    unsure = here * base.season_variance[:, place]
    after: list[Any] = [np.cumsum(x[:, last], axis=1) for x in
             (here / errors**2, here * plain / errors**2, here, unsure)]  # fmt: skip
    before: list[Any] = [(np.cumsum(x, axis=1) - x)[:, last] for x in
              (usual / errors**2, usual * plain / errors**2, usual.astype(np.int64))]  # fmt: skip
    valid = (before[2] >= LASTING) & here[:, last]
    valid[:, 0] = True
    weight = np.maximum(before[0], 1e-300)
    level, shift = before[1] / weight, after[1] / after[0] - before[1] / weight
    inflation = mean_inflation(base.correlation, now + 1)
    chance = np.take_along_axis(inflation, after[2] - 1, axis=1) / after[0]
    chance += np.take_along_axis(inflation, np.maximum(before[2] - 1, 0), axis=1) / weight
    error = np.sqrt(base.overdispersion[:, None] ** 2 * chance + after[3] / after[2] ** 2)
    # One value far off must not make its neighbours look like a lasting change.
    carried = np.sign(shift) * (plain[:, -1:] - level) >= np.abs(shift) / 2
    off = shift / error
    clear = np.where(valid & carried, _as_normal(np.abs(off), base.freedom[:, None]), -np.inf)
    ratio = np.maximum.accumulate(np.where(valid, after[0] / weight, 0.0), axis=1)
    lengths = np.arccos(np.clip(np.sqrt(ratio[:, :-1] / ratio[:, 1:]), 0.0, 1.0))
    return _Splits(level, shift, error, off, clear, after[2], lengths)


def _as_normal(off: Floats, freedom: Floats) -> Floats:
    """The standard normal values that are as improbable as these of Student's t."""
    from scipy.special import ndtri, stdtr

    normal: Floats = -ndtri(np.maximum(stdtr(freedom, -off), 1e-300))
    return normal


def _any_beyond(z: Floats, lengths: Floats) -> Floats:
    """The probability that any of several correlated standard normal values is beyond +-z.

    The length heuristic of Efron (1997); `lengths` are the angles whose cosines are the correlations
    of neighbouring values.
    """
    from scipy.special import ndtr

    z = np.maximum(z, 0.1)
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    further = 4 / z * density * (ndtr(z[:, None] * lengths / 2) - 0.5).sum(axis=1)
    beyond: Floats = np.minimum(1.0, 2 * ndtr(-z) + further)
    return beyond
