"""Label windows: rows whose outcome is known, with every feature then and one window earlier."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.contract import TABLES
from features.history.build_history import History
from features.history.rows import DAY, NEVER
from models.leakage.audit_sample import Case, Floats, Ints
from models.targets.registry import Target

Mask = NDArray[np.bool_]

#: Windows that are looked at from the latest on, and rows below which one is left out.
WINDOWS, LEAST = 4, 40


@dataclass(frozen=True)
class Window:
    """Rows of sampled customers whose label windows end together (answers: within a while).

    `customer` are positions in the court's history. `now` are the features as of the cutoff,
    `before` those of one label window earlier, `there` marks who was known by then.
    """

    label: Floats
    customer: Ints
    cutoff: Ints
    there: Mask
    now: pa.Table
    before: pa.Table


def windows_of(case: Case) -> dict[str, list[Window]]:
    """The latest windows of every target that do not overlap; of answers, quarters in time.

    All features of all of them are made in one pass, a customer's at one cutoff once.
    """
    parts = {target.name: _parts(case, target) for target in case.targets}
    spans = {target.name: case.span(target) * DAY for target in case.targets}
    pairs = [(who, when) for made in parts.values() for who, when, _ in made]
    pairs += [(who, when - spans[n]) for n, made in parts.items() for who, when, _ in made]
    if not pairs:
        return {name: [] for name in parts}
    both = np.column_stack([np.concatenate(side) for side in zip(*pairs, strict=True)])
    distinct, place = np.unique(both, axis=0, return_inverse=True)
    ids = pa.array(case.history.customer_ids, pa.string()).take(pa.array(distinct[:, 0]))
    made = case.made(case.history, ids, np.ascontiguousarray(distinct[:, 1]))
    since = _known_since(case.history)
    places = iter(np.split(place.reshape(-1), np.cumsum([len(who) for who, _ in pairs])[:-1]))
    now = {n: [made.take(pa.array(next(places))) for _ in part] for n, part in parts.items()}
    before = {n: [made.take(pa.array(next(places))) for _ in part] for n, part in parts.items()}
    return {
        name: [
            Window(label, who, when, since[who] < when - spans[name], *features)
            for (who, when, label), *features in zip(part, now[name], before[name], strict=True)
        ]
        for name, part in parts.items()
    }


def _parts(case: Case, target: Target) -> list[tuple[Ints, Ints, Floats]]:
    """Customers, cutoffs and labels of the rows of each window, the latest first."""
    keys = case.keys(target)
    mine = pc.is_in(keys.customer_id, case.customers)
    chosen = np.flatnonzero(mine.to_numpy(zero_copy_only=False))
    who = case.history.rows_of(keys.customer_id.take(pa.array(chosen)))
    cutoff, label = keys.cutoff[chosen], keys.label[chosen]
    masks = _calendar(cutoff, case.span(target) * DAY) if target.on_calendar else _quarters(cutoff)
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
    """When the first record of each customer was known."""
    first = np.full(len(history.customer_ids), NEVER)
    for name, rows in history.tables.items():
        owner = np.repeat(np.arange(len(first)), np.diff(rows.offsets))
        np.minimum.at(first, owner, rows.times[TABLES[name].known])
    return first
