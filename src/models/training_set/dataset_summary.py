"""What may be said about a data set without showing a customer: its columns, its digest and counts."""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from models.learners.feature_encoder import is_text
from models.training_set.splits import instant

if TYPE_CHECKING:
    from models.training.train import TrainingRows

#: Bytes of a digest: enough to tell all data sets of a company apart, and short enough to read.
DIGEST_BYTES = 8


@dataclass(frozen=True)
class DatasetSummary:
    """The rows that a model learnt from (`training`) or was judged on (`test`), without a value of them.

    `source` is the path of their file within the project; `columns` have the type "double" or "string";
    `counts` are numbers of rows, customers, cutoffs and labels.
    """

    name: str
    context: str
    source: str
    digest: str
    columns: tuple[tuple[str, str], ...]
    counts: dict[str, int]
    cutoffs: tuple[str, str]


def summarise_dataset(
    name: str, context: str, source: str, rows: "TrainingRows", label_counts: dict[str, int]
) -> DatasetSummary:
    """Summarise rows; the same rows have the same digest, whatever else their file holds."""
    features = rows.features
    columns = [(n, _type(features.column(n))) for n in features.column_names]
    return DatasetSummary(
        name,
        context,
        source,
        _digest(rows),
        (*columns, ("label", "double"), ("weight", "double")),
        {
            "rows": len(rows.label),
            "customers": len(np.unique(rows.customer)),
            "cutoffs": len(np.unique(rows.cutoff)),
            **{f"label {label}": n for label, n in label_counts.items()},
        },
        (_day(rows.cutoff.min()), _day(rows.cutoff.max())),
    )


def _day(cutoff: int) -> str:
    return instant(int(cutoff)).date().isoformat()


def _type(column: pa.ChunkedArray) -> str:
    return "string" if is_text(column.type) else "double"


def _digest(rows: "TrainingRows") -> str:
    """The digest of labels, weights and features, in the order of the rows."""
    hashed = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for name in rows.features.column_names:
        hashed.update(f"\0{name}\0".encode())
        _update(hashed, rows.features.column(name))
    for part in (rows.label, rows.weight, rows.customer, rows.cutoff):
        hashed.update(np.ascontiguousarray(part).data)
    return hashed.hexdigest()


def _update(hashed: hashlib.blake2b, column: pa.ChunkedArray) -> None:
    """Add the values of a column; a missing number is NaN, a missing category has no code."""
    if not is_text(column.type):
        values = column.cast(pa.float64()).to_numpy()
        hashed.update(np.where(np.isnan(values), np.nan, values).data)  # there are many NaNs
        return
    coded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    hashed.update("\0".join(coded.dictionary.to_pylist()).encode())
    hashed.update(np.ascontiguousarray(coded.indices.fill_null(-1).to_numpy()).data)
