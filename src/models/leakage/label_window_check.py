"""Check for labels that read outside their declared window, or rows chosen by the future.

A label reads `[cutoff + gap, cutoff + gap + horizon)`. The target's SQL runs again over a history
that ends at the end of the window, and over one that starts with it: no label may change. For
answers, it also runs over histories that end at each row's cutoff: no label may exist yet.
"""

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.history.history_table import DAY
from features.truncation_check import pair_names, truncate_each
from models.leakage.audit_sample import AuditSample, Ints, customer_ids, to_microseconds
from models.leakage.findings import LeakCheckResult, LeakFinding
from models.leakage.relabelling import Labels, compute_labels, restrict_period
from models.targets.target import Target

KIND = "label window"
#: Kind of finding: the label of a row is already known at its cutoff.
ANSWERED = "after the answer"
#: Share of a target's rows from which an answer at the very cutoff cannot be chance.
SHARE = 0.5


def check_label_windows(sample: AuditSample) -> LeakCheckResult:
    """Run every target's SQL over histories truncated at both ends of its label window."""
    findings: list[LeakFinding] = []
    compared = 0
    con = duckdb.connect()
    try:
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET threads = 1")
        for target in sample.targets:
            found, rows = _check_target(con, sample, target)
            findings += found
            compared += rows
    finally:
        con.close()
    looked_at = f"{compared:,} labels of {len(sample.targets)} targets, recomputed"
    return LeakCheckResult(KIND, looked_at, tuple(findings))


def _check_target(
    con: duckdb.DuckDBPyConnection, sample: AuditSample, target: Target
) -> tuple[list[LeakFinding], int]:
    """The findings of one target, and how many labels were compared."""
    stored = sample.stored_rows[target.name]
    tables = sample.tables_of(pc.unique(customer_ids(stored)))
    cutoff, span = _middle_cutoff(sample, target), sample.span_days(target) * DAY
    start, end = cutoff + sample.gap_days(target) * DAY, cutoff + span
    own: Ints = to_microseconds(stored)
    histories = {
        "whole": tables,
        "ending": restrict_period(tables, None, end),
        "from start": restrict_period(tables, start, None),
        "empty": restrict_period(tables, None, cutoff),
        "before": {} if target.on_calendar else truncate_each(tables, customer_ids(stored), own),
    }
    labels = compute_labels(con, sample, target, cutoff, histories, known={"from start": tables})
    whole, ending = (
        _select_labels(labels[n], target, cutoff, end - span) for n in ("whole", "ending")
    )
    findings = _check_window_end(target, whole, ending)
    later = labels["whole"].index.get_level_values(1) >= cutoff
    findings += _check_window_start(target, labels["whole"][later], labels["from start"])
    if target.on_calendar:
        return findings + _check_population(target, whole, labels["empty"]), len(whole)
    return findings + _check_known_labels(target, labels["before"], own), len(whole) + len(own)


