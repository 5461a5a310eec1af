"""Compiled code that adds up exact TreeSHAP values; its inputs are arrays only.

On the path to a leaf, a row either satisfies all splits of a column or not. So each column of the path
is one bit, and the contributions of all columns are looked up by the bits of the row.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from models.learners.lightgbm_text import CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Rows per block, so that the data stay in the processor's cache.
BLOCK_ROWS = 512

_compiled = njit(cache=True, nogil=True, error_model="numpy")
_CATEGORICAL, _DEFAULT_LEFT, _NAN_IS_MISSING = CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING


@dataclass(frozen=True)
class TreeLayout:
    """Concatenated trees; `first_...` arrays hold offsets and have one more element than the parts.

    A split has a column, threshold, kind, and for categories a section of `member` with the codes that
    go left. A tree has units: itself if it is small, else each of its leaves. A unit has bits; a bit
    is set when all of its steps hold (the split sends the row in the wanted direction). A unit has
    columns and entries: the contribution of each column by the pattern of bits. A leaf with too many
    columns has no entries but a `value` and the `share` of each column (which is one bit).
    """

    first_split: Ints
    column: Ints
    threshold: Floats
    kind: Ints
    first_member: Ints
    member: NDArray[np.bool_]
    first_unit: Ints
    first_bit: Ints
    first_step: Ints
    step_split: Ints
    step_left: NDArray[np.bool_]
    first_column: Ints
    unit_column: Ints
    first_entry: Ints
    entry: Floats
    value: Floats
    share: Floats

    def add(self, columns: Floats, out: Floats) -> None:
        """Add the contributions of rows, given as columns (k, n), to `out` (k, n)."""
        splits = (self.first_split, self.column, self.threshold, self.kind, self.first_member,
                  self.member)  # fmt: skip
        bits = (self.first_unit, self.first_bit, self.first_step, self.step_split, self.step_left)
        tables = (self.first_column, self.unit_column, self.first_entry, self.entry)
        widest = int(np.diff(self.first_column).max(initial=1))
        most_splits = int(np.diff(self.first_split).max(initial=1))
        _add(
            columns,
            out,
            most_splits,
            splits,
            bits,
            tables,
            (self.value, self.share, *legendre(widest)),
        )


def legendre(width: int) -> tuple[Floats, Floats]:
    """Nodes and weights on (0, 1), exact for products of `width - 1` linear terms."""
    nodes, weights = np.polynomial.legendre.leggauss(width // 2 + 1)
    return (nodes + 1) / 2, weights / 2


@_compiled
def _add(columns, out, most_splits, splits, bits, tables, wide):  # type: ignore[no-untyped-def]
    first_split, column, threshold, kind, first_member, member = splits
    first_unit = bits[0]
    first_column, unit_column, first_entry, entry = tables
    left = np.empty((most_splits, BLOCK_ROWS), np.bool_)
    pattern = np.empty(BLOCK_ROWS, np.int32)
    for begin in range(0, columns.shape[1], BLOCK_ROWS):
        end = min(begin + BLOCK_ROWS, columns.shape[1])
        for tree in range(len(first_split) - 1):
            first = first_split[tree]
            for s in range(first, first_split[tree + 1]):
                codes = member[first_member[s] : first_member[s + 1]]
                _decide(
                    columns[column[s], begin:end], left[s - first], threshold[s], kind[s], codes
                )
            for unit in range(first_unit[tree], first_unit[tree + 1]):
                _match(pattern, left, unit, end - begin, bits)
                start, stop = first_column[unit], first_column[unit + 1]
                place, size = first_entry[unit], first_entry[unit + 1] - first_entry[unit]
                if not size:
                    _add_wide(out[:, begin:end], pattern, unit, (start, stop), unit_column, wide)
                    continue
                patterns = size // (stop - start)
                for j in range(start, stop):
                    added = entry[place + (j - start) * patterns :]
                    target = out[unit_column[j], begin:end]
                    for row in range(len(target)):
                        target[row] += added[pattern[row]]


@_compiled
def _decide(values, left, threshold, kind, codes):  # type: ignore[no-untyped-def]
    """Which rows go left at a split, by LightGBM's rules; an unknown category goes right."""
    if kind & _CATEGORICAL:
        for row in range(len(values)):
            value = values[row]
            left[row] = value >= 0 and value < len(codes) and codes[np.int64(value)]
    elif kind & _NAN_IS_MISSING and kind & _DEFAULT_LEFT:
        for row in range(len(values)):
            left[row] = not values[row] > threshold
    elif kind & _NAN_IS_MISSING:
        for row in range(len(values)):
            left[row] = values[row] <= threshold
    else:  # not missing in training: a missing number counts as zero
        for row in range(len(values)):
            value = values[row]
            left[row] = value <= threshold or (value != value and threshold >= 0.0)


@_compiled
def _match(pattern, left, unit, rows, bits):  # type: ignore[no-untyped-def]
    """The bits of a unit that each row satisfies."""
    _, first_bit, first_step, step_split, step_left = bits
    pattern[:rows] = 0
    holds = np.empty(rows, np.bool_)
    for bit in range(first_bit[unit], first_bit[unit + 1]):
        holds[:] = True
        for step in range(first_step[bit], first_step[bit + 1]):
            sent, wanted = left[step_split[step]], step_left[step]
            for row in range(rows):
                holds[row] &= sent[row] == wanted
        place = bit - first_bit[unit]
        for row in range(rows):
            pattern[row] |= np.int32(holds[row]) << place


@_compiled
def _add_wide(out, pattern, unit, span, columns, wide):  # type: ignore[no-untyped-def]
    """The same for a leaf with too many patterns for a table (`models.explain.treeshap.paths`)."""
    value, share, nodes, weights = wide
    product = np.empty(out.shape[1])
    for q in range(len(nodes)):
        product[:] = value[unit] * weights[q]
        for j in range(span[0], span[1]):
            without = (1 - nodes[q]) * share[j]
            for row in range(len(product)):
                held = (pattern[row] >> (j - span[0])) & 1
                product[row] *= without + nodes[q] if held else without
        for j in range(span[0], span[1]):
            without = (1 - nodes[q]) * share[j]
            up, down = (1 - share[j]) / (without + nodes[q]), -share[j] / without
            target = out[columns[j]]
            for row in range(len(product)):
                held = (pattern[row] >> (j - span[0])) & 1
                target[row] += product[row] * (up if held else down)
