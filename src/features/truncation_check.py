"""Lookahead test: compare features of the full history with those of a history truncated at the cutoff.

A history truncated at `c` holds only what was known before `c`, so features as of `c` must be equal
bit for bit. What to truncate is declared here independently of the contract, on purpose: taken from
the contract, a mistake there would go unnoticed.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.engine.compute_features import FeaturePlan
from features.feature_table import feature_table
from features.history.build_history import build_history

#: A row is known from the latest of these times on.
ROW_TIMES = {
    "customers": ("valid_from",),
    "events": ("occurred_at", "known_at"),
    "surveys": ("sent_at",),
    "tickets": ("opened_at",),
}
#: The columns that a time later than the row reveals, that time included.
REVEALED_TIMES: dict[str, dict[str, tuple[str, ...]]] = {
    "surveys": {"answered_at": ("score", "expectation", "comment", "answered_at")},
    "tickets": {"first_reply_at": ("first_reply_at",), "closed_at": ("reopened", "closed_at")},
}

Tables = Mapping[str, pa.Table]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


def truncate(tables: Tables, cutoff: int) -> dict[str, pa.Table]:
    """Truncate the contract tables at a cutoff (microseconds since 1970, UTC).

    Rows known at the cutoff or later are removed, values revealed at the cutoff or later are null.
    """
    instant = pa.scalar(cutoff, pa.timestamp("us", "UTC"))
    return {
        name: _hide_later_values(name, t.filter(_known_before(name, t, instant)), instant)
        for name, t in tables.items()
    }


def truncate_each(tables: Tables, customers: pa.Array, cutoffs: Ints) -> dict[str, pa.Table]:
    """Truncate the contract tables for each (customer, cutoff) pair, each pair as its own customer.

    Pair `i` becomes the customer `pair_names(n)[i]`, so that one history holds every customer as of
    every cutoff.
    """
    return {name: _truncate_pairs(name, t, customers, cutoffs) for name, t in tables.items()}


def pair_names(pairs: int) -> pa.Array:
    """The ids that `truncate_each` gives to the customers of `pairs` pairs."""
    return pc.utf8_lpad(pa.array(np.arange(pairs)).cast(pa.string()), 9, "0")


def _truncate_pairs(name: str, table: pa.Table, customers: pa.Array, cutoffs: Ints) -> pa.Table:
    """The rows of each pair's customer, truncated at the pair's cutoff."""
    owner = pc.index_in(table["customer_id"].combine_chunks(), pc.unique(customers))
    code = pc.index_in(customers, pc.unique(customers)).to_numpy(zero_copy_only=False)
    codes = pc.fill_null(owner, -1).to_numpy(zero_copy_only=False)
    order = np.argsort(codes, kind="stable")
    first, last = (np.searchsorted(codes[order], code, side) for side in ("left", "right"))
    count = last - first
    pair = np.repeat(np.arange(len(code)), count)
    within = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count)
    rows = table.take(pa.array(order[first[pair] + within]))
    index = rows.column_names.index("customer_id")
    rows = rows.set_column(index, "customer_id", pair_names(len(code)).take(pa.array(pair)))
    instant = pa.array(cutoffs[pair], pa.timestamp("us", "UTC"))
    known = _known_before(name, rows, instant)
    return _hide_later_values(name, rows.filter(known), instant.filter(known))


def _known_before(name: str, table: pa.Table, instant: pa.Scalar | pa.Array) -> pa.Array:
    """Which rows were known before the instant."""
    kept = pa.array(np.ones(table.num_rows, bool))
    for column in ROW_TIMES[name]:
        if column in table.column_names:
            later = pc.greater_equal(table[column].combine_chunks(), instant)
            kept = pc.and_(kept, pc.invert(pc.fill_null(later, False)))
    return kept


def _hide_later_values(name: str, table: pa.Table, instant: pa.Scalar | pa.Array) -> pa.Table:
    for time, columns in REVEALED_TIMES.get(name, {}).items():
        if time not in table.column_names:
            continue
        is_known = pc.fill_null(pc.less(table[time], instant), False)
        for column in (c for c in columns if c in table.column_names):
            index = table.column_names.index(column)
            blank = pa.scalar(None, table.schema.field(column).type)
            table = table.set_column(index, column, pc.if_else(is_known, table[column], blank))
    return table


def find_leaking_features(
    tables: Tables, customers: pa.Array, cutoffs: Iterable[int], plan: FeaturePlan
) -> list[str]:
    """Find the planned columns that depend on data from the cutoff or later.

    Every customer is checked as of every cutoff; an empty list proves that nothing looks ahead.
    """
    ids = customers.to_pylist()
    full = build_history(tables, customers=ids)
    found: set[str] = set()
    for cutoff in cutoffs:
        past = build_history(truncate(tables, cutoff), customers=ids)
        instants = np.full(len(ids), cutoff, np.int64)
        from_full, from_past = (feature_table(h, customers, instants, plan) for h in (full, past))
        found.update(
            name for name in plan.names if not _same_bits(from_full[name], from_past[name])
        )
    return [name for name in plan.names if name in found]


def _same_bits(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Whether two columns are equal bit for bit; NaN equals NaN, and texts are compared as texts."""
    if not pa.types.is_floating(one.type):
        return bool(one.cast(pa.string()).equals(other.cast(pa.string())))
    a, b = one.to_numpy(), other.to_numpy()
    return bool(((a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))).all())


def differing_rows(one: pa.ChunkedArray, other: pa.ChunkedArray) -> Mask:
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
