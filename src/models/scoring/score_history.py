"""Past scores of each customer: one small file for each scoring run.

A file holds one number for each target, in the order of the snapshot, in row groups small enough to
read one customer in milliseconds. Scoring again as of the same time replaces the file.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.atomic_write import atomic_path
from features.execution.partitions import open_parquet, write_parquet
from models.targets.registry import TARGETS
from models.targets.target import Target

#: Scoring runs that are kept; with one run per night these are 36 days.
KEPT = 36
#: Looking up a customer reads the footer and one row group; at this size both take about as long.
ROWS_TOGETHER = 5_000
#: File names that sort by time and that every file system accepts.
NAME = "%Y-%m-%dT%H%M%SZ"
VERSIONS = b"goodwill_versions"
#: Scores are compared with those of a month before: at least so many days.
MONTH_DAYS = 28


@dataclass(frozen=True)
class PastScore:
    """One customer's scores as of one time, by target, and the model versions behind them.

    Satisfaction is 0 to 100, NPS the promoters minus the detractors in points, churn a probability,
    value money. None where the model has no score.
    """

    as_of: datetime
    scores: dict[str, float | None]
    versions: dict[str, str]


@dataclass(frozen=True)
class EarlierScores:
    """Everybody's scores of an earlier run: `customer_id` and one column for each target."""

    as_of: datetime
    table: pa.Table
    versions: dict[str, str]


def history_folder(scores: Path) -> Path:
    """The folder with the past scores, next to a scores file."""
    return scores.parent / "history"


def store_scores(scores: Path) -> Path:
    """Store the scores just written in the history next to them; the latest 36 files are kept."""
    source = open_parquet(scores)
    folder = history_folder(scores)
    folder.mkdir(exist_ok=True)
    as_of: datetime = source.head(1, columns=["as_of"])["as_of"][0].as_py()
    path = folder / f"{as_of.astimezone(UTC).strftime(NAME)}.parquet"
    with atomic_path(path) as temporary:
        write_parquet(temporary, _history_rows(scores), ROWS_TOGETHER)
    for old in sorted(folder.glob("*.parquet"))[:-KEPT]:
        old.unlink()
    return path


def _history_rows(scores: Path) -> Iterator[pa.Table]:
    """The scores in the form of the history: one number for each target."""
    source = open_parquet(scores)
    versions = {VERSIONS: source.schema.metadata[VERSIONS]}
    scored = [TARGETS[name] for name in json.loads(versions[VERSIONS])]
    needed = [c for target in scored for c in _columns(target)]
    for batch in source.to_batches(columns=["customer_id", *needed], batch_size=20 * ROWS_TOGETHER):
        columns = {"customer_id": batch["customer_id"]}
        columns |= {target.name: _score(target, batch) for target in scored}
        yield pa.table(columns).replace_schema_metadata(versions)


def _columns(target: Target) -> list[str]:
    """The columns behind the score of a target: its first output, or its class probabilities."""
    names = target.classes if target.kind == "multiclass" else target.outputs[:1]
    return [f"{target.name}_{name}" for name in names]


def _score(target: Target, batch: pa.RecordBatch) -> NDArray[np.float64]:
    columns = [batch[name].to_numpy(zero_copy_only=False) for name in _columns(target)]
    if target.kind != "multiclass":
        return np.asarray(columns[0], np.float64)
    values = target.class_values or range(len(columns))
    return np.asarray(100 * sum(v * share for v, share in zip(values, columns, strict=True)))


def score_history(folder: Path, customer_id: str) -> list[PastScore]:
    """One customer's scores in each stored scoring run that includes them, the oldest first."""
    found = (_look_up(path, customer_id) for path in sorted(folder.glob("*.parquet")))
    return [past for past in found if past]


def earlier_scores(folder: Path, as_of: datetime) -> EarlierScores | None:
    """The last scoring run a month before `as_of`, or the oldest one if all are younger than a month.

    None without an earlier run.
    """
    runs = {_time_of(path): path for path in sorted(folder.glob("*.parquet"))}
    earlier = [moment for moment in runs if moment < as_of]
    if not earlier:
        return None
    month_old = [m for m in earlier if m <= as_of - timedelta(days=MONTH_DAYS)]
    chosen = max(month_old) if month_old else min(earlier)
    table = pq.read_table(runs[chosen])
    return EarlierScores(chosen, table, json.loads(table.schema.metadata[VERSIONS]))


def _time_of(path: Path) -> datetime:
    return datetime.strptime(path.stem, NAME).replace(tzinfo=UTC)


def _look_up(path: Path, customer_id: str) -> PastScore | None:
    try:
        source = pa.memory_map(str(path))
    except FileNotFoundError:  # a scoring run has just removed it as the thirty-seventh
        return None
    with source, pq.ParquetFile(source) as file:
        groups = range(file.num_row_groups)
        place = bisect_left(groups, customer_id, key=lambda g: _last(file, g))
        if place == len(groups):
            return None
        table = file.read_row_group(place, use_threads=False)
        row = table["customer_id"].index(customer_id).as_py()
        if row < 0:
            return None
        numbers = table.drop_columns(["customer_id"]).slice(row, 1).to_pylist()[0]
        versions = json.loads(file.schema_arrow.metadata[VERSIONS])
    return PastScore(
        _time_of(path), {t: None if v != v else v for t, v in numbers.items()}, versions
    )


def _last(file: pq.ParquetFile, group: int) -> str:
    """The last customer of a row group; the customers are sorted."""
    return str(file.metadata.row_group(group).column(0).statistics.max)
