"""Filter the rows that features aggregate, and pack them into arrays for the compiled pass."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.contract import TABLES
from features.definitions.expressions import Aggregate, View
from features.definitions.filters import Filter, HashBucket, Wanted
from features.history.build_history import History, revealed_by
from features.history.derived_columns import add_derived_columns
from features.history.history_table import DAY, NEVER, Floats, HistoryTable, Ints

Mask = NDArray[np.bool_]
#: offsets, clock, known, value, same: see `kernel.aggregate`.
Packed = tuple[Ints, Ints, Ints, Floats, Ints]


@dataclass(frozen=True)
class Stream:
    """The rows that several aggregates share: a view without its window, and what must be revealed.

    `reveals` are the time columns that reveal the columns in use. Columns known with their row need
    none, so that aggregates over different columns share a stream.
    """

    view: View
    reveals: frozenset[str]

    @classmethod
    def from_aggregate(cls, leaf: Aggregate) -> "Stream":
        """The stream of an aggregate."""
        view = leaf.view
        used = {f.column for f in view.filters} | ({leaf.column} if leaf.column else set())
        contract = TABLES[view.table]
        reveals = {reveal for c in used if (reveal := revealed_by(contract, c))}
        return cls(view.within(None), frozenset(reveals))


@dataclass(frozen=True, eq=False)
class AggregateGroup:
    """The aggregates over one column of a stream, as arrays for the compiled pass.

    `leaves` are (operation, window in microseconds or -1, half-life in days, index), sorted by window
    with all time last; `index` is the row in the matrix of values. `linked`: the pass needs links
    between rows of the same value.
    """

    column: str | None
    leaves: tuple[Ints, Ints, Floats, Ints]
    linked: bool


def group_aggregates(leaves: Sequence[Aggregate], first: int) -> tuple[AggregateGroup, ...]:
    """Group the aggregates of one stream by column; their values go to the rows from `first` on.

    Aggregates that only count or date rows join the first column.
    """
    names: list[str | None] = [*sorted({x.column for x in leaves if x.column})] or [None]
    chosen: dict[str | None, list[int]] = {name: [] for name in names}
    for index, leaf in enumerate(leaves):
        chosen[leaf.column or names[0]].append(index)
    return tuple(
        AggregateGroup(
            name,
            _leaf_arrays(leaves, indices, first),
            any(leaves[i].operation == "distinct" for i in indices),
        )
        for name, indices in chosen.items()
    )


def pack_stream(
    history: History, stream: Stream, groups: Sequence[AggregateGroup]
) -> Iterator[tuple[Packed, AggregateGroup]]:
    """Pack the rows of a stream for each column group."""
    rows = history.tables.get(stream.view.table)
    if rows is None:  # a request without this table: as if it were empty
        none = np.zeros(0, np.int64)
        offsets = np.zeros(len(history.customer_ids) + 1, np.int64)
        packed: Iterable[Packed] = [(offsets, none, none, np.zeros(0), none)] * len(groups)
    else:
        packed = _pack(rows, stream, groups)
    for pack, group in zip(packed, groups, strict=True):
        yield tuple(map(read_only, pack)), group  # type: ignore[misc]


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of an array: arrays from Arrow are read-only, and with a single array type the
    pass is compiled once."""
    view = array.view()
    view.flags.writeable = False
    return view


def _leaf_arrays(
    leaves: Sequence[Aggregate], chosen: list[int], first: int
) -> tuple[Ints, Ints, Floats, Ints]:
    from features.engine.kernel import OPERATIONS  # numba takes a second to import

    chosen = sorted(chosen, key=lambda p: _days(leaves[p]))
    windows = [_days(leaves[p]) for p in chosen]
    return (
        np.array([OPERATIONS[leaves[p].operation] for p in chosen], np.int64),
        np.array([-1 if w == math.inf else int(w) * DAY for w in windows], np.int64),
        np.array([leaves[p].half_life for p in chosen]),
        np.array(chosen, np.int64) + first,
    )


def _days(leaf: Aggregate) -> float:
    return math.inf if leaf.view.window is None else leaf.view.window


def _pack(rows: HistoryTable, stream: Stream, groups: Sequence[AggregateGroup]) -> Iterator[Packed]:
    """Pack the stream's rows for each column group: those that pass its filters, sorted by its clock."""
    view = stream.view
    add_derived_columns(rows, [*(g.column for g in groups), *(f.column for f in view.filters)])
    clock, known, offsets = rows.times[view.clock], rows.known_since(stream.reveals), rows.offsets
    kept: Any = slice(None)
    if view.filters:
        kept = np.flatnonzero(np.logical_and.reduce([_passes(rows, f) for f in view.filters]))
        offsets = np.searchsorted(kept, rows.offsets)
        clock, known = clock[kept], known[kept]
    if view.clock != rows.contract.clock:  # rows are sorted along another clock
        order = np.lexsort((clock, _owners(offsets)))
        clock, known = clock[order], known[order]
        kept = order if isinstance(kept, slice) else kept[order]
    for group in groups:
        value = _column(rows, group.column)[kept] if group.column else np.zeros(len(clock))
        same = _links(value, offsets) if group.linked else np.zeros(0, np.int64)
        yield offsets, clock, known, np.ascontiguousarray(value), same


def _passes(rows: HistoryTable, condition: Filter) -> Mask:
    """Which rows match a filter; a missing value matches none."""
    column, wanted = condition.column, condition.values
    if condition.test == "known":
        return _is_present(rows, column)
    if condition.test == "is" and column in rows.codes:
        return _equals(rows.codes[column], rows.words[column], wanted)
    numbers = _column(rows, column)
    if condition.test == "is":
        return np.isin(numbers, [v for v in wanted if isinstance(v, int | float)])
    if condition.test == "at least":
        return np.asarray(numbers >= condition.bound)
    return np.asarray(numbers <= condition.bound)


def _equals(codes: NDArray[np.int32], words: tuple[str, ...], wanted: tuple[Wanted, ...]) -> Mask:
    buckets = [w for w in wanted if isinstance(w, HashBucket)]
    sought = [
        code
        for code, word in enumerate(words)
        if word in wanted or any(bucket.holds(word) for bucket in buckets)
    ]
    return np.asarray(codes == sought[0] if len(sought) == 1 else np.isin(codes, sought))


def _is_present(rows: HistoryTable, column: str) -> Mask:
    if column in rows.times:
        return np.asarray(rows.times[column] != NEVER)
    if column in rows.codes:
        return rows.codes[column] >= 0
    return ~np.isnan(_column(rows, column))


def _column(rows: HistoryTable, name: str) -> Floats:
    """A column as floats: texts as codes, NaN for missing."""
    if name in rows.numbers:
        return rows.numbers[name]
    if name in rows.codes:
        codes = rows.codes[name]
        return np.where(codes < 0, np.nan, codes.astype(np.float64))
    return np.full(len(rows), np.nan)


def _owners(offsets: Ints) -> Ints:
    """The customer of each packed row."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _links(value: Floats, offsets: Ints) -> Ints:
    """For each row the previous row of the same customer with the same value, -1 if none."""
    links = np.full(len(value), -1, np.int64)
    owner = _owners(offsets)
    order = np.lexsort((np.arange(len(value)), value, owner))
    ranked, owned = value[order], owner[order]
    again = (ranked[1:] == ranked[:-1]) & (owned[1:] == owned[:-1])
    links[order[1:][again]] = order[:-1][again]
    return links
