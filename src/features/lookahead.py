"""Does a feature look into the future? Its values are compared with those of a truncated history.

A history cut off at `c` holds what was known before `c` and nothing else, so features as of `c` must
come out of it bit for bit as they do of the full one. What is cut is written down here a second
time, on purpose: taken from the contract, a mistake in the contract would prove itself right.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.engine.compute_features import Plan
from features.feature_table import feature_table
from features.history.build_history import build_history

#: A row is there from the latest of these moments on.
ROWS = {
    "customers": ("valid_from",),
    "events": ("occurred_at", "known_at"),
    "surveys": ("sent_at",),
    "tickets": ("opened_at",),
}
#: What a moment later than the row reveals, the moment itself included.
LATER: dict[str, dict[str, tuple[str, ...]]] = {
    "surveys": {"answered_at": ("score", "expectation", "comment", "answered_at")},
    "tickets": {"first_reply_at": ("first_reply_at",), "closed_at": ("reopened", "closed_at")},
}

Tables = Mapping[str, pa.Table]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def truncate(tables: Tables, cutoff: int) -> dict[str, pa.Table]:
    """The contract tables as they stood at a cutoff (microseconds since 1970, UTC).

    Rows that came at the cutoff or after are gone, values revealed then are blank.
    """
    instant = pa.scalar(cutoff, pa.timestamp("us", "UTC"))
    return {
        name: _blanked(name, t.filter(_there(name, t, instant)), instant)
        for name, t in tables.items()
    }


def truncate_each(tables: Tables, customers: pa.Array, cutoffs: Ints) -> dict[str, pa.Table]:
    """The contract tables as they stood for each (customer, cutoff), each a customer of its own.

    Row `i` of the pairs is the customer `pair_names(n)[i]`: so one history holds every customer as
    of every cutoff that is looked at.
    """
    return {name: _truncated_each(name, t, customers, cutoffs) for name, t in tables.items()}


def pair_names(pairs: int) -> pa.Array:
    """What `truncate_each` calls the customer of each of so many pairs."""
    return pc.utf8_lpad(pa.array(np.arange(pairs)).cast(pa.string()), 9, "0")


def _truncated_each(name: str, table: pa.Table, customers: pa.Array, cutoffs: Ints) -> pa.Table:
    """Every pair with the rows of its customer, cut off at its cutoff."""
    owner = pc.index_in(table["customer_id"].combine_chunks(), pc.unique(customers))
    code = pc.index_in(customers, pc.unique(customers)).to_numpy(zero_copy_only=False)
    codes = pc.fill_null(owner, -1).to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    first, last = (np.searchsorted(codes[order], code, side) for side in ("left", "right"))
    count = last - first
    pair = np.repeat(np.arange(len(code)), count)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    rows = table.take(pa.array(order[first[pair] + within]))
    place = rows.column_names.index("customer_id")
    rows = rows.set_column(place, "customer_id", pair_names(len(code)).take(pa.array(pair)))
    instant = pa.array(cutoffs[pair], pa.timestamp("us", "UTC"))
    there = _there(name, rows, instant)
    return _blanked(name, rows.filter(there), instant.filter(there))


def _there(name: str, table: pa.Table, instant: pa.Scalar | pa.Array) -> pa.Array:
    """Which rows were there before the instant."""
    kept = pa.array(np.ones(table.num_rows, bool))
    for moment in ROWS[name]:
        if moment in table.column_names:
            later = pc.greater_equal(table[moment].combine_chunks(), instant)
            kept = pc.and_(kept, pc.invert(pc.fill_null(later, False)))
    return kept


def _blanked(name: str, table: pa.Table, instant: pa.Scalar | pa.Array) -> pa.Table:
    for moment, columns in LATER.get(name, {}).items():
        if moment not in table.column_names:
            continue
        is_known = pc.fill_null(pc.less(table[moment], instant), False)
        for column in (c for c in columns if c in table.column_names):
            place = table.column_names.index(column)
            blank = pa.scalar(None, table.schema.field(column).type)
            table = table.set_column(place, column, pc.if_else(is_known, table[column], blank))
    return table


def leaking(tables: Tables, customers: pa.Array, cutoffs: Iterable[int], plan: Plan) -> list[str]:
    """The planned columns of which any value at any cutoff depends on what came at it or later.

    Every customer is looked at as of every cutoff; an empty list is the proof that nothing leaks.
    """
    ids = customers.to_pylist()
    full = build_history(tables, customers=ids)
    found: set[str] = set()
    for cutoff in cutoffs:
        past = build_history(truncate(tables, cutoff), customers=ids)
        instants = np.full(len(ids), cutoff, np.int64)
        seen, was = (feature_table(h, customers, instants, plan) for h in (full, past))
        found.update(name for name in plan.names if not _same_bits(seen[name], was[name]))
    return [name for name in plan.names if name in found]


def _same_bits(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Whether two columns are equal bit for bit; NaN equals NaN, and texts are compared as texts."""
    if not pa.types.is_floating(one.type):
        return bool(one.cast(pa.string()).equals(other.cast(pa.string())))
    a, b = one.to_numpy(), other.to_numpy()
    return bool(((a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))).all())


def differing(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Mask:
    """Which rows of two feature columns differ by more than rounding (one part in a billion)."""
    if pa.types.is_floating(one.type) and pa.types.is_floating(other.type):
        a, b = one.to_numpy(), other.to_numpy()
        if np.array_equal(a, b, equal_nan=True):
            return np.zeros(len(a), bool)
        return np.asarray(~np.isclose(a, b, rtol=1e-9, atol=0.0, equal_nan=True), bool)
    if pa.types.is_floating(one.type) or pa.types.is_floating(other.type):
        return np.ones(len(one), bool)
    first, second = (c.cast(pa.string()).to_pylist() for c in (one, other))
    return np.array([a != b for a, b in zip(first, second, strict=True)], bool)
