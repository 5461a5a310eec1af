"""Scores file: read the predictions of all customers, and add the customer status to it."""

import json
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.atomic_write import atomic_path
from features.errors import DataRefused
from features.execution.partitions import ROW_GROUP_SIZE, open_parquet, part_files
from insight.evaluation.customer_metrics import PREDICTED_COLUMNS, predicted_columns
from models.scoring.score_history import VERSIONS

#: Columns of the customer status in the scores file, with their types.
STATUS_COLUMNS = {
    "value_score": pa.float64(),
    "tier": pa.string(),
    "stars": pa.int64(),
    "stage": pa.string(),
    "service_level": pa.string(),
    "tier_before": pa.string(),
    "moved_because": pa.string(),
}


@dataclass(frozen=True)
class PredictedScores:
    """Predictions by customer, and the versions of the models behind them."""

    table: pd.DataFrame
    versions: dict[str, str] = field(default_factory=dict)


def read_predicted_scores(path: Path, as_of: datetime) -> PredictedScores:
    """Read the scores as of a day. Raises DataRefused without scores, or with those of another day."""
    if not path.exists():
        raise DataRefused("no customer has scores; run `goodwill score`")
    source = open_parquet(path)
    day = source.head(1, columns=["as_of"])["as_of"][0].as_py()
    if day != as_of:
        raise DataRefused(
            f"the scores are of {day:%Y-%m-%d}, the data end {as_of:%Y-%m-%d}; run `goodwill score`"
        )
    known = [c for c in ("customer_id", *PREDICTED_COLUMNS) if c in source.schema.names]
    versions = (source.schema.metadata or {}).get(VERSIONS, b"{}")
    return PredictedScores(
        predicted_columns(source.to_table(columns=known).to_pandas()), dict(json.loads(versions))
    )


def add_status(scores: Path, status: pd.DataFrame) -> None:
    """Add the status columns to the scores file, part by part; null for customers without a status.

    Columns of an earlier status are replaced; everything else stays the same.
    """
    for file in part_files(scores):
        table = pq.read_table(file)
        rows = status.reindex(table["customer_id"].to_pylist())
        for name, kind in STATUS_COLUMNS.items():
            values = rows[name] if name in rows else pd.Series(None, rows.index, dtype=object)
            column = pa.array(values.astype(object).to_numpy(), kind, from_pandas=True)
            index = table.schema.get_field_index(name)
            table = (
                table.append_column(name, column)
                if index < 0
                else table.set_column(index, name, column)
            )
        with atomic_path(file) as temporary:
            pq.write_table(table, temporary, compression="zstd", row_group_size=ROW_GROUP_SIZE)
            shutil.copystat(
                file, temporary
            )  # keep the time, so that the reasons still match the scores
