"""The past of a customer's scores: one slim file a scoring, read for one customer at a time."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.scoring import score_history
from models.scoring.score_history import earlier_scores, history_folder, store_scores
from support.trained_company import trained

VERSIONS = {"satisfaction": "3", "nps": "2", "churn": "1", "value": "4"}


def write_scores(
    path: Path, month: int, rows: dict[str, tuple[float, float, float, float, float]]
) -> Path:
    """A scores file of that month: satisfaction, detractor, promoter, churn, value by customer."""
    path.parent.mkdir(parents=True, exist_ok=True)
    moment = datetime(2026, 1, 1, tzinfo=UTC).replace(
        year=2026 + (month - 1) // 12, month=(month - 1) % 12 + 1
    )
    satisfaction, detractor, promoter, churn, value = zip(*rows.values(), strict=True)
    table = pa.table(
        {
            "customer_id": [*rows],
            "as_of": pa.array([moment] * len(rows), pa.timestamp("us", "UTC")),
            "satisfaction_score": satisfaction,
            "nps_class": ["passive"] * len(rows),
            "nps_detractor": detractor,
            "nps_passive": [1 - d - p for d, p in zip(detractor, promoter, strict=True)],
            "nps_promoter": promoter,
            "churn_probability": churn,
            "value_expected": value,
        }
    )
    metadata = {b"goodwill_versions": json.dumps(VERSIONS).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


ROW = (70.0, 0.1, 0.6, 0.05, 1200.0)


def test_one_customer_through_three_scorings_oldest_first(tmp_path: Path) -> None:
    scores = tmp_path / "scores" / "scores.parquet"
    store_scores(write_scores(scores, 2, {"a": ROW, "b": (60.0, 0.5, 0.25, 0.5, 10.0)}))
    store_scores(write_scores(scores, 1, {"a": (40.0, 0.2, 0.2, 0.9, float("nan"))}))
    store_scores(write_scores(scores, 3, {"b": ROW, "c": ROW}))
    first, second = score_history.score_history(history_folder(scores), "a")
    assert (first.as_of, second.as_of) == (
        datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    )  # fmt: skip
    assert first.scores == {"satisfaction": 40.0, "nps": 0.0, "churn": 0.9, "value": None}
    assert second.scores == pytest.approx(
        {"satisfaction": 70.0, "nps": 50.0, "churn": 0.05, "value": 1200.0}
    )
    assert first.versions == second.versions == VERSIONS
    assert [len(score_history.score_history(history_folder(scores), c)) for c in "bcdA"] == [
        2,
        1,
        0,
        0,
    ]


def test_the_same_moment_again_replaces_its_file(tmp_path: Path) -> None:
    scores = tmp_path / "scores.parquet"
    first = store_scores(write_scores(scores, 5, {"a": ROW}))
    again = store_scores(write_scores(scores, 5, {"a": (1.0, *ROW[1:])}))
    assert first == again == tmp_path / "history" / "2026-05-01T000000Z.parquet"
    (past,) = score_history.score_history(tmp_path / "history", "a")
    assert past.scores["satisfaction"] == 1.0
    assert [f.name for f in again.parent.iterdir()] == [again.name]


def test_only_the_latest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(score_history, "KEPT", 3)
    for month in (10, 11, 12, 13, 14):
        store_scores(write_scores(tmp_path / "scores.parquet", month, {"a": ROW}))
    months = [p.as_of.month for p in score_history.score_history(tmp_path / "history", "a")]
    assert months == [12, 1, 2]


def test_every_customer_is_found_whatever_row_group_he_is_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score_history, "ROWS_TOGETHER", 4)
    ids = sorted(["", "Zoë", "客户", "a", "a b", "B'; drop", *(f"C-{i}" for i in range(20))])
    rows = {c: (float(i), *ROW[1:]) for i, c in enumerate(ids)}
    path = store_scores(write_scores(tmp_path / "scores.parquet", 1, rows))
    assert pq.ParquetFile(path).num_row_groups == 7
    for place, customer in enumerate(ids):
        (past,) = score_history.score_history(path.parent, customer)
        assert past.scores["satisfaction"] == place
    assert score_history.score_history(path.parent, "C-1x") == []


def test_without_a_scoring_there_is_no_past(tmp_path: Path) -> None:
    assert score_history.score_history(tmp_path / "history", "a") == []


def test_scoring_a_company_leaves_its_past() -> None:
    scores = trained()[0].scores("sample")
    table = pq.read_table(scores)
    (row, *_) = table.slice(table.num_rows // 2, 1).to_pylist()
    (past,) = score_history.score_history(history_folder(scores), row["customer_id"])
    assert past.as_of == row["as_of"]
    assert past.scores == pytest.approx(
        {
            "satisfaction": row["satisfaction_score"],
            "nps": 100 * (row["nps_promoter"] - row["nps_detractor"]),
            "churn": row["churn_probability"],
            "value": row["value_expected"],
        }
    )
    assert past.versions == dict.fromkeys(("satisfaction", "nps", "churn", "value"), "1")


@pytest.mark.parametrize(
    ("months", "as_of", "chosen"),
    [
        ([1, 2, 3, 4], datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        ([1, 3, 4], datetime(2026, 4, 20, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        ([3, 4], datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)),
        ([4], datetime(2026, 4, 1, tzinfo=UTC), None),
    ],
    ids=["a month", "at least 28 days", "the oldest", "none"],
)
def test_the_scores_of_a_month_before(
    tmp_path: Path, months: list[int], as_of: datetime, chosen: datetime | None
) -> None:
    scores = tmp_path / "scores" / "scores.parquet"
    for month in months:
        store_scores(write_scores(scores, month, {"a": ROW, "b": ROW}))
    found = earlier_scores(history_folder(scores), as_of)
    assert (found.as_of if found else None) == chosen
    if found:
        assert found.versions == VERSIONS
        assert found.table["churn"].to_pylist() == [0.05, 0.05]
