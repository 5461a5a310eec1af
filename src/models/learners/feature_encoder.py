"""Encode the feature table as the numeric matrix of a model, in training and in requests alike."""

import difflib
import json
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import DataRefused

KEYS = ("customer_id", "cutoff")
"""Columns of the feature table that identify a row and are never features."""

MIN_CATEGORY_SHARE = 0.02
"""Categories rarer than this share of the training rows are encoded as missing."""

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds categories."""
    return bool(
        pa.types.is_dictionary(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    )


def split_informative(features: pa.Table) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the feature columns into those that vary between customers and those that do not.

    A column that is constant, or missing everywhere, goes to the second list. A column with a single
    value that is missing for some customers varies: being missing is information.
    """
    kept: list[str] = []
    dropped: list[str] = []
    for name in features.column_names:
        if name not in KEYS:
            (kept if _varies(features.column(name)) else dropped).append(name)
    return tuple(kept), tuple(dropped)


def _varies(column: pa.ChunkedArray) -> bool:
    if not is_text(column.type):
        numbers = _as_float(column)
        missing = np.isnan(numbers)
        present = numbers[~missing]
        return bool(len(present) and (missing.any() or present.min() < present.max()))
    values = set(column.unique().to_pylist())
    return len(values) > 1


def _frequent(column: pa.ChunkedArray) -> tuple[str, ...]:
    least = MIN_CATEGORY_SHARE * len(column)
    counted = pc.value_counts(column.cast(pa.string())).to_pylist()
    return tuple(
        sorted(c["values"] for c in counted if c["values"] is not None and c["counts"] >= least)
    )


def _cast(column: pa.Array, name: str) -> np.ndarray:
    if is_text(column.type):
        raise DataRefused(
            f"column {name} held numbers in training and is now {column.type}; "
            "it should be float64, NaN where unknown"
        )
    return _as_float(column)


def _as_float(column: pa.ChunkedArray | pa.Array) -> np.ndarray:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), dtype=np.float64)


@dataclass(frozen=True)
class Encoder:
    """The feature columns of a model in order, and the codes of their categories.

    The code of a category is its position in `categories[column]`.
    """

    columns: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def fit(cls, features: pa.Table, columns: tuple[str, ...]) -> "Encoder":
        """Learn the frequent categories of the text columns, in alphabetical order.

        A category with less than 2% of the rows is encoded as missing: trees would overfit to it.
        """
        empty = cls(columns, {})
        empty._check_columns(features)
        categories = {}
        for name in columns:
            column = features.column(name)
            if is_text(column.type):
                categories[name] = _frequent(column)
        return cls(columns, categories)

    def encode(self, features: pa.Table) -> Matrix:
        """Encode the rows as float64 of shape (rows, columns).

        NaN where a number is missing, and where a category is missing, rare or not in training.
        Raises DataRefused when a column is missing, has another type or holds an infinity.
        """
        self._check_columns(features)
        matrix = np.empty((features.num_rows, len(self.columns)))
        start = 0
        # By batch, because every batch of a dictionary column has its own dictionary.
        for batch in features.to_batches():
            rows = matrix[start : start + batch.num_rows]
            start += batch.num_rows
            if self._numeric:
                rows[:, self._numeric_places] = self._numbers(batch)
            for place, name, codes in self._text_places:
                rows[:, place] = _codes(batch.column(name), name, codes)
        self._check_finite(matrix)
        return matrix

    def to_json(self) -> str:
        """The encoder as JSON text, readable for people, too."""
        content = {"columns": self.columns, "categories": self.categories}
        return json.dumps(content, ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "Encoder":
        """Read the output of `to_json`; raises DataRefused for any other text."""
        try:
            content = json.loads(text)
            columns = tuple(content["columns"])
            categories = {name: tuple(known) for name, known in content["categories"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataRefused(
                f"encoder.json cannot be read ({type(error).__name__}: {error}); "
                'it should be {"columns": [...], "categories": {column: [...]}}'
            ) from error
        unknown = sorted(set(categories) - set(columns))
        if unknown or not all(isinstance(name, str) for name in columns):
            raise DataRefused(
                f"encoder.json has categories for {unknown}, which are not among its columns; "
                "columns should be strings and include every column that has categories"
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
    def _column_set(self) -> frozenset[str]:
        return frozenset(self.columns)

    def _check_columns(self, features: pa.Table) -> None:
        names = features.schema.names
        if self._column_set.issubset(names) and len(set(names)) == len(names):
            return
        given = [name for name in names if name not in KEYS]
        diff = list(difflib.unified_diff(self.columns, given, n=0, lineterm=""))
        lines = [line for line in diff[2:] if not line.startswith("@@")]
        more = [f"... and {len(lines) - 40} more lines"] if len(lines) > 40 else []
        raise DataRefused(
            "the columns of the feature table differ from those the model was trained on "
            "(- the model needs, + the table has):\n" + "\n".join(lines[:40] + more)
        )

    def _numbers(self, batch: pa.RecordBatch) -> np.ndarray:
        chosen = batch.select(self._numeric)
        try:
            return np.asarray(chosen.to_tensor(null_to_nan=True).to_numpy())
        except (pa.ArrowTypeError, pa.ArrowInvalid):  # not all columns are numbers
            return np.column_stack([_cast(chosen.column(name), name) for name in self._numeric])

    def _check_finite(self, matrix: Matrix) -> None:
        infinite = np.isinf(matrix)
        if not infinite.any():
            return
        counts = infinite.sum(axis=0)
        named = {self.columns[i]: int(counts[i]) for i in np.flatnonzero(counts)}
        raise DataRefused(
            f"infinite values, by feature column: {named}; an unknown value should be NaN"
        )


def _codes(column: pa.Array, name: str, codes: dict[str, int]) -> np.ndarray:
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    if not is_text(column.type):
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
    encoded: np.ndarray = np.array([*known, np.nan])[places.to_numpy(zero_copy_only=False)]
    return encoded
