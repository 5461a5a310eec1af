"""From declared features to numbers: leaves that look at the same rows are worked out together."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.contract import TABLES
from features.expressions import Aggregate, Arithmetic, Constant, Expression, Month, View
from features.history import History, revealed_by
from features.kernel import OPERATIONS, aggregate
from features.registry import Column
from features.rows import DAY, NEVER, Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK = 20_000  # rows a thread takes at once


@dataclass(frozen=True)
class Stream:
    """Rows several leaves look at: a view without its window, and what must have been revealed.

    `reveals` are the time columns after which the columns a leaf uses are known; those that come
    with the row need none, so that leaves over different columns share the stream.
    """

    view: View
    reveals: frozenset[str]

    @classmethod
    def of(cls, leaf: Aggregate) -> "Stream":
        view = leaf.view
        used = {*view.having, *(c for c, _ in view.equal), *(c for c, _ in view.least)}
        if leaf.column:
            used.add(leaf.column)
        contract = TABLES[view.table]
        reveals = {reveal for c in used if (reveal := revealed_by(contract, c))}
        return cls(view.within(None), frozenset(reveals))


@dataclass(frozen=True)
class Plan:
    """The columns to make and, grouped by stream, the aggregates they are made of."""

    columns: tuple[Column, ...]
    streams: tuple[tuple[Stream, tuple[Aggregate, ...]], ...]

    @classmethod
    def of(cls, columns: Sequence[Column]) -> "Plan":
        """Collect each different aggregate once; those over the same rows share a pass."""
        grouped: dict[Stream, dict[Aggregate, None]] = {}
        for column in columns:
            for leaf in _leaves(column.expression):
                grouped.setdefault(Stream.of(leaf), {})[leaf] = None
        streams = tuple(
            (stream, tuple(sorted(leaves, key=lambda a: a.view.window or -1)))
            for stream, leaves in grouped.items()
        )
        return cls(tuple(columns), streams)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


def _leaves(expression: Expression) -> list[Aggregate]:
    if isinstance(expression, Arithmetic):
        return _leaves(expression.left) + _leaves(expression.right)
    return [expression] if isinstance(expression, Aggregate) else []


def evaluate(
    history: History, customer: Ints, cutoff: Ints, plan: Plan, threads: int = 1
) -> list[Floats]:
    """Each planned column for each (customer position, cutoff in microseconds).

    Texts come as codes into the history's words (NaN where there is none).
    """
    results: dict[Aggregate, Floats] = {}
    for stream, leaves in plan.streams:
        rows = history.tables.get(stream.view.table)
        values = _pass(rows, stream, leaves, customer, cutoff, threads)
        results.update((leaf, values[:, j]) for j, leaf in enumerate(leaves))
    with np.errstate(divide="ignore", invalid="ignore"):
        return [_value(c.expression, results, cutoff) for c in plan.columns]


def _pass(
    rows: Rows | None,
    stream: Stream,
    leaves: tuple[Aggregate, ...],
    customer: Ints,
    cutoff: Ints,
    threads: int,
) -> Floats:
    """All leaves of one stream, in blocks of rows shared among threads."""
    out = np.empty((len(customer), len(leaves)))
    names = sorted({leaf.column for leaf in leaves if leaf.column})
    compact = _compact(rows, stream, names, needs_same(leaves))
    declared = (
        np.array([OPERATIONS[leaf.operation] for leaf in leaves], np.int64),
        np.array([names.index(a.column) if a.column else 0 for a in leaves], np.int64),
        np.array([-1 if (w := a.view.window) is None else w * DAY for a in leaves], np.int64),
        np.array([a.half_life for a in leaves]),
    )
    if rows is None:  # the request brought no such table: an empty history of it
        customer = np.zeros_like(customer)

    def work(start: int) -> None:
        part = slice(start, start + _BLOCK)
        aggregate(compact, (customer[part], cutoff[part]), declared, out[part])

    starts = range(0, len(customer), _BLOCK)
    if threads == 1 or len(starts) < 2:
        for start in starts:
            work(start)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, starts))
    return out


def needs_same(leaves: Sequence[Aggregate]) -> bool:
    """Whether a stream must link rows of the same value."""
    return any(leaf.operation == "distinct" for leaf in leaves)


Compact = tuple[Ints, Ints, Ints, Floats, Ints]


def _compact(rows: Rows | None, stream: Stream, names: list[str], link: bool) -> Compact:
    """The rows a stream selects, packed: offsets, clock, known, values, links of equal values."""
    if rows is None:
        nothing = np.zeros((max(1, len(names)), 0))
        none = np.zeros(0, np.int64)
        return np.zeros(2, np.int64), none, none, nothing, nothing.astype(np.int64)
    clock, known = rows.times[stream.view.clock], rows.known_since(stream.reveals)
    offsets = rows.offsets
    columns = [_column(rows, n) for n in names] or [np.zeros(len(clock))]
    chosen = _chosen(rows, stream.view)
    if chosen is not None:
        kept = np.flatnonzero(chosen)
        offsets = np.searchsorted(kept, rows.offsets)
        clock, known, columns = clock[kept], known[kept], [c[kept] for c in columns]
    values = np.stack(columns)
    if stream.view.clock != rows.contract.clock:  # rows are sorted along another clock
        order = _along(clock, offsets)
        clock, known, values = clock[order], known[order], values[:, order]
    same = _links(values, offsets) if link else np.zeros((values.shape[0], 0), np.int64)
    return offsets, clock, known, np.ascontiguousarray(values), same


def _chosen(rows: Rows, view: View) -> NDArray[np.bool_] | None:
    """Which rows pass the view's filters; None for all of them."""
    tests: list[Callable[[], NDArray[np.bool_]]] = []
    for column, wanted in view.equal:
        tests.append(lambda c=column, w=wanted: _equals(rows, c, w))  # type: ignore[misc]
    for column, least in view.least:
        tests.append(lambda c=column, v=least: rows.numbers[c] >= v)  # type: ignore[misc]
    for column in view.having:
        tests.append(lambda c=column: _given(rows, c))  # type: ignore[misc]
    passed: NDArray[np.bool_] | None = None
    for test in tests:
        passed = test() if passed is None else passed & test()
    return passed


