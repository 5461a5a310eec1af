"""Read wide tables some columns at a time: a statement takes time for each column of what it reads."""

from collections.abc import Iterator, Sequence

import duckdb

from features.ingest.sql import quote_identifier

#: The most columns of a block.
BLOCK = 50
_COPY = "column_block"


def column_blocks(
    con: duckdb.DuckDBPyConnection, relation: str, columns: Sequence[str], keys: Sequence[str]
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield the columns in blocks, each with the name of a relation that has them and the keys.

    A relation of one block is read itself, others from a copy that lasts until the next block.
    """
    if len(columns) <= BLOCK:
        if columns:
            yield relation, columns
        return
    for start in range(0, len(columns), BLOCK):
        block = columns[start : start + BLOCK]
        wanted = ", ".join(map(quote_identifier, dict.fromkeys([*keys, *block])))
        con.execute(f"create or replace temp table {_COPY} as select {wanted} from {relation}")
        yield _COPY, block
    con.execute(f"drop table {_COPY}")
