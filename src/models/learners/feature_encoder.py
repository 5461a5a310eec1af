"""The feature table as the numbers a model reads, the same way in training and in a request."""

import difflib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import DataRefused

KEYS = ("customer_id", "cutoff")
"""Columns of the feature table that say which row it is and are never a feature."""

FREQUENT_SHARE = 0.02
"""Rarer categories than this share of the training rows are not told apart."""

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    )


def split_informative(features: pa.Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The feature columns that can tell customers apart, and the ones that cannot.

    A column that is constant, or missing everywhere, goes to the second list; a column with one
    value that is missing for some customers stays, because being missing tells them apart.
    """
    kept: list[str] = []
    dropped: list[str] = []
    for name in features.column_names:
        if name not in KEYS:
            (kept if _varies(features.column(name)) else dropped).append(name)
    return tuple(kept), tuple(dropped)


def _varies(column: pa.ChunkedArray) -> bool:
    if not _is_text(column.type):
        numbers = _as_float(column)
        missing = np.isnan(numbers)
        present = numbers[~missing]
        return bool(len(present) and (missing.any() or present.min() < present.max()))
    values = set(column.unique().to_pylist())
    return len(values) > 1


def _frequent(column: pa.ChunkedArray) -> tuple[str, ...]:
    least = FREQUENT_SHARE * len(column)
    counted = pc.value_counts(column.cast(pa.string())).to_pylist()
    return tuple(
        sorted(c["values"] for c in counted if c["values"] is not None and c["counts"] >= least)
    )


def _cast(column: pa.Array, name: str) -> np.ndarray:
    if _is_text(column.type):
        raise DataRefused(
            f"column {name} held numbers in training and is now {column.type}; "
            "it should be float64, NaN where there is nothing to measure"
        )
    return _as_float(column)


def _as_float(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


@dataclass(frozen=True)
class Encoder:
    """Which feature columns a model reads, in which order, and the code of every category.

    A category's code is its place in `categories[column]`.
    """

    columns: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def fit(cls, features: pa.Table, columns: tuple[str, ...]) -> "Encoder":
        """Learn the frequent categories of the text columns, in alphabetical order.

        A category rarer than one row in fifty is left out, and reads like a missing one: trees
        would learn it by heart.
        """
        empty = cls(columns, {})
        empty._refuse_other_columns(features)
        categories = {}
        for name in columns:
            column = features.column(name)
            if _is_text(column.type):
                categories[name] = _frequent(column)
        return cls(columns, categories)

    def encode(self, features: pa.Table) -> Matrix:
        """The rows as float64 of shape (rows, columns).

        NaN where a number is missing, and where a category is missing, rare or was never seen in
        training. Raises DataRefused when a column lacks, has another type or holds an infinity.
        """
        self._refuse_other_columns(features)
        matrix = np.empty((features.num_rows, len(self.columns)))
        start = 0
        # Batch by batch, because every batch of a dictionary column has a dictionary of its own.
        for batch in features.to_batches():
            rows = matrix[start : start + batch.num_rows]
            start += batch.num_rows
            if self._numeric:
                rows[:, self._numeric_places] = self._numbers(batch)
            for place, name, codes in self._text_places:
                rows[:, place] = _codes(batch.column(name), name, codes)
        self._refuse_infinities(matrix)
        return matrix

    def unseen(self, features: pa.Table) -> dict[str, int]:
        """How many rows hold a category that training never saw, for the columns where any do."""
        self._refuse_other_columns(features)
        counts = {}
        for name, known in self.categories.items():
            values = features.column(name).to_pylist()
            new = set(values) - set(known) - {None}
            if new:
                counts[name] = sum(value in new for value in values)
        return counts

    def to_json(self) -> str:
        """The encoder as JSON text, made to be read by a person too."""
        content = {"columns": self.columns, "categories": self.categories}
        return json.dumps(content, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Encoder":
        """The encoder that `to_json` wrote; DataRefused when the text is something else."""
        try:
            content = json.loads(text)
            columns = tuple(content["columns"])
            categories = {name: tuple(known) for name, known in content["categories"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataRefused(
                f"encoder.json cannot be read ({type(error).__name__}: {error}); "
                'it should be {"columns": [...], "categories": {column: [...]}}'
            ) from error
        strangers = sorted(set(categories) - set(columns))
        if strangers or not all(isinstance(name, str) for name in columns):
            raise DataRefused(
                f"encoder.json has categories for {strangers}, which are not among its columns; "
                "columns should be texts and hold every column that has categories"
            )
        return cls(columns, categories)

    @cached_property
    def _numeric(self) -> list[str]:
        return [name for name in self.columns if name not in self.categories]

    @cached_property
    def _numeric_places(self) -> list[int]:
        return [i for i, name in enumerate(self.columns) if name not in self.categories]

    @cached_property
    def _text_places(self) -> list[tuple[int, str, dict[str, int]]]:
        return [
            (place, name, {value: code for code, value in enumerate(self.categories[name])})
            for place, name in enumerate(self.columns)
            if name in self.categories
        ]

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(self.columns)

    def _refuse_other_columns(self, features: pa.Table) -> None:
        names = features.schema.names
        if self._wanted.issubset(names) and len(set(names)) == len(names):
            return
        given = [name for name in names if name not in KEYS]
        diff = list(difflib.unified_diff(self.columns, given, n=0, lineterm=""))
        lines = [line for line in diff[2:] if not line.startswith("@@")]
        more = [f"... and {len(lines) - 40} more lines"] if len(lines) > 40 else []
        raise DataRefused(
            "the feature table has other columns than the model was trained on "
            "(- the model needs, + the table has):\n" + "\n".join(lines[:40] + more)
        )

    def _numbers(self, batch: pa.RecordBatch) -> np.ndarray:
        chosen = batch.select(self._numeric)
        try:
            return np.asarray(chosen.to_tensor(null_to_nan=True).to_numpy())
        except (pa.ArrowTypeError, pa.ArrowInvalid):  # not all columns are numbers
            return np.column_stack([_cast(chosen.column(name), name) for name in self._numeric])

    def _refuse_infinities(self, matrix: Matrix) -> None:
        infinite = np.isinf(matrix)
        if not infinite.any():
            return
        counts = infinite.sum(axis=0)
        named = {self.columns[i]: int(counts[i]) for i in np.flatnonzero(counts)}
        raise DataRefused(
            f"infinite values, by feature column: {named}; a value that cannot be measured is NaN"
        )


def _codes(column: pa.Array, name: str, codes: dict[str, int]) -> np.ndarray:
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not _is_text(column.type):
        raise DataRefused(
            f"column {name} held categories in training and is now {column.type}; "
            "it should be a dictionary of strings, null where unknown"
        )
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    known = [codes.get(value, np.nan) for value in column.dictionary.to_pylist()]
    places = column.indices
    if places.null_count:
        places = places.fill_null(len(known))
    answer: np.ndarray = np.array([*known, np.nan])[places.to_numpy(zero_copy_only=False)]
    return answer
