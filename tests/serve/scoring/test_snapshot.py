"""Snapshots are read, or refused when truncated, empty or of another company."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataRefused
from models.bundles.champions import load_champions
from serve.scoring.snapshot import Snapshot
from support.trained_company import trained


def original() -> Path:
    return trained()[0].features("sample") / "snapshot.parquet"


def written(path: Path, table: pa.Table, **changes: str) -> Path:
    """Write a snapshot file with other metadata."""
    original_metadata = json.loads(pq.read_schema(original()).metadata[b"goodwill"])
    metadata = {b"goodwill": json.dumps({**original_metadata, **changes}).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    return path


def test_it_has_its_customers_and_its_date() -> None:
    found = Snapshot.read(original(), "sample")
    table = pq.read_table(original())
    assert found.ids == sorted(table["customer_id"].to_pylist())
    assert found.as_of == table["cutoff"][0].as_py()
    assert json.loads(table.schema.metadata[b"goodwill"])["company"] == "sample"
    assert found.find_ids("A000001", 3) == ["A0000010", "A0000011", "A0000012"]


def test_owner_and_region_by_the_companys_own_columns(tmp_path: Path) -> None:
    path = tmp_path / "snapshot.parquet"
    table = pq.read_table(original()).select(["customer_id", "cutoff"]).slice(0, 2)
    table = table.append_column("crm_sales_rep", pa.array(["S-21", None]))
    pq.write_table(table.append_column("crm_region_size", pa.array([1.0, 2.0])), path)
    found = Snapshot.read(path, "sample")
    first, second = table["customer_id"].to_pylist()
    assert found.attributes == {"owner": "sales_rep"}
    assert found.owner_and_region(first) == {"owner": "S-21"}
    assert found.owner_and_region(second) == {"owner": None}


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, share: float) -> None:
    content, path = original().read_bytes(), tmp_path / "snapshot.parquet"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataRefused, match=r"cannot be read .*goodwill features"):
        Snapshot.read(path, "sample")


def test_another_companys_file_is_refused_and_one_without_a_company_is_read(
    tmp_path: Path,
) -> None:
    path, table = tmp_path / "snapshot.parquet", pq.read_table(original())
    with pytest.raises(DataRefused, match="belongs to acme; this service is for sample"):
        Snapshot.read(written(path, table, company="acme"), "sample")
    pq.write_table(table.replace_schema_metadata(None), path)
    assert Snapshot.read(path, "sample").ids == sorted(table["customer_id"].to_pylist())


@pytest.mark.parametrize("lost", ["customer_id", "cutoff"])
def test_a_file_without_columns_or_rows_is_refused(tmp_path: Path, lost: str) -> None:
    path, table = tmp_path / "snapshot.parquet", pq.read_table(original())
    with pytest.raises(DataRefused, match="cannot be read"):
        Snapshot.read(written(path, table.drop([lost])), "sample")
    with pytest.raises(DataRefused, match="holds no customers"):
        Snapshot.read(written(path, table.slice(0, 0)), "sample")


def test_a_model_with_a_missing_column_is_excluded_with_a_reason(tmp_path: Path) -> None:
    bundles = load_champions(trained()[0].serving("sample"))[0]
    usable, excluded = Snapshot.read(original(), "sample").usable_bundles(bundles)
    assert (usable, excluded) == (bundles, {})
    lost = bundles["churn"].columns[0]
    reads = {target for target, bundle in bundles.items() if lost in bundle.columns}
    path = written(tmp_path / "snapshot.parquet", pq.read_table(original()).drop([lost]))
    fit, apart = Snapshot.read(path, "sample").usable_bundles(bundles)
    assert "churn" in reads == apart.keys()
    assert set(fit) == set(bundles) - reads
    reason = f"churn version 1 reads 1 columns that are not in the snapshot, first {lost}; run"
    assert apart["churn"].startswith(reason)
