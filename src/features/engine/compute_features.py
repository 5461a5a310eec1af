"""Compute declared features: aggregates over the same rows are computed in one pass."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.definitions.expressions import Aggregate, Arithmetic, Constant, Expression, Month
from features.definitions.feature_registry import FeatureColumn
from features.engine.packing import (
    AggregateGroup,
    Packed,
    Stream,
    group_aggregates,
    pack_stream,
    read_only,
)
from features.history.build_history import History
from features.history.history_table import Floats, Ints
from features.text.comment_score_model import CommentScoreModel

_BLOCK = 20_000  # rows that a thread computes at once


@dataclass(frozen=True)
class FeaturePlan:
    """The columns to compute and, grouped by stream, the aggregates they consist of.

    `comment_model` computes the columns that read predicted comment scores; without it they are NaN.
    Months of the calendar are those of `time_zone`.
    """

    columns: tuple[FeatureColumn, ...]
    streams: tuple[tuple[Stream, tuple[Aggregate, ...]], ...]
    groups: tuple[tuple[Stream, tuple[AggregateGroup, ...]], ...] = field(compare=False, repr=False)
    comment_model: CommentScoreModel | None = field(default=None, repr=False)
    time_zone: str = "UTC"

    @classmethod
    def from_columns(
        cls,
        columns: Sequence[FeatureColumn],
        comment_model: CommentScoreModel | None = None,
        time_zone: str = "UTC",
    ) -> "FeaturePlan":
        """Collect each distinct aggregate once; those over the same rows share a pass."""
        grouped: dict[Stream, dict[Aggregate, None]] = {}
        for column in columns:
            for leaf in column.expression.leaves():
                grouped.setdefault(Stream.from_aggregate(leaf), {})[leaf] = None
        streams = tuple((stream, tuple(leaves)) for stream, leaves in grouped.items())
        firsts = np.cumsum([0, *(len(leaves) for _, leaves in streams)]).tolist()
        groups = tuple(
            (stream, group_aggregates(leaves, first))
            for (stream, leaves), first in zip(streams, firsts, strict=False)
        )
        return cls(tuple(columns), streams, groups, comment_model, time_zone)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns)


def compute_columns(
    history: History, customer: Ints, cutoff: Ints, plan: FeaturePlan, threads: int = 1
) -> list[Floats]:
    """Compute each planned column for each (customer position, cutoff in microseconds).

    Texts are codes into the history's words, NaN for missing.
    """
    history = history.with_comment_model(plan.comment_model)
    leaves = [leaf for _, group in plan.streams for leaf in group]
    values = _allocate(len(leaves), len(customer))
    with _workers(threads if len(customer) > _BLOCK else 1) as each:
        _fill(history, customer, cutoff, plan, values, each)
    results = dict(zip(leaves, values, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        months = _month(cutoff, plan.time_zone)
        return [_value(c.expression, results, months) for c in plan.columns]


def _allocate(leaves: int, rows: int) -> Floats:
    """Allocate the values, one row for each aggregate, so that a row can become an Arrow column.

    Arrow's allocator keeps large blocks for the next table; numpy's returns them to the system, whose
    page faults take longer than the aggregates.
    """
    buffer = pa.allocate_buffer(max(1, leaves * rows) * 8)
    return np.frombuffer(buffer, np.float64)[: leaves * rows].reshape(leaves, rows)


def _fill(
    history: History,
    customer: Ints,
    cutoff: Ints,
    plan: FeaturePlan,
    values: Floats,
    each: Callable[..., Iterator[Any]],
) -> None:
    """Compute every aggregate: pack the rows by stream, then pass over them by column and block."""
    from features.engine import kernel  # numba takes a second to import

    packed = list(each(lambda s: list(pack_stream(history, *s)), plan.groups))
    customer, cutoff = read_only(customer), read_only(cutoff)

    def compute(task: tuple[int, Packed, AggregateGroup]) -> None:
        start, pack, group = task
        rows = slice(start, start + _BLOCK)
        kernel.aggregate(pack, (customer[rows], cutoff[rows]), group.leaves, values, start)

    starts = range(0, len(customer), _BLOCK)
    list(each(compute, [(start, *task) for start in starts for part in packed for task in part]))


@contextmanager
def _workers(threads: int) -> Iterator[Callable[..., Iterator[Any]]]:
    """`map`, run by several threads if `threads` is more than one."""
    if threads == 1:
        yield map
    else:
        with ThreadPoolExecutor(threads) as pool:
            yield pool.map


def _value(expression: Expression, results: dict[Aggregate, Floats], months: Floats) -> Floats:
    """The value of an expression for each row; `months` are those of the cutoffs."""
    if isinstance(expression, Aggregate):
        return results[expression]
    if isinstance(expression, Constant):
        return np.full(len(months), expression.value)
    if isinstance(expression, Month):
        return months
    if not isinstance(expression, Arithmetic):
        raise TypeError(f"{expression!r} is not an expression that the engine knows")
    left, right = (_value(e, results, months) for e in (expression.left, expression.right))
    if expression.operator == "+":
        return left + right
    if expression.operator == "-":
        return left - right
    if expression.operator == "*":
        return left * right
    if expression.operator == ">":
        return np.asarray(left > right, np.float64)
    if expression.operator == "<=":
        return np.asarray(left <= right, np.float64)
    if expression.operator == "max":
        return np.maximum(left, right)
    return np.where(right == 0, np.nan, left / np.where(right == 0, 1.0, right))


def _month(cutoff: Ints, zone: str) -> Floats:
    """The month of each cutoff, 1 to 12, on the calendar of a time zone."""
    months = pc.month(pa.array(cutoff, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", zone)))
    return np.asarray(months.to_numpy(zero_copy_only=False), np.float64)
