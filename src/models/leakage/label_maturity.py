"""Check for immature labels: where data are missing, active customers are labelled as lost."""

import numpy as np
import pandas as pd

from features.calendar_periods import bucket_sql, label_of
from features.history.history_table import DAY
from models.leakage.audit_sample import AuditSample, Ints
from models.leakage.findings import LeakCheckResult, LeakFinding
from models.targets.target import Target
from models.training_set.splits import instant, microseconds

KIND = "immature label"
#: Active days needed to judge whether a gap in a kind of record is unusual.
ACTIVE_DAYS = 20
#: A gap at the end is normal up to TIMES the longest earlier gap plus DAYS days.
TIMES, DAYS = 3, 3
#: A day is active from this share of the median number of records.
BUSY = 0.1


def check_label_maturity(sample: AuditSample) -> LeakCheckResult:
    """Compare the end of every label window with the declared and the actual end of the data."""
    end = microseconds(sample.manifest.end)
    findings = [f for t in sample.targets for f in _report_open_windows(sample, t, end)]
    timed = [t for t in sample.targets if t.on_calendar and _label_table(t) == "events"]
    if timed and not findings:
        day = bucket_sql("day", "occurred_at", sample.company.info.time_zone)
        days = sample.connection.sql(
            f"select kind, epoch_us({day}) as since, count(*) as records "
            "from events group by all order by all"
        ).df()
        findings += [f for t in timed for f in _report_missing_days(sample, t, days, end)]
    rows = sum(len(sample.keys(t).cutoff) for t in sample.targets)
    looked_at = f"{rows:,} windows against the data's end, {sample.manifest.data_end[:10]}"
    return LeakCheckResult(KIND, looked_at, tuple(findings))


def _label_table(target: Target) -> str:
    return target.required_columns[0][0] if target.required_columns else ""


def _report_open_windows(sample: AuditSample, target: Target, end: int) -> list[LeakFinding]:
    """Rows whose label window ends after the data."""
    cutoff = sample.keys(target).cutoff
    span = sample.span_days(target)
    late = cutoff + span * DAY > end
    if not late.any():
        return []
    latest = instant(int(cutoff.max()) + span * DAY)
    return [LeakFinding(
        KIND, f"features/{target.name}.parquet",
        f"{int(late.sum()):,} of {len(cutoff):,} label windows of {span} days end after the data, "
        f"which end on {sample.manifest.data_end[:10]}; the last window ends on {latest:%Y-%m-%d}",
        "leave out cutoffs less than a label window before the data's end, as `goodwill features` "
        "does", target.name,
    )]  # fmt: skip


def _report_missing_days(
    sample: AuditSample, target: Target, days: pd.DataFrame, end: int
) -> list[LeakFinding]:
    """Label windows that reach into days without records of the kinds that define the label.

    Days without a record of any kind are a leak. Days without the kinds behind the label alone may be
    a quiet time, in which nobody cancelled, so that they only skip the target.
    """
    sql = target.label_sql(sample.company.target(target.name))
    named = [k for k in days["kind"].unique() if f"'{k}'" in sql]
    until = min(end, int(sample.keys(target).cutoff.max()) + sample.span_days(target) * DAY)
    until = microseconds(label_of(instant(until), sample.company.info.time_zone))
    of_any_kind = "records of any kind"
    series = {of_any_kind: days}
    if named:
        what = " and ".join(f"'{k}'" for k in named) + " records"
        series[what] = days[days["kind"].isin(named)]
    for what, part in series.items():
        missing, usual = measure_gaps(part["since"].to_numpy(), part["records"].to_numpy(), until)
        if missing > TIMES * usual + DAYS:
            last = instant(until - missing * DAY)
            return [LeakFinding(
                KIND, f"events, {what}",
                f"the label windows run to {instant(until):%Y-%m-%d}, but these records end on "
                f"{last:%Y-%m-%d}: {missing} days without records, at most {usual} before; customers "
                "whose records are missing get a wrong label",
                f"set company.data_end = {last:%Y-%m-%d}T00:00:00Z or earlier, or import the "
                "missing records", target.name, skips_target=what != of_any_kind,
            )]  # fmt: skip
    return []


def measure_gaps(since: Ints, records: Ints, until: int) -> tuple[int, int]:
    """Whole days without the usual records just before `until`, and the longest earlier gap.

    `since` are the days in microseconds, in any order and possibly repeated. (0, 0) for fewer than
    `ACTIVE_DAYS` active days.
    """
    distinct, position = np.unique(since, return_inverse=True)
    total = np.bincount(position, records, len(distinct))
    active = distinct[total >= BUSY * np.median(total)] if len(distinct) else distinct
    active = active[active < until]
    if len(active) < ACTIVE_DAYS:
        return 0, 0
    gaps = np.diff(active) // DAY - 1
    return max(0, int((until - active[-1]) // DAY - 1)), int(gaps.max())