def _middle_cutoff(sample: AuditSample, target: Target) -> int:
    """The cutoff to check: one in the middle, with records before and after its window."""
    cutoffs = np.unique(sample.keys(target).cutoff)
    return int(cutoffs[len(cutoffs) // 2])


def _select_labels(labels: Labels, target: Target, cutoff: int, latest: int) -> Labels:
    """Labels at the cutoff (calendar targets), or those whose cutoffs are not after `latest`."""
    cutoffs = labels.index.get_level_values(1)
    return labels[cutoffs == cutoff] if target.on_calendar else labels[cutoffs <= latest]


def _check_window_end(target: Target, whole: Labels, ending: Labels) -> list[LeakFinding]:
    one, other = whole.align(ending)
    wrong = int((~np.isclose(one, other, rtol=1e-9, equal_nan=True)).sum())
    if not wrong:
        return []
    return [LeakFinding(
        KIND, f"labels of {target.name}",
        f"{wrong:,} of {len(one):,} labels change when the records after their window are removed",
        "declare the whole window (targets.<name>.gap_days and horizon_days, span_days), or let the "
        "SQL read [cutoff + gap, cutoff + gap + horizon) only", target.name,
    )]  # fmt: skip


def _check_window_start(target: Target, whole: Labels, from_start: Labels) -> list[LeakFinding]:
    one, other = whole.align(from_start, join="inner")
    wrong = int((~np.isclose(one, other, rtol=1e-9, equal_nan=True)).sum())
    if not wrong:
        return []
    return [LeakFinding(
        KIND, f"labels of {target.name}",
        f"{wrong:,} of {len(one):,} labels change when the records before their window are removed: "
        "part of the outcome is known at the cutoff",
        "let the window of the SQL start at cutoff + gap_days, as the target declares", target.name,
    )]  # fmt: skip


def _check_population(target: Target, whole: Labels, empty: Labels) -> list[LeakFinding]:
    """Rows that exist only because of records after the cutoff."""
    lost = len(whole.index.difference(empty.index))
    if not lost:
        return []
    return [LeakFinding(
        KIND, f"labels of {target.name}",
        f"{lost:,} of {len(whole):,} rows exist only because of what happened after the cutoff",
        "select customers by what was known before the cutoff: join `known`, and give the target a "
        "`population`", target.name,
    )]  # fmt: skip


def _check_known_labels(target: Target, labels: Labels, cutoff: Ints) -> list[LeakFinding]:
    """Rows whose label the SQL computes from records known before their cutoff."""
    own = pd.MultiIndex.from_arrays([pair_names(len(cutoff)).to_pylist(), cutoff])
    early = len(labels.index.intersection(own))
    if not early:
        return []
    return [LeakFinding(
        ANSWERED, f"labels of {target.name}",
        f"{early:,} of {len(cutoff):,} sampled answers came before the cutoff of their row, so "
        "features see them", "use the time the question was sent (sent_at) as the cutoff",
        target.name,
    )]  # fmt: skip


def check_answer_cutoffs(sample: AuditSample) -> LeakCheckResult:
    """Compare the cutoffs of survey targets with the times questions were sent and answered."""
    asked = [t for t in sample.targets if not t.on_calendar and "surveys" in sample.manifest.rows]
    if not asked:
        return LeakCheckResult(ANSWERED, "no target is an answer")
    surveys = sample.tables["surveys"]
    surveys = surveys.filter(pc.is_valid(surveys["answered_at"]))
    found = [f for target in asked for f in _check_cutoffs(sample, target, surveys)]
    rows = sum(len(sample.keys(t).cutoff) for t in asked)
    notes = _note_instant_answers(surveys)
    return LeakCheckResult(ANSWERED, f"{rows:,} rows of {len(asked)} targets", tuple(found), notes)


def _check_cutoffs(sample: AuditSample, target: Target, surveys: pa.Table) -> list[LeakFinding]:
    keys = sample.keys(target)
    mask = pc.is_in(keys.customer_id, pc.unique(surveys["customer_id"].combine_chunks()))
    inside = mask.to_numpy(zero_copy_only=False)
    rows = list(zip(keys.customer_id.filter(mask).to_pylist(), keys.cutoff[inside], strict=True))
    owner = surveys["customer_id"].to_pylist()
    sent, answered = to_microseconds(surveys, "sent_at"), to_microseconds(surveys, "answered_at")
    later = answered > sent
    questions = set(zip(owner, sent, strict=True))
    answers = {(c, a) for c, a, w in zip(owner, answered, later, strict=True) if w}
    hits = sum(row in answers and row not in questions for row in rows)
    if not rows or hits < SHARE * len(rows):
        return []
    waited = float(np.median((answered - sent)[later])) / 3.6e9
    return [LeakFinding(
        ANSWERED, f"cutoffs of {target.name}",
        f"{hits:,} of {len(rows):,} rows have the time of an answer as their cutoff, a median of "
        f"{waited:,.1f} hours after the question was sent",
        "use the time the question was sent (sent_at) as the cutoff", target.name,
    )]  # fmt: skip


def _note_instant_answers(surveys: pa.Table) -> tuple[str, ...]:
    """A note if every answer has the time of its question: sent_at may be mapped wrongly."""
    if not surveys.num_rows:
        return ()
    if (to_microseconds(surveys, "sent_at") != to_microseconds(surveys, "answered_at")).any():
        return ()
    return (
        f"all {surveys.num_rows:,} answers have the same time as their question; if sent_at is "
        "mapped from the time of the answer, features see more than is known when a question is sent",
    )
