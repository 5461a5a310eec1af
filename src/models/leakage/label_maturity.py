"""Labels whose window is not over: silence that is only missing data reads as a customer lost."""

import numpy as np
import pandas as pd

from features.history.rows import DAY
from models.leakage.audit_sample import Case, Ints
from models.leakage.findings import Charge, Finding
from models.targets.registry import Target
from models.training_set.splits import instant, microseconds

KIND = "unripe label"
#: Days on which a kind of record must have been seen before its silence means anything.
ACTIVE_DAYS = 20
#: A silence at the end is usual up to so many times the longest one before it, and so many days.
TIMES, DAYS = 3, 3
#: A day counts as active from this share of the usual number of records on.
BUSY = 0.1


def judge(case: Case) -> Finding:
    """Compare the end of every label window with the end of the data, declared and real."""
    end = microseconds(case.manifest.end)
    charges = [c for t in case.targets for c in _charge_rows(case, t, end)]
    timed = [t for t in case.targets if t.on_calendar and _table(t) == "events"]
    if timed and not charges:
        days = case.con.sql(
            "select kind, epoch_us(date_trunc('day', occurred_at)) as since, count(*) as records "
            "from events group by all order by all"
        ).df()
        charges += [c for t in timed for c in _charge_silence(case, t, days, end)]
    rows = sum(len(case.keys(t).cutoff) for t in case.targets)
    looked = f"{rows:,} windows against the data's end, {case.manifest.data_end[:10]}"
    return Finding(KIND, looked, tuple(charges))


def _table(target: Target) -> str:
    return target.needs[0][0] if target.needs else ""


def _charge_rows(case: Case, target: Target, end: int) -> list[Charge]:
    """Rows whose label window is not over when the data end."""
    cutoff = case.keys(target).cutoff
    span = case.span(target)
    late = cutoff + span * DAY > end
    if not late.any():
        return []
    latest = instant(int(cutoff.max()) + span * DAY)
    return [Charge(
        KIND, f"features/{target.name}.parquet",
        f"{int(late.sum()):,} of {len(cutoff):,} label windows of {span} days are not over on "
        f"{case.manifest.data_end[:10]}, when the data end; the last one ends on {latest:%Y-%m-%d}",
        "leave out cutoffs younger than the horizon; `goodwill features` does", target.name,
    )]  # fmt: skip


def _charge_silence(case: Case, target: Target, days: pd.DataFrame, end: int) -> list[Charge]:
    """Windows that reach into days without records of what the label is made of."""
    sql = target.labels(case.company.target(target.name))
    named = [k for k in days["kind"].unique() if f"'{k}'" in sql]
    until = min(end, int(case.keys(target).cutoff.max()) + case.span(target) * DAY)
    series = {"records of any kind": days}
    if named:
        what = " and ".join(f"'{k}'" for k in named) + " records"
        series[what] = days[days["kind"].isin(named)]
    for what, part in series.items():
        silent, usual = silence(part["since"].to_numpy(), part["records"].to_numpy(), until)
        if silent > TIMES * usual + DAYS:
            last = instant(until - silent * DAY)
            return [Charge(
                KIND, f"events, {what}",
                f"the label windows run to {instant(until):%Y-%m-%d}, but these end on "
                f"{last:%Y-%m-%d}: {silent} silent days, where {usual} were the most before; all "
                "who only miss from the data are labelled as silent",
                f"set company.data_end = {last:%Y-%m-%d}T00:00:00Z or earlier, or bring the "
                "missing records", target.name,
            )]  # fmt: skip
    return []


def silence(since: Ints, records: Ints, until: int) -> tuple[int, int]:
    """Whole days without the usual records before `until`, and the longest such time before.

    `since` are the days as instants, in any order and possibly repeated. (0, 0) for fewer than
    `ACTIVE_DAYS` days, of which nothing can be said.
    """
    distinct, place = np.unique(since, return_inverse=True)
    total = np.bincount(place, records, len(distinct))
    active = distinct[total >= BUSY * np.median(total)] if len(distinct) else distinct
    active = active[active < until]
    if len(active) < ACTIVE_DAYS:
        return 0, 0
    gaps = np.diff(active) // DAY - 1
    return max(0, int((until - active[-1]) // DAY - 1)), int(gaps.max())
