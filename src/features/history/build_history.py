"""Build a history in memory: each table as arrays sorted by customer and time.

Which rows count at a cutoff is decided only in `features.engine.kernel`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.contract import TABLES, TableContract
from features.history.derived_columns import DERIVED
from features.history.history_table import ALWAYS, NEVER, Floats, HistoryTable, Ints
from features.text.comment_score_model import CommentScoreModel


def revealed_by(contract: TableContract, column: str) -> str | None:
    """The time column that reveals a column of a table, or None if it is known with its row."""
    derived = DERIVED[contract.name].get(column)
    if derived is not None:
        return derived.revealed_by
    declared = contract.column(column)
    return declared.revealed_by if declared else None


@dataclass(frozen=True)
class History:
    """The history of a set of customers: sorted distinct ids, and the rows of each table."""

    customer_ids: tuple[str, ...]
    tables: dict[str, HistoryTable]

    def with_comment_model(self, model: CommentScoreModel | None) -> "History":
        """The same history with comments scored by this model."""
        tables = {name: table.with_comment_model(model) for name, table in self.tables.items()}
        return History(self.customer_ids, tables)

    def rows_of(self, customers: pa.Array) -> Ints:
        """The position of each customer id; raises KeyError naming an unknown one."""
        if pa.types.is_dictionary(customers.type):  # it may hold values that no row uses
            used, row = np.unique(customers.indices.to_numpy(), return_inverse=True)
            return np.asarray(self.rows_of(customers.dictionary.take(pa.array(used)))[row])
        position = pc.index_in(customers, pa.array(self.customer_ids, pa.string()))
        if position.null_count:
            unknown = pc.filter(customers, pc.is_null(position))[0].as_py()
            raise KeyError(f"customer {unknown!r} is not in the history")
        return np.asarray(position.to_numpy(zero_copy_only=False), np.int64)


def build_history(
    tables: Mapping[str, pa.Table], is_sorted: bool = False, customers: Iterable[str] = ()
) -> History:
    """Build a history from contract tables, for a whole company as for a single request.

    Columns have the contract's types, texts may be dictionaries; a missing column stands for missing
    values. `is_sorted` promises that each table is sorted by the contract's `order`, nulls last.
    `customers` are included even without any rows.
    """
    owners = {name: encode(table["customer_id"]) for name, table in tables.items()}
    ids = sorted(set(customers).union(*(words for _, words in owners.values())))
    return History(
        tuple(ids),
        {
            name: _rows(TABLES[name], table, _positions(*owners[name], ids), len(ids), is_sorted)
            for name, table in tables.items()
        },
    )


def _positions(codes: NDArray[np.int32], words: tuple[str, ...], ids: list[str]) -> Ints:
    """The customer of each row as a position in `ids`, which holds all words in the same order."""
    if len(words) == len(ids):
        return codes.astype(np.int64)
    position = pc.index_in(pa.array(words, pa.string()), pa.array(ids, pa.string()))
    return np.asarray(position.to_numpy(zero_copy_only=False), np.int64)[codes]


def _rows(
    contract: TableContract, table: pa.Table, customer: Ints, customers: int, is_sorted: bool
) -> HistoryTable:
    """Build one contract table as sorted arrays."""
    numbers: dict[str, Floats] = {}
    times: dict[str, Ints] = {}
    codes: dict[str, NDArray[np.int32]] = {}
    words: dict[str, tuple[str, ...]] = {}
    names = [*contract.order[1:], *(c for c in table.column_names if c not in contract.names)]
    for name in names:
        kind = _kind(contract, table, name)
        if kind == "time":
            times[name] = _times(table, name)
        elif kind == "text":
            codes[name], words[name] = _codes(table, name)
        else:
            numbers[name] = _numbers(table, name)
    if contract.clock == "valid_from":
        times["valid_from"] = np.where(times["valid_from"] == NEVER, ALWAYS, times["valid_from"])
    if contract.known == "known_at":
        unset = times["known_at"] == NEVER
        times["known_at"] = np.where(unset, times[contract.clock], times["known_at"])
    if not is_sorted:
        order = _order(customer, names, {**numbers, **times, **codes})
        customer = customer[order]
        numbers, times = _reordered(numbers, order), _reordered(times, order)
        codes = _reordered(codes, order)
    offsets = np.zeros(customers + 1, np.int64)
    np.cumsum(np.bincount(customer, minlength=customers), out=offsets[1:])
    return HistoryTable(contract, offsets, numbers, times, codes, words)


def _reordered(columns: dict[str, NDArray], order: Ints) -> dict[str, NDArray]:  # type: ignore[type-arg]
    return {name: values[order] for name, values in columns.items()}


def _order(customer: Ints, names: list[str], columns: Mapping[str, NDArray]) -> Ints:  # type: ignore[type-arg]
    """The sort order by customer and then by the named columns, missing values last."""
    keys = []
    for name in names:
        values = columns[name]
        if values.dtype == np.int32:  # codes: -1 is missing and sorts last
            values = np.where(values < 0, np.iinfo(np.int32).max, values)
        keys.append(values)
    return np.lexsort((*reversed(keys), customer))


def _kind(contract: TableContract, table: pa.Table, name: str) -> str:
    """text, number, flag or time: from the contract, or for an attribute from its values."""
    declared = contract.column(name)
    if declared:
        return declared.kind
    kind = table.schema.field(name).type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return "text" if is_text or pa.types.is_dictionary(kind) else "number"


def _times(table: pa.Table, name: str) -> Ints:
    if name not in table.column_names:
        return np.full(table.num_rows, NEVER, np.int64)
    column = table[name].combine_chunks().cast(pa.timestamp("us", "UTC"))
    filled = pc.fill_null(column.view(pa.int64()), NEVER)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.int64)


def _numbers(table: pa.Table, name: str) -> Floats:
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan)
    column = table[name].combine_chunks().cast(pa.float64())
    filled = pc.fill_null(column, np.nan)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.float64)


def _codes(table: pa.Table, name: str) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    if name not in table.column_names:
        return np.full(table.num_rows, -1, np.int32), ()
    return encode(table[name])


def encode(texts: pa.ChunkedArray) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Encode texts as codes into their sorted distinct values, -1 for missing.

    Values of a dictionary that no row has are left out.
    """
    if len(texts) < 1000:  # a single request: faster than six Arrow calls
        values = texts.cast(pa.string()).to_pylist()
        words = tuple(sorted({value for value in values if value is not None}))
        code = {None: -1} | {word: number for number, word in enumerate(words)}
        return np.array([code[value] for value in values], np.int32), words
    if not pa.types.is_dictionary(texts.type):
        texts = texts.cast(pa.string()).dictionary_encode()
    merged = texts.unify_dictionaries().combine_chunks()
    indices = np.asarray(pc.fill_null(merged.indices, -1).to_numpy(zero_copy_only=False), np.int32)
    used = np.zeros(len(merged.dictionary) + 1, bool)
    used[indices] = True
    order = pc.array_sort_indices(merged.dictionary).to_numpy()
    order = order[used[order]]
    rank = np.full(len(used), -1, np.int32)  # the last entry is for missing values
    rank[order] = np.arange(len(order), dtype=np.int32)
    return rank[indices], tuple(merged.dictionary.take(pa.array(order)).to_pylist())
