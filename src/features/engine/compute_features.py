"""From declared features to numbers: aggregates that look at the same rows are worked out together."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from features.definitions.expressions import Aggregate, Arithmetic, Constant, Expression, Month
from features.definitions.feature_registry import FeatureColumn
from features.engine.packing import AggregateGroup, Packed, Stream, read_only, pack_streams
from features.history.build_history import History
from features.history.rows import Floats, Ints
from features.text.comment_score_model import CommentScoreModel

_BLOCK = 20_000  # rows a thread takes at once


@dataclass(frozen=True)
class FeaturePlan:
    """The columns to make and, grouped by stream, the aggregates they are made of.

    `tone` reads the comments for the columns made of it; without one they have no values.
    """

    columns: tuple[FeatureColumn, ...]
    streams: tuple[tuple[Stream, tuple[Aggregate, ...]], ...]
    asked: tuple[tuple[Stream, tuple[AggregateGroup, ...]], ...] = field(compare=False, repr=False)
    comment_model: CommentScoreModel | None = field(default=None, repr=False)

    @classmethod
    def of(cls, columns: Sequence[FeatureColumn], tone: CommentScoreModel | None = None) -> "FeaturePlan":
        """Collect each different aggregate once; those over the same rows share a pass."""
        grouped: dict[Stream, dict[Aggregate, None]] = {}
        for column in columns:
            for leaf in column.expression.leaves():
                grouped.setdefault(Stream.of(leaf), {})[leaf] = None
        streams = tuple((stream, tuple(leaves)) for stream, leaves in grouped.items())
        firsts = np.cumsum([0, *(len(leaves) for _, leaves in streams)]).tolist()
        asked = tuple((s, AggregateGroup.of(a, n)) for (s, a), n in zip(streams, firsts, strict=False))
        return cls(tuple(columns), streams, asked, tone)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


def compute_columns(
    history: History, customer: Ints, cutoff: Ints, plan: FeaturePlan, threads: int = 1
) -> list[Floats]:
    """Each planned column for each (customer position, cutoff in microseconds).

    Texts come as codes into the history's words (NaN where there is none).
    """
    history = history.read_with(plan.comment_model)
    leaves = [leaf for _, group in plan.streams for leaf in group]
    values = _matrix(len(leaves), len(customer))
    with _workers(threads if len(customer) > _BLOCK else 1) as each:
        _fill(history, customer, cutoff, plan, values, each)
    results = dict(zip(leaves, values, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        return [_value(c.expression, results, cutoff) for c in plan.columns]


def _matrix(leaves: int, rows: int) -> Floats:
    """Room for the values, those of an aggregate side by side: a column of Arrow as it is.

    Arrow's allocator keeps large blocks for the next table, where numpy's hands them back to the
    system, whose page faults took longer than the aggregates.
    """
    room = pa.allocate_buffer(max(1, leaves * rows) * 8)
    return np.frombuffer(room, np.float64)[: leaves * rows].reshape(leaves, rows)


def _fill(
    history: History,
    customer: Ints,
    cutoff: Ints,
    plan: FeaturePlan,
    values: Floats,
    each: Callable[..., Iterator[Any]],
) -> None:
    """Work out every aggregate: packing by stream, then the passes by column and block of rows."""
    from features.engine import kernel  # numba takes a second to import

    packed = list(each(lambda s: list(pack_streams(history, *s)), plan.asked))
    customer, cutoff = read_only(customer), read_only(cutoff)

    def work(part: tuple[int, Packed, AggregateGroup]) -> None:
        start, pack, asked = part
        rows = slice(start, start + _BLOCK)
        kernel.aggregate(pack, (customer[rows], cutoff[rows]), asked.leaves, values, start)

    starts = range(0, len(customer), _BLOCK)
    list(each(work, [(start, *look) for start in starts for part in packed for look in part]))


@contextmanager
def _workers(threads: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """`map`, by several threads where there is enough to do."""
    if threads == 1:
        yield map
    else:
        with ThreadPoolExecutor(threads) as pool:
            yield pool.map


def _value(expression: Expression, results: dict[Aggregate, Floats], cutoff: Ints) -> Floats:
    if isinstance(expression, Aggregate):
        return results[expression]
    if isinstance(expression, Constant):
        return np.full(len(cutoff), expression.value)
    if isinstance(expression, Month):
        return _month(cutoff)
    if not isinstance(expression, Arithmetic):
        raise TypeError(f"{expression!r} is no expression the engine knows")
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
