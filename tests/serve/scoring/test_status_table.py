"""Customer status from its file: found by id, null if unknown, refused if broken."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import CustomerStatus, NextStep
from insight.evaluation.indicator_schema import IntervalEstimate
from serve.scoring.status_table import StatusTable
from support.evaluation_builders import AS_OF, SINCE, standing


def read(path: Path, table: pa.Table) -> StatusTable:
    pq.write_table(table, path / "customer_status.parquet")
    return StatusTable.read(path / "customer_status.parquet")


def test_every_customer_is_found_whatever_the_order_of_the_file(tmp_path: Path) -> None:
    table = standing()
    found = read(tmp_path, table)
    assert found.as_of == AS_OF
    for row in table.to_pylist():
        status = found.of(row["customer_id"])
        assert (status.tier, status.stars) == (row["tier"], row["stars"])
        assert (status.stage, status.group) == ("at_risk", None)
        score = status.value_score
        assert (score and score.value) == row["value_score"]
    for nobody in ("", "C-", "C-1000x", "A", "Z", "\ud800"):
        assert found.of(nobody) == CustomerStatus()


def test_only_a_change_of_tier_gives_a_migration(tmp_path: Path) -> None:
    found = read(tmp_path, standing())
    moved = found.of("C-7").migration
    assert moved is not None
    assert moved.model_dump(by_alias=True) == {
        "from": "C", "to": "B", "since": SINCE, "cause": "contribution",
    }  # fmt: skip
    assert found.of("C-8").migration is None
    nobody = found.of("C-9")
    assert (nobody.tier, nobody.stars, nobody.value_score, nobody.migration) == (None,) * 4


def test_the_next_step_is_the_service_policy_of_the_tier(tmp_path: Path) -> None:
    found = read(tmp_path, standing())
    assert found.of("C-6").next_step == NextStep(manager="dedicated", within_hours=2.0)
    assert found.of("C-8").next_step == NextStep(manager="none", within_hours=24.0)
    assert found.of("C-9").next_step is None  # no tier


def test_fewer_columns_and_other_types_are_read(tmp_path: Path) -> None:
    naive = pa.array([AS_OF.replace(tzinfo=None)] * 2, pa.timestamp("ns"))
    table = pa.table(
        {
            "customer_id": pa.array(["b", "a"], pa.large_string()),
            "as_of": naive,
            "value_score": [float("nan"), 3.5],
            "tier": pa.array(["A", None]).dictionary_encode(),
            "stars": [None, 4],
            "group": pa.nulls(2),
            "tier_before": [None, "A"],
        }
    )
    found = read(tmp_path, table)
    assert found.as_of == AS_OF
    assert found.of("a") == CustomerStatus(stars=4, value_score=IntervalEstimate(value=3.5))
    assert found.of("b") == CustomerStatus(tier="A")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "customer_status.parquet"
    pq.write_table(standing(), path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(DataRefused, match=r"cannot be read .*goodwill evaluate"):
        StatusTable.read(path)


@pytest.mark.parametrize("lost", ["customer_id", "as_of"])
def test_a_file_without_its_keys_is_refused(tmp_path: Path, lost: str) -> None:
    with pytest.raises(DataRefused, match="goodwill evaluate"):
        read(tmp_path, standing().drop([lost]))


def test_duplicate_customers_two_days_and_an_empty_file_are_refused(tmp_path: Path) -> None:
    table, later = standing(), standing(datetime(2025, 7, 31, tzinfo=UTC))
    twice = pa.concat_tables([table, table.slice(3, 1)])
    days = pa.concat_tables([table.slice(0, 3), later.slice(3, 3)])
    for wrong in (twice, days, table.slice(0, 0)):
        with pytest.raises(DataRefused, match="does not hold each customer once on one day"):
            read(tmp_path, wrong)