def _equals(rows: Rows, column: str, wanted: tuple[str, ...]) -> NDArray[np.bool_]:
    codes, words = rows.codes[column], rows.words[column]
    sought = [words.index(w) for w in wanted if w in words]
    return np.asarray(codes == sought[0] if len(sought) == 1 else np.isin(codes, sought))


def _given(rows: Rows, column: str) -> NDArray[np.bool_]:
    if column in rows.times:
        return np.asarray(rows.times[column] != NEVER)
    if column in rows.codes:
        return rows.codes[column] >= 0
    return ~np.isnan(rows.numbers[column])


def _column(rows: Rows, name: str) -> Floats:
    """A column as floats; texts as codes, NaN for missing."""
    if name in rows.numbers:
        return rows.numbers[name]
    if name in rows.codes:
        codes = rows.codes[name]
        return np.where(codes < 0, np.nan, codes.astype(np.float64))
    return np.full(len(rows), np.nan)


def _owners(offsets: Ints) -> Ints:
    """The customer of each packed row."""
    return np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))


def _along(clock: Ints, offsets: Ints) -> Ints:
    return np.lexsort((clock, _owners(offsets)))


def _links(values: Floats, offsets: Ints) -> Ints:
    """For each row the previous row of the same customer with the same value, -1 if none."""
    links = np.full(values.shape, -1, np.int64)
    owner = _owners(offsets)
    for k, row in enumerate(values):
        order = np.lexsort((np.arange(len(row)), row, owner))
        ranked, owned = row[order], owner[order]
        again = (ranked[1:] == ranked[:-1]) & (owned[1:] == owned[:-1])
        links[k, order[1:][again]] = order[:-1][again]
    return links


def _value(expression: Expression, results: dict[Aggregate, Floats], cutoff: Ints) -> Floats:
    if isinstance(expression, Aggregate):
        return results[expression]
    if isinstance(expression, Constant):
        return np.full(len(cutoff), expression.value)
    if isinstance(expression, Month):
        return _month(cutoff)
    if not isinstance(expression, Arithmetic):
        raise TypeError(f"{expression!r} is no expression of a feature")
    left, right = (_value(e, results, cutoff) for e in (expression.left, expression.right))
    if expression.operator == "+":
        return left + right
    if expression.operator == "-":
        return left - right
    if expression.operator == "*":
        return left * right
    return np.where(right == 0, np.nan, left / np.where(right == 0, 1.0, right))


def _month(cutoff: Ints) -> Floats:
    months = cutoff.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    return (months % 12 + 1).astype(np.float64)
