"""Tables computed piece by piece: in the order of the pieces, replaced as a whole or not at all."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.atomic_write import remove_path, replace_atomically
from features.errors import DataRefused
from features.execution.partitions import (
    LOCAL,
    CustomerRange,
    column_names,
    part_files,
    partition,
    split_customers,
    write_parquet,
)
from features.progress import silent_steps


def table(*ids: str) -> pa.Table:
    return pa.table({"customer_id": pa.array(ids, pa.string())})


def stored(path: Path) -> list[str]:
    ids: list[str] = pq.read_table(path)["customer_id"].to_pylist()
    return ids


@given(st.sets(st.text(max_size=3)), st.integers(1, 9))
def test_ranges_cover_all_customers_in_order(ids: set[str], size: int) -> None:
    ordered = sorted(ids)
    cut = split_customers(ordered, size)
    inside = [[i for i in ordered if s.first <= i <= s.last] for s in cut]
    assert [i for part in inside for i in part] == ordered
    assert [len(part) for part in inside[:-1]] == [size] * (len(cut) - 1)


@given(st.lists(st.integers()), st.integers(1, 9))
def test_partition_keeps_order_and_balances(pieces: list[int], partitions: int) -> None:
    shares = partition(pieces, partitions)
    assert [p for share in shares for p in share] == pieces
    assert len(shares) == min(partitions, len(pieces))
    lengths = [len(share) for share in shares]
    assert max(lengths, default=0) - min(lengths, default=0) <= 1


def test_a_range_includes_both_ends(tmp_path: Path) -> None:
    path = tmp_path / "events.parquet"
    pq.write_table(table("10", "A", "A", "B", "Z", "Ö"), path, row_group_size=2)
    assert CustomerRange("A", "Z").read(path)["customer_id"].to_pylist() == ["A", "A", "B", "Z"]
    assert CustomerRange("a", "c").read(path).num_rows == 0


def test_pieces_keep_their_order_and_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    pieces = ["B", "", "A", "-"]
    made = {"B": table("B", "B"), "": None, "A": table("A"), "-": table()}
    assert LOCAL.write(made.get, pieces, path, silent_steps()) == 3
    assert stored(path) == ["B", "B", "A"]
    assert pq.ParquetFile(path).num_row_groups == 2
    assert [f.name for f in tmp_path.iterdir()] == ["made.parquet"]


def test_the_existing_table_stays_when_a_piece_fails_or_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "made.parquet"
    pq.write_table(table("old"), path)

    def fails(piece: str) -> pa.Table:
        if piece == "B":
            raise DataRefused("the disk is full")
        return table(piece)

    with pytest.raises(DataRefused, match="disk is full"):
        LOCAL.write(fails, ["A", "B"], path, silent_steps())
    assert stored(path) == ["old"]
    assert LOCAL.write(lambda _: None, ["A", "B"], path, silent_steps()) == 0
    assert LOCAL.write(fails, [], path, silent_steps()) == 0
    assert stored(path) == ["old"]


def folder_of(path: Path, *ids: str) -> Path:
    path.mkdir()
    for number, customer in enumerate(ids):
        write_parquet(path / f"part-{number:05d}.parquet", [table(customer)])
    return path


@pytest.mark.parametrize("new", ["file", "folder"])
@pytest.mark.parametrize("old", ["file", "folder", "nothing"])
def test_files_and_folders_replace_each_other(tmp_path: Path, old: str, new: str) -> None:
    path, made = tmp_path / "made.parquet", tmp_path / "made.new"
    makers = {
        "file": lambda p, *ids: write_parquet(p, [table(*ids)]),
        "folder": folder_of,
        "nothing": lambda *_: None,
    }
    makers[old](path, "old")
    makers[new](made, "A", "B")
    replace_atomically(made, path)
    assert stored(path) == ["A", "B"]
    assert column_names(path) == ["customer_id"]
    names = {"file": ["made.parquet"], "folder": ["part-00000.parquet", "part-00001.parquet"]}
    assert [f.name for f in part_files(path)] == names[new]
    assert list(tmp_path.iterdir()) == [path]
    remove_path(path)
    remove_path(path)
    assert list(tmp_path.iterdir()) == []
