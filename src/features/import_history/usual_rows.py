"""The usual number of rows on a day: same weekday, same time of former years, and its scatter."""

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from features.data_quality.completeness import is_bursty
from features.import_history.daily_rows import EPOCH, Counts

#: Weeks whose same weekday sets the usual rows, and the fewest of them; weeks that set the scatter.
WEEKS, FEWEST_WEEKS, SCATTER_WEEKS = 8, 4, 26
#: Days around the same date of a former year; days around Easter on which it matters.
AROUND, EASTER_SPAN = 3, 60
#: Below this share of its usual rows, a day of a former year was a holiday.
HOLIDAY = 0.6
#: First and last day of the year's end, whose rows are unknown before there is a former year.
YEARS_END = ("12-20", "01-06")
#: Few rows are not unusual for a series that has them on more than this share of its days.
ERRATIC, YEAR = 0.05, 364


class UsualRows:
    """The usual rows of a table or one of its kinds on the days after `last_day`, from those before."""

    def __init__(self, counts: Counts, last_day: int) -> None:
        days = [day for day in counts if day <= last_day]
        self.first = min(days, default=last_day)
        self.rows = np.zeros(last_day - self.first + 1)
        for day in days:
            self.rows[day - self.first] = counts[day]
        self.usual = _medians_of_weekday(self.rows)
        with np.errstate(divide="ignore", invalid="ignore"):
            self.level = np.where(self.usual >= 1, self.rows / self.usual, np.nan)

    @property
    def is_steady(self) -> bool:
        """Whether the series is long and even enough to have usual rows."""
        return len(self.rows) >= 7 * WEEKS and bool(self.rows.any()) and not is_bursty(self.rows)

    def expected(self, day: int) -> float:
        """The usual rows of a day; 0 where they are unknown, as at the first year's end."""
        steps = (day - self.first - len(self.rows)) // 7 + 1  # weeks back to the last known one
        last = day - self.first - 7 * steps
        same = self.rows[last::-7][:WEEKS] if last >= 0 else self.rows[:0]
        if len(same) < FEWEST_WEEKS:
            return 0.0
        return float(np.median(same)) * self._season(EPOCH + timedelta(days=day))

    def _season(self, day: date) -> float:
        """The lowest level of the same time in former years if that was a holiday, else 1."""
        levels = [self._level_near(*place) for place in _same_time_of_former_years(day)]
        known = [level for level in levels if np.isfinite(level)]
        if not known:
            return 0.0 if _is_years_end(day) else 1.0
        return min(known) if min(known) < HOLIDAY else 1.0

    def _level_near(self, day: date, around: int) -> float:
        place = (day - EPOCH).days - self.first
        near = self.level[max(place - around, 0) : max(place + around + 1, 0)]
        return float(np.nanmin(near)) if np.isfinite(near).any() else np.nan

    def chance(self, found: float, expected: float) -> float:
        """The chance of at most `found` rows where `expected` are usual."""
        from scipy.special import betainc, pdtr  # slow to import, and not every run compares days

        scatter = self._scatter()
        if scatter < 1e-9:
            return float(pdtr(found, expected))
        size = 1 / scatter  # a negative binomial: Poisson counts whose mean varies itself
        return float(betainc(size, found + 1, size / (size + expected)))

    def _scatter(self) -> float:
        """The relative variance of the mean beyond Poisson's, robust against single days."""
        recent = slice(-7 * SCATTER_WEEKS, None)
        rows, usual = self.rows[recent], self.usual[recent]
        regular = usual >= 1
        if regular.sum() < WEEKS:
            return 0.0
        distance = (rows[regular] - usual[regular]) / np.sqrt(usual[regular])
        spread = 1.4826 * float(np.median(np.abs(distance - np.median(distance))))
        own = 1 + np.pi / 2 / WEEKS  # of a Poisson count and of the median of eight
        return max(0.0, (spread**2 - own) / float(np.median(usual[regular])))

    def share_as_low(self, level: float, days: int) -> float:
        """The share of former periods of so many days that were at or below a level of the usual.

        Days of the year's end do not count: that they are low says nothing about other days.
        """
        rows, usual = self.rows[-YEAR:], self.usual[-YEAR:]
        last = EPOCH + timedelta(days=self.first + len(self.rows) - 1)
        ordinary = [not _is_years_end(last - timedelta(days=i)) for i in range(len(rows))][::-1]
        known = np.isfinite(usual) & np.array(ordinary, bool)
        window = np.ones(min(days, max(len(rows), 1)))
        found = np.convolve(np.where(known, rows, 0), window, "valid")
        normal = np.convolve(np.where(known, usual, 0), window, "valid")
        with_rows = normal >= 1
        if not with_rows.any():
            return 0.0
        return float(np.mean(found[with_rows] / normal[with_rows] <= level))


def _is_years_end(day: date) -> bool:
    start, end = YEARS_END
    return not end < f"{day:%m-%d}" < start


def _medians_of_weekday(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """The median of the same weekday in the weeks before each day; nan without enough of them."""
    before = np.full((WEEKS, len(rows)), np.nan)
    for week in range(1, WEEKS + 1):
        before[week - 1, 7 * week :] = rows[: max(len(rows) - 7 * week, 0)]
    enough = np.isfinite(before).sum(axis=0) >= FEWEST_WEEKS
    medians = np.full(len(rows), np.nan)
    if enough.any():
        medians[enough] = np.nanmedian(before[:, enough], axis=0)
    return medians


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, Meeus 1991)."""
    golden, century, of_century = year % 19, year // 100, year % 100
    moon = (
        19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15
    ) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (of_century // 4) - moon - of_century % 4) % 7
    late = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def _same_time_of_former_years(day: date) -> list[tuple[date, int]]:
    """Days of the two former years with the same date or distance from Easter, and days around them."""
    found = []
    distance = (day - easter(day.year)).days
    for year in (day.year - 1, day.year - 2):
        found.append(
            (date(year, day.month, min(day.day, 28) if day.month == 2 else day.day), AROUND)
        )
        if abs(distance) <= EASTER_SPAN:
            found.append((easter(year) + timedelta(days=distance), 0))
    return found
