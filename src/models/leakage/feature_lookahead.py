"""Check for features that look into the future: they change when later records are removed.

Sampled rows are recomputed from their customer's history up to the cutoff alone. The result must
equal the features computed from the full history and the row stored for training.
"""

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.history.build_history import build_history
from features.history.derived_columns import TONE
from features.text.comment_score_model import FILE
from features.truncation_check import differing_rows, pair_names, truncate_each
from models.leakage.audit_sample import (
    SEED,
    AuditSample,
    Ints,
    customer_ids,
    feature_columns,
    to_microseconds,
)
from models.leakage.findings import LeakCheckResult, LeakFinding, list_names
from models.training_set.splits import instant, microseconds

KIND = "looks ahead"
UNDECLARED = "undeclared column"
COMMENT_MODEL = "comment model lookahead"
#: Number of record times that serve as cutoffs.
INSTANTS = 100

REMEDY = (
    "let it use only what was known before the cutoff: build it from `past` alone and give late "
    "facts their own time (known_at, valid_from, answered_at, closed_at)"
)
STORED = (
    "rebuild the training sets with `goodwill features`; if the difference stays, the code that "
    "writes them uses more than the customer's past (a statistic over all customers, labels, a later "
    "cutoff)"
)
STRANGE = (
    "rebuild the training sets with `goodwill features`; every column in them must be declared with "
    "@feature"
)


def check_feature_lookahead(sample: AuditSample) -> LeakCheckResult:
    """Recompute sampled rows from truncated histories and compare every feature of every set."""
    at = [(customer_ids(rows), to_microseconds(rows)) for rows in sample.stored_rows.values()]
    at.append(_record_times(sample))
    customers = pa.concat_arrays([ids for ids, _ in at])
    cutoff = np.concatenate([times for _, times in at])
    honest = _compute_from_past(sample, customers, cutoff)
    full = sample.compute_features(sample.history, customers, cutoff)
    ahead = {n: m for n in sample.feature_names if (m := differing_rows(full[n], honest[n])).any()}
    findings = _report_features(ahead, len(cutoff))
    start = 0
    for name, rows in sample.stored_rows.items():
        findings += _report_stored(sample, name, honest.slice(start, rows.num_rows), set(ahead))
        start += rows.num_rows
    looked_at = (
        f"{len(sample.feature_names)} features in {len(cutoff):,} rows of "
        f"{len(sample.audited_customers):,} customers"
    )
    return LeakCheckResult(KIND, looked_at, tuple(findings))


def _record_times(sample: AuditSample) -> tuple[pa.Array, Ints]:
    """Customers and times of sampled records: cutoffs at the very border between past and future."""
    owners: list[pa.Array] = []
    times: list[Ints] = []
    for table in sample.tables_of(sample.audited_customers).values():
        for name in table.column_names:
            if pa.types.is_timestamp(table.schema.field(name).type) and name != "due_at":
                given = table.filter(pc.is_valid(table[name]))
                owners.append(customer_ids(given))
                times.append(to_microseconds(given, name))
    time = np.concatenate(times)
    chosen = np.random.default_rng(SEED).permutation(len(time))[:INSTANTS]
    return pa.concat_arrays(owners).take(pa.array(chosen)), time[chosen]


def _compute_from_past(sample: AuditSample, customers: pa.Array, cutoff: Ints) -> pa.Table:
    """The features of each row from a history that ends at its cutoff."""
    names = pair_names(len(cutoff))
    past = truncate_each(sample.tables_of(sample.audited_customers), customers, cutoff)
    history = build_history(past, customers=names.to_pylist())
    return sample.compute_features(history, names, cutoff)


def _report_features(ahead: dict[str, NDArray[np.bool_]], rows: int) -> list[LeakFinding]:
    if not ahead:
        return []
    most = max(int(mask.sum()) for mask in ahead.values())
    named = sorted(ahead, key=lambda n: -int(ahead[n].sum()))
    return [
        LeakFinding(
            KIND,
            f"feature {list_names(named)}",
            f"{_count(len(ahead), most)} of {rows:,} sampled values change when the records from "
            "the cutoff on are removed",
            REMEDY,
        )
    ]


def _count(columns: int, most: int) -> str:
    return f"{most:,}" if columns == 1 else f"up to {most:,}"


def _report_stored(
    sample: AuditSample, name: str, honest: pa.Table, known: set[str]
) -> Iterable[LeakFinding]:
    """Stored columns that no feature declares, and stored values that differ from the recomputed."""
    stored = sample.stored_rows[name]
    undeclared = [n for n in feature_columns(stored) if n not in sample.feature_names]
    target = None if name == "snapshot" else name
    file = f"features/{name}.parquet"
    if undeclared:
        yield LeakFinding(
            UNDECLARED, f"column {list_names(undeclared)} of {file}",
            f"none of the {len(sample.feature_names)} registered features computes it, so its "
            "source is unknown", STRANGE, target)  # fmt: skip
    wrong = {
        n: int(mask.sum())
        for n in feature_columns(stored)
        if n in sample.feature_names
        and n not in known
        and (mask := differing_rows(stored[n], honest[n])).any()
    }
    if wrong:
        named = sorted(wrong, key=lambda n: -wrong[n])
        evidence = (
            f"{_count(len(wrong), max(wrong.values()))} of {stored.num_rows:,} stored values differ "
            "from those computed from the customer's records before the cutoff"
        )
        if sample.is_stale:
            evidence += " (the history is newer than the training sets)"
        yield LeakFinding(KIND, f"column {list_names(named)} of {file}", evidence, STORED, target)


def check_comment_model(sample: AuditSample) -> LeakCheckResult:
    """Compare the last answer the comment score model learnt from with each target's validation."""
    model = sample.comment_model
    if model is None:
        return LeakCheckResult(COMMENT_MODEL, "no comment score model")
    starts = {t.name: s.valid_start for t in sample.targets if (s := sample.split(t))}
    findings = tuple(
        LeakFinding(
            COMMENT_MODEL, f"features/{FILE}",
            f"it learnt from answers until {instant(model.fitted_until):%Y-%m-%d %H:%M}, validation "
            f"starts on {start:%Y-%m-%d %H:%M}; the columns computed from {TONE} know how later "
            "customers answered",
            "rebuild the training sets with `goodwill features --refit-comments`", name,
        )
        for name, start in starts.items()
        if model.fitted_until > microseconds(start)
    )  # fmt: skip
    looked_at = (
        f"{model.comments:,} scored comments against the validation of {len(starts)} targets"
    )
    return LeakCheckResult(COMMENT_MODEL, looked_at, findings)
