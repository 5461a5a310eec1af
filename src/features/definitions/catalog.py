"""The feature catalogue: meaning, unit, source tables and missing rate of each feature column."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from features.definitions.feature_registry import FeatureColumn
from features.execution.partitions import open_parquet


@dataclass(frozen=True)
class FeatureDescription:
    """The description of a feature column; `missing` is its share of missing values, None if unknown."""

    name: str
    meaning: str
    unit: str
    source: str
    missing: float | None = None


def describe_features(
    columns: Sequence[FeatureColumn], rows: Path | pa.Table | None
) -> list[FeatureDescription]:
    """Describe feature columns, with their missing rates in `rows`: a table, or the path of one.

    A column that the rows do not have has no rate.
    """
    rates = missing_rates(rows, [c.name for c in columns])
    return [
        FeatureDescription(c.name, c.meaning, c.unit, c.source, rates.get(c.name)) for c in columns
    ]


def missing_rates(
    rows: Path | pa.Table | None, names: Sequence[str] | None = None
) -> dict[str, float]:
    """The share of rows in which each column (default: all) is null or NaN, read batch by batch.

    Empty without rows, and without a file at the path.
    """
    if rows is None or (isinstance(rows, Path) and not rows.exists()):
        return {}
    source = open_parquet(rows)
    present = source.schema.names
    wanted = present if names is None else [n for n in names if n in present]
    lacking = dict.fromkeys(wanted, 0)
    total = 0
    for batch in source.to_batches(columns=wanted):
        total += batch.num_rows
        for name in wanted:
            empty = pc.is_null(batch.column(name), nan_is_null=True)
            lacking[name] += pc.sum(empty).as_py() or 0
    return {name: n / total for name, n in lacking.items()} if total else {}


def as_percent(share: float | None) -> str:
    """A share as a whole percentage: empty if unknown, never 0% for a rare case."""
    if share is None:
        return ""
    return "0%" if share == 0 else "< 1%" if share < 0.01 else f"{share:.0%}"
