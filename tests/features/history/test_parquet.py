"""Reading part of a stored table equals filtering the whole."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.history.parquet import read_stored_table, stored_customers

IDS = st.lists(st.sampled_from(["A", "B", "Bb", "É", "客户", "z"]), max_size=12).map(sorted)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("stored")


@given(ids=IDS, bounds=st.tuples(st.sampled_from("ABbzÉ"), st.sampled_from("ABbzÉ客")),
       statistics=st.booleans())  # fmt: skip
def test_reading_a_range_equals_filtering_the_table(folder, ids, bounds, statistics):
    table = pa.table(
        {
            "customer_id": pa.array(ids, pa.string()),
            "kind": pa.array(
                [f"k{i % 3}" if i % 4 else None for i in range(len(ids))], pa.string()
            ),
            "amount": pa.array([float(i) for i in range(len(ids))]),
        }
    )
    file = folder / "events.parquet"
    pq.write_table(table, file, row_group_size=2, write_statistics=statistics)
    first, last = sorted(bounds)
    mask = pc.and_(
        pc.greater_equal(table["customer_id"], first), pc.less_equal(table["customer_id"], last)
    )
    assert read_stored_table(file, first, last).cast(table.schema).equals(table.filter(mask))
    assert read_stored_table(file).cast(table.schema).equals(table)
    assert stored_customers([file, file]) == sorted(set(ids))


def test_row_groups_of_other_customers_are_not_read(tmp_path, monkeypatch):
    file = tmp_path / "events.parquet"
    pq.write_table(pa.table({"customer_id": ["A", "B", "C", "D"]}), file, row_group_size=1)
    read = []
    honest = pq.ParquetFile.read_row_groups

    def watched(self, groups, *args, **options):
        read.extend(groups)
        return honest(self, groups, *args, **options)

    monkeypatch.setattr(pq.ParquetFile, "read_row_groups", watched)
    assert read_stored_table(file, "B", "C").num_rows == 2
    assert read == [1, 2]
