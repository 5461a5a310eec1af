"""Wide tables are read some columns at a time."""

import duckdb
import pytest

from features.ingest.column_blocks import BLOCK, column_blocks


def wide_table(columns: int) -> tuple[duckdb.DuckDBPyConnection, list[str]]:
    """A table of two customers with as many numbers, the first one 0, the second 1, and so on."""
    con = duckdb.connect()
    names = [f"n {i}" for i in range(columns)]
    numbers = ", ".join(f'{i} as "{name}"' for i, name in enumerate(names))
    con.execute(f"create table wide as select *, {numbers} from (values ('a'), ('b')) t(id)")
    return con, names


def test_a_narrow_table_is_read_itself() -> None:
    con, names = wide_table(BLOCK)
    assert list(column_blocks(con, "wide", names, ["id"])) == [("wide", names)]
    assert list(column_blocks(con, "wide", [], ["id"])) == []


@pytest.mark.parametrize("columns", [BLOCK + 1, 3 * BLOCK])
def test_each_column_is_in_one_block_with_the_keys_and_its_values(columns: int) -> None:
    con, names = wide_table(columns)
    read: dict[str, list[tuple[str, int]]] = {}
    for relation, block in column_blocks(con, "wide", names, ["id"]):
        assert 0 < len(block) <= BLOCK
        for name in block:
            assert name not in read
            read[name] = con.execute(f'select id, "{name}" from {relation} order by id').fetchall()
    assert read == {name: [("a", i), ("b", i)] for i, name in enumerate(names)}
    tables = con.execute("select table_name from duckdb_tables()").fetchall()
    assert tables == [("wide",)]  # the copies are gone
