"""The customer status is added to the scores file without changing anything else."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataRefused
from insight.evaluation.scores_file import STATUS_COLUMNS, add_status, read_predicted_scores

DAY = datetime(2026, 7, 1, tzinfo=UTC)


def scores(path: Path, ids: list[str]) -> pa.Table:
    table = pa.table(
        {
            "customer_id": ids,
            "as_of": pa.array([DAY] * len(ids), pa.timestamp("us", "UTC")),
            "churn_probability": [0.1] * len(ids),
            "churn_version": ["3"] * len(ids),
        }
    ).replace_schema_metadata({b"goodwill_versions": b'{"churn": "3"}'})
    pq.write_table(table, path)
    return table


STATUS = pd.DataFrame(
    {"value_score": [71.5, np.nan], "tier": ["A", None], "stars": pd.array([4, None], "Int64"),
     "stage": ["active", "lost"], "service_level": ["priority", None], "tier_before": ["B", None],
     "moved_because": ["loyalty", None]},
    index=pd.Index(["c1", "c2"], name="customer_id"),
)  # fmt: skip


def test_status_columns_are_added_to_the_scores(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    before = scores(path, ["c1", "c2", "c3"])
    made = path.stat().st_mtime_ns
    for _ in range(2):  # the second time replaces the first
        add_status(path, STATUS)
    assert path.stat().st_mtime_ns == made  # otherwise the reasons would look out of date
    after = pq.read_table(path)
    assert after.schema.metadata == before.schema.metadata
    assert after.select(before.column_names).equals(before)
    assert after.column_names == [*before.column_names, *STATUS_COLUMNS]
    assert after.select(list(STATUS_COLUMNS)).to_pylist()[0] == {
        "value_score": 71.5, "tier": "A", "stars": 4, "stage": "active", "service_level": "priority",
        "tier_before": "B", "moved_because": "loyalty",
    }  # fmt: skip
    assert set(after.select(list(STATUS_COLUMNS)).to_pylist()[2].values()) == {None}
    assert [p.name for p in tmp_path.iterdir()] == ["scores.parquet"]


def test_status_columns_are_added_to_every_part_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "scores.parquet"
    folder.mkdir()
    for place, ids in enumerate((["c1"], ["c2"])):
        scores(folder / f"part-{place}.parquet", ids)
    add_status(folder, STATUS.drop(columns="stars"))
    found = pq.read_table(folder)
    assert found["stage"].to_pylist() == ["active", "lost"]
    assert found["stars"].null_count == 2


def test_scores_of_another_day_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    with pytest.raises(DataRefused, match="no customer has scores"):
        read_predicted_scores(path, DAY)
    scores(path, ["c1"])
    found = read_predicted_scores(path, DAY)
    assert found.versions == {"churn": "3"}
    assert found.table.loc["c1", "churn_probability"] == 0.1
    with pytest.raises(DataRefused, match=r"of 2026-07-01, the data end 2026-08-01"):
        read_predicted_scores(path, datetime(2026, 8, 1, tzinfo=UTC))
