"""The scores file: what was predicted for everybody, and the standing it gains for the CRM."""

import json
import shutil
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.dataset import dataset

from features.atomic_write import atomic_path
from features.errors import DataRefused
from features.execution.partitions import ROW_GROUP_SIZE, part_files
from insight.evaluation.customer_metrics import PREDICTED_COLUMNS, predicted_columns
from models.scoring.score_history import VERSIONS

#: Columns of the standing that the scores file gains, with their types.
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
    """What was predicted of every customer, by customer, and by which versions of the models."""

    table: pd.DataFrame
    versions: dict[str, str] = field(default_factory=dict)


def read_predicted_scores(path: Path, as_of: datetime) -> PredictedScores:
    """The scores of that day. Raises DataRefused where there are none, or those of another day."""
    if not path.exists():
        raise DataRefused("nobody is scored; run `goodwill score`")
    source = dataset(path)
    day = source.head(1, columns=["as_of"])["as_of"][0].as_py()
    if day != as_of:
        raise DataRefused(
            f"the scores are of {day:%Y-%m-%d}, the data end {as_of:%Y-%m-%d}; run `goodwill score`"
        )
    there = [c for c in ("customer_id", *PREDICTED_COLUMNS) if c in source.schema.names]
    told = (source.schema.metadata or {}).get(VERSIONS, b"{}")
    return PredictedScores(
        predicted_columns(source.to_table(columns=there).to_pandas()), dict(json.loads(told))
    )


def add_status(scores: Path, standing: pd.DataFrame) -> None:
    """Put the standing into the scores file, part by part; a customer without one has nulls.

    Columns of a former standing are replaced; everything else stays as it was.
    """
    for file in part_files(scores):
        table = pq.read_table(file)
        beside = standing.reindex(table["customer_id"].to_pylist())
        for name, kind in STATUS_COLUMNS.items():
            values = beside[name] if name in beside else pd.Series(None, beside.index, dtype=object)
            column = pa.array(values.astype(object).to_numpy(), kind, from_pandas=True)
            place = table.schema.get_field_index(name)
            table = (
                table.append_column(name, column)
                if place < 0
                else table.set_column(place, name, column)
            )
        with atomic_path(file) as temporary:
            pq.write_table(table, temporary, compression="zstd", row_group_size=ROW_GROUP_SIZE)
            shutil.copystat(file, temporary)  # the scores are as old as before: reasons still fit
