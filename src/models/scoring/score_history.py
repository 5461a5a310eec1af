"""What was said of each customer before: one slim file a scoring, so that a score has a past.

A file holds one number a target, in the order of the snapshot, in row groups small enough that one
customer is read in milliseconds. A scoring as of the same moment replaces its file.
"""

import json
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow.dataset import dataset

from features.atomic_write import atomic_path
from features.execution.partitions import write_parquet
from models.targets.registry import TARGETS
from models.targets.target import Target

#: The scorings that are kept: three years of monthly ones.
KEPT = 36
#: One customer's look-up reads the footer and one row group; here both take about as long.
ROWS_TOGETHER = 5_000
#: File names that sort by time and that every file system takes.
NAME = "%Y-%m-%dT%H%M%SZ"
VERSIONS = b"goodwill_versions"


@dataclass(frozen=True)
class PastScore:
    """One customer's scores as of one moment, by target, and the versions that said so.

    Satisfaction is 0 to 100, NPS promoters less detractors in points, churn a probability, value
    money. None where the model could not tell.
    """

    as_of: datetime
    scores: dict[str, float | None]
    versions: dict[str, str]


def history_folder(scores: Path) -> Path:
    """The folder of the past scores beside a scores file."""
    return scores.parent / "history"


def store_scores(scores: Path) -> Path:
    """Keep the scores just written in the history beside them, and the latest 36 files of it."""
    source = dataset(scores)
    folder = history_folder(scores)
    folder.mkdir(exist_ok=True)
    as_of: datetime = source.head(1, columns=["as_of"])["as_of"][0].as_py()
    path = folder / f"{as_of.astimezone(UTC).strftime(NAME)}.parquet"
    with atomic_path(path) as temporary:
        write_parquet(temporary, _slim(scores), ROWS_TOGETHER)
    for old in sorted(folder.glob("*.parquet"))[:-KEPT]:
        old.unlink()
    return path


def _slim(scores: Path) -> Iterator[pa.Table]:
    """The scores as the history has them, a number a target."""
    source = dataset(scores)
    versions = {VERSIONS: source.schema.metadata[VERSIONS]}
    scored = [TARGETS[name] for name in json.loads(versions[VERSIONS])]
    needed = [c for target in scored for c in _columns(target)]
    for batch in source.to_batches(columns=["customer_id", *needed], batch_size=20 * ROWS_TOGETHER):
        columns = {"customer_id": batch["customer_id"]}
        columns |= {target.name: _score(target, batch) for target in scored}
        yield pa.table(columns).replace_schema_metadata(versions)


def _columns(target: Target) -> list[str]:
    """What the score of a target is made of: its first output, or the shares of its classes."""
    names = target.classes if target.kind == "multiclass" else target.outputs[:1]
    return [f"{target.name}_{name}" for name in names]


def _score(target: Target, batch: pa.RecordBatch) -> NDArray[np.float64]:
    columns = [batch[name].to_numpy(zero_copy_only=False) for name in _columns(target)]
    if target.kind != "multiclass":
        return np.asarray(columns[0], np.float64)
    mix = target.class_values or range(len(columns))
    return np.asarray(100 * sum(m * share for m, share in zip(mix, columns, strict=True)))


def score_history(folder: Path, customer_id: str) -> list[PastScore]:
    """One customer's scores in each kept scoring that knew him, the oldest first."""
    found = (_look_up(path, customer_id) for path in sorted(folder.glob("*.parquet")))
    return [past for past in found if past]


def _look_up(path: Path, customer_id: str) -> PastScore | None:
    try:
        source = pa.memory_map(str(path))
    except FileNotFoundError:  # a scoring has just made it the thirty-seventh
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
    as_of = datetime.strptime(path.stem, NAME).replace(tzinfo=UTC)
    return PastScore(as_of, {t: None if v != v else v for t, v in numbers.items()}, versions)


def _last(file: pq.ParquetFile, group: int) -> str:
    """The last customer of a row group; the customers are sorted."""
    return str(file.metadata.row_group(group).column(0).statistics.max)
