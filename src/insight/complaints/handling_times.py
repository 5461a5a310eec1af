"""Complaint handling: states, times to reply and solution, reopen rates."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

#: Complaints needed for a category of its own.
MIN_COMPLAINTS = 20
HOUR = 3600.0
DAY = 24 * HOUR
ALL = "all"


@dataclass(frozen=True)
class CycleTime:
    """How long complaints wait: hours to the first reply or days to the solution.

    Open complaints are censored at their current waiting time (Kaplan-Meier), so that slow cases are not
    ignored. Median with 95% interval; `nine_in_ten` is the 90th percentile; NaN if it is not reached
    yet. The interval has no ends where most waits are equal, because then it has no width.
    """

    step: str
    unit: str
    category: str
    complaints: int
    waiting: int
    median: float
    low: float
    high: float
    nine_in_ten: float


@dataclass(frozen=True)
class ReopenRate:
    """The share of solved complaints that were reopened, with 95% interval (Wilson)."""

    category: str
    solved: int
    reopened: int
    rate: float
    low: float
    high: float


def count_states(complaints: pd.DataFrame) -> dict[str, int]:
    """Count complaints by state: received (no reply yet), answered, closed, reopened after closing.

    Empty if neither replies nor solutions are recorded.
    """
    if not complaints[["first_reply_at", "closed_at"]].notna().any(axis=None):
        return {}
    closed = complaints["closed_at"].notna()
    answered = complaints["first_reply_at"].notna()
    again = closed & (complaints["reopened"] == 1)
    return {
        "received": int((~closed & ~answered).sum()),
        "answered": int((~closed & answered).sum()),
        "closed": int((closed & ~again).sum()),
        "reopened": int(again.sum()),
    }


def compute_cycle_times(
    complaints: pd.DataFrame, end: datetime, by_category: bool = True
) -> list[CycleTime]:
    """Compute the times to the first reply and to the solution, overall and, optionally, by category.

    Categories of fewer than `MIN_COMPLAINTS` complaints, and steps without any time, are left out.
    """
    steps = (("first reply", "first_reply_at", "hours", HOUR),
             ("solution", "closed_at", "days", DAY))  # fmt: skip
    rows = []
    for step, column, unit, seconds in steps:
        if complaints[column].notna().any():
            for name, part in _groups(complaints, by_category):
                waited, done = _waited(part, column, end)
                rows.append(_cycle(step, unit, name, waited / seconds, done))
    return rows


def _groups(
    complaints: pd.DataFrame, by_category: bool = True
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield all complaints, then those of each sufficiently large category, largest first."""
    yield ALL, complaints
    if not by_category:
        return
    sizes = complaints["category"].value_counts()
    for name in sorted(sizes.index, key=lambda n: (-sizes[n], n)):
        if sizes[name] >= MIN_COMPLAINTS:
            yield str(name), complaints[complaints["category"] == name]


def _waited(part: pd.DataFrame, column: str, end: datetime) -> tuple[np.ndarray, np.ndarray]:
    """Return the seconds until the step or until now, and whether it was done."""
    now = pd.Timestamp(end)
    done = part[column].notna() & (part[column] <= now)
    until = part[column].where(done, now)
    seconds = (until - part["opened_at"]).dt.total_seconds().clip(lower=0)
    return seconds.to_numpy(float), done.to_numpy(bool)


def _cycle(step: str, unit: str, name: str, waited: np.ndarray, done: np.ndarray) -> CycleTime:
    from statsmodels.duration.survfunc import SurvfuncRight

    low = high = median = nine = float("nan")
    if done.any():
        curve = SurvfuncRight(waited, done.astype(int))
        median, nine = float(curve.quantile(0.5)), float(curve.quantile(0.9))
        low, high = _limits(lambda: curve.quantile_ci(0.5, method="log"))
        if low == high:
            low = high = float("nan")
    waiting = int((~done).sum())
    return CycleTime(step, unit, name, len(waited), waiting, median, low, high, nine)


def _limits(limits: Callable[[], tuple[float, float]]) -> tuple[float, float]:
    """Return the ends of an interval; at 0 and 1 the logarithms are infinite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = limits()
    return float(low), float(high) if np.isfinite(high) else float("nan")


def compute_reopen_rates(complaints: pd.DataFrame, by_category: bool = True) -> list[ReopenRate]:
    """Compute the share of solved complaints that were reopened, of all and, optionally, by category.

    Empty if reopening is not recorded.
    """
    from statsmodels.stats.proportion import proportion_confint

    solved = complaints[complaints["closed_at"].notna() & complaints["reopened"].notna()]
    rows = []
    for name, part in _groups(solved, by_category) if len(solved) else ():
        again = int((part["reopened"] == 1).sum())
        low, high = proportion_confint(again, len(part), method="wilson")
        rate = again / len(part)
        rows.append(ReopenRate(name, len(part), again, rate, float(low), float(high)))
    return rows
