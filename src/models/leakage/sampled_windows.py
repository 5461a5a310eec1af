"""Label windows of the sampled customers, with their features then and one window earlier."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.contract import TABLES
from features.history.build_history import History
from features.history.history_table import DAY, NEVER
from models.leakage.audit_sample import AuditSample, Floats, Ints
from models.targets.target import Target

Mask = NDArray[np.bool_]

#: Latest windows that are used, and the rows below which a window is skipped.
WINDOWS, LEAST = 4, 40


@dataclass(frozen=True)
class LabelWindow:
    """Rows of sampled customers with the same label window (answers: in the same quarter of rows).

    `customer` holds positions in the sample's history. `features` are as of the cutoff,
    `earlier_features` as of one label window before; `known_before` marks the customers known then.
    """

    label: Floats
    customer: Ints
    cutoff: Ints
    known_before: Mask
    features: pa.Table
    earlier_features: pa.Table


def build_label_windows(sample: AuditSample) -> dict[str, list[LabelWindow]]:
    """The latest non-overlapping windows of every target; for answers, quarters of the rows in time.

    All features of all windows are computed in one pass, each (customer, cutoff) pair once.
    """
    parts = {target.name: _window_rows(sample, target) for target in sample.targets}
    spans = {target.name: sample.span_days(target) * DAY for target in sample.targets}
    pairs = [(who, when) for rows in parts.values() for who, when, _ in rows]
    pairs += [(who, when - spans[n]) for n, rows in parts.items() for who, when, _ in rows]
    if not pairs:
        return {name: [] for name in parts}
    both = np.column_stack([np.concatenate(side) for side in zip(*pairs, strict=True)])
    distinct, position = np.unique(both, axis=0, return_inverse=True)
    ids = pa.array(sample.history.customer_ids, pa.string()).take(pa.array(distinct[:, 0]))
    cutoffs = np.ascontiguousarray(distinct[:, 1])
    computed = sample.compute_features(sample.history, ids, cutoffs)
    since = _known_since(sample.history)
    lengths = np.cumsum([len(who) for who, _ in pairs])[:-1]
    rest = iter(np.split(position.reshape(-1), lengths))
    now = {n: [computed.take(pa.array(next(rest))) for _ in part] for n, part in parts.items()}
    before = {n: [computed.take(pa.array(next(rest))) for _ in part] for n, part in parts.items()}
    return {
        name: [
            LabelWindow(label, who, when, since[who] < when - spans[name], *features)
            for (who, when, label), *features in zip(part, now[name], before[name], strict=True)
        ]
        for name, part in parts.items()
    }


def _window_rows(sample: AuditSample, target: Target) -> list[tuple[Ints, Ints, Floats]]:
    """Customers, cutoffs and labels of the rows of each window, the latest first."""
    keys = sample.keys(target)
    sampled = pc.is_in(keys.customer_id, sample.customers)
    chosen = np.flatnonzero(sampled.to_numpy(zero_copy_only=False))
    who = sample.history.rows_of(keys.customer_id.take(pa.array(chosen)))
    cutoff, label = keys.cutoff[chosen], keys.label[chosen]
    span = sample.span_days(target) * DAY
    masks = _calendar(cutoff, span) if target.on_calendar else _quarters(cutoff)
    return [(who[m], cutoff[m], label[m]) for m in masks if m.sum() >= LEAST]


def _calendar(cutoff: Ints, span: int) -> list[Mask]:
    distinct = np.unique(cutoff)
    masks: list[Mask] = []
    while len(distinct) and len(masks) < WINDOWS:
        masks.append(cutoff == distinct[-1])
        distinct = distinct[distinct + span <= distinct[-1]]
    return masks


def _quarters(cutoff: Ints) -> list[Mask]:
    if not len(cutoff):
        return []
    edges = np.quantile(cutoff, np.linspace(1, 0, WINDOWS + 1))
    edges[-1] -= 1
    return [(cutoff <= b) & (cutoff > a) for b, a in pairwise(edges)]


def _known_since(history: History) -> Ints:
    """Time at which the first record of each customer became known, in microseconds."""
    first = np.full(len(history.customer_ids), NEVER)
    for name, rows in history.tables.items():
        owner = np.repeat(np.arange(len(first)), np.diff(rows.offsets))
        np.minimum.at(first, owner, rows.times[TABLES[name].known])
    return first
