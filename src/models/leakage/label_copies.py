"""Check for columns of a snapshot that are the label in other words.

Without dates nothing proves that a column was filled in before the outcome. One that was filled in
because of it shows all the same: a reason for leaving is empty for everybody who stayed, a status says
"closed". Such a column predicts nearly perfectly, or one of its values, or its being filled in at all,
is found among customers who left only.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.config.snapshot_settings import LABEL
from models.leakage import univariate_auc
from models.leakage.audit_sample import SEED, AuditSample, Floats, to_microseconds
from models.leakage.findings import LeakCheckResult, LeakFinding
from models.leakage.sampled_windows import LabelWindow, Mask
from models.targets.target import Target
from models.training_set.build_training_sets import KEYS

KIND = "label in other words"
#: Rows of the training set that are looked at.
ROWS = 20_000
#: A column alone: an AUC of nobody's honest column, and a lower one that is far ahead of all others, in
#: log odds.
PERFECT, DECIDES, LEAD = 0.95, 0.88, 1.0
#: A group of only leavers: so many customers, this share of all leavers, and of the group that left.
#: Where most customers left, above HIGH_BASE, such groups are no surprise.
GROUP, GROUP_SHARE, PURE, HIGH_BASE = 30, 0.05, 0.99, 0.8
#: Values of a column that are looked at, the most frequent ones.
VALUES = 50

REMEDY = (
    "find out when it is filled in; leave it out (except = [...] under tables.customers, or no line of "
    "its own) unless it is known before a customer leaves"
)


@dataclass(frozen=True)
class _Suspect:
    """A column and the evidence against it."""

    column: str
    evidence: str


def check_label_copies(sample: AuditSample) -> LeakCheckResult:
    """Measure how well each attribute of the snapshot alone tells who left."""
    findings = []
    for target in sample.targets:
        (window,) = sample_snapshot_rows(sample)[target.name]
        findings += [
            LeakFinding(
                KIND, f"feature {suspect.column}", suspect.evidence, REMEDY, target.name
            )
            for suspect in find_label_copies(window.features, window.label, window.customer)
        ]  # fmt: skip
    columns, label = len(sample.feature_names), sample.company.snapshot
    looked_at = f"{columns} attributes against the label {label.label if label else LABEL}"
    return LeakCheckResult(KIND, looked_at, tuple(findings))


def sample_snapshot_rows(sample: AuditSample) -> dict[str, list[LabelWindow]]:
    """Rows of each training set as a single window: without dates there is no earlier one."""
    return {target.name: [_sample_rows(sample, target)] for target in sample.targets}


def _sample_rows(sample: AuditSample, target: Target) -> LabelWindow:
    table = pq.read_table(sample.training_set_path(target.name))
    chosen = np.random.default_rng(SEED).permutation(table.num_rows)[:ROWS]
    rows = table.take(pa.array(np.sort(chosen)))
    features = rows.drop(["label", "weight"])
    number = np.arange(rows.num_rows)
    everybody = np.ones(rows.num_rows, bool)
    return LabelWindow(
        rows["label"].to_numpy(), number, to_microseconds(rows), everybody, features, features
    )


def find_label_copies(features: pa.Table, label: Floats, customer: np.ndarray) -> list[_Suspect]:
    """The columns that are the label in other words, with the evidence; each customer has one row."""
    names = [n for n in features.column_names if n not in KEYS]
    found = {}
    for name in names:
        if evidence := _pure_group(features[name], label):
            found[name] = evidence
    auc = {n: _auc(features[n], label, customer) for n in names}
    for name in sorted(names, key=lambda n: -auc[n]):
        if name in found:
            continue
        rest = max((auc[n] for n in names if n != name and n not in found), default=0.5)
        ahead = _log_odds(auc[name]) - _log_odds(rest) >= LEAD
        if auc[name] >= PERFECT or (auc[name] >= DECIDES and ahead):
            found[name] = (
                f"on its own it tells who left with an AUC of {auc[name]:.3f} (1 is perfect); the best "
                f"other column has {rest:.3f}"
            )
    return [_Suspect(name, found[name]) for name in names if name in found]


def _log_odds(auc: float) -> float:
    return float(np.log(auc / max(1 - auc, 1e-3)))


def _auc(column: pa.ChunkedArray, label: Floats, customer: np.ndarray) -> float:
    """The AUC of one column, at least 0.5; texts by target encoding, missing values as the lowest."""
    if pa.types.is_floating(column.type):
        values = column.to_numpy()
    else:
        values = univariate_auc.target_encode(column, label, customer)
    auc = univariate_auc.signed_auc(univariate_auc.rank_rows(values[None, :]), label, 2)[0]
    return float(0.5 + abs(auc - 0.5)) if np.isfinite(auc) else 0.5


def _pure_group(column: pa.ChunkedArray, label: Floats) -> str | None:
    """Evidence that a value, or having one at all, occurs among leavers only; None if there is none."""
    left = label == 1
    if left.mean() > HIGH_BASE:
        return None
    least = max(GROUP, GROUP_SHARE * left.sum())
    for what, group in _groups(column):
        if group.sum() >= least and left[group].mean() >= PURE:
            return (
                f"{int(left[group].sum()):,} of the {int(group.sum()):,} customers {what} left; of all "
                f"others, {left[~group].mean():.0%}"
            )
    return None


def _groups(column: pa.ChunkedArray) -> list[tuple[str, Mask]]:
    """Groups of customers by one column: with a value, without one, other than 0, by frequent value."""
    if pa.types.is_floating(column.type):
        values = column.to_numpy()
        known = ~np.isnan(values)
        groups = [("with a number other than 0", known & (values != 0))]
        frequent = ((f"{v:g}", values == v) for v in _most_frequent(column))
    else:
        known = np.asarray(pc.is_valid(column).to_numpy(zero_copy_only=False), bool)
        groups = []
        texts = column.cast(pa.string())
        frequent = (
            (repr(v), np.asarray(pc.equal(texts, v).fill_null(False), bool))
            for v in _most_frequent(texts)
        )
    named = [("with a value", known), ("without a value", ~known), *groups]
    return named + [(f"with {value}", group) for value, group in frequent]


def _most_frequent(column: pa.ChunkedArray) -> list[object]:
    """The most frequent values of a column, missing ones excluded."""
    counted = pc.value_counts(column.combine_chunks().drop_null()).to_pylist()
    counted = [c for c in counted if c["values"] == c["values"]]  # no NaN
    counted.sort(key=lambda c: (-c["counts"], str(c["values"])))
    return [c["values"] for c in counted[:VALUES]]
