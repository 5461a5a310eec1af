"""The call list is made anew when its files change, and kept when a new file is broken."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serve.scoring.call_table_cache import CallTableCache
from support.call_lists import BOUNDS, snapshot_of

AS_OF = datetime(2025, 6, 30, tzinfo=UTC)


def write(path: Path, churn: float) -> None:
    path.parent.mkdir(exist_ok=True)
    table = pa.table({
        "customer_id": ["C-1"], "churn_probability": [churn],
        "as_of": pa.array([AS_OF], pa.timestamp("us", "UTC")),
    })  # fmt: skip
    pq.write_table(table, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores" / "scores.parquet"
    write(path, 0.25)
    return path


def test_unchanged_files_are_read_once(scores: Path) -> None:
    cache, snapshot = CallTableCache(), snapshot_of(["C-1"], AS_OF)
    first = cache.refresh(scores, snapshot, None, BOUNDS)
    assert first is not None
    assert cache.refresh(scores, snapshot, None, BOUNDS) is first
    write(scores, 0.5)
    second = cache.refresh(scores, snapshot, None, BOUNDS)
    assert second is not None
    assert second.rows["churn"].to_pylist() == [0.5]


def test_a_new_snapshot_makes_a_new_list(scores: Path) -> None:
    cache = CallTableCache()
    before = cache.refresh(scores, None, None, None)
    after = cache.refresh(scores, snapshot_of(["C-1"], AS_OF), None, None)
    assert before is not None
    assert after is not None
    assert (before.groups, set(after.groups)) == ({}, {"owner", "region"})


def test_a_broken_file_keeps_the_last_list_and_a_missing_one_has_none(scores: Path) -> None:
    cache = CallTableCache()
    good = cache.refresh(scores, None, None, None)
    scores.write_bytes(b"no parquet")
    assert cache.refresh(scores, None, None, None) is good
    scores.unlink()
    assert cache.refresh(scores, None, None, None) is None
