"""JSON lines as a source: one object a line, its inner objects as columns of their own."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from features.ingest.sql import quote_identifier, quote_literal

#: Inner objects of inner objects of ... are opened to this depth.
DEPTH = 4


def json_lines_sql(con: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> str:
    """SQL that reads JSON lines; the field `id` of the object `customer` becomes `customer_id`.

    Types are inferred from every row. Lists stay as they are.
    """
    files = ", ".join(quote_literal(str(path)) for path in paths)
    sql = (
        f"select * from read_json([{files}], format = 'newline_delimited', union_by_name = true, "
        "sample_size = -1, maximum_depth = -1, map_inference_threshold = -1)"
    )
    for _ in range(DEPTH):
        columns = con.execute(f"describe {sql}").fetchall()
        inner = [str(c[0]) for c in columns if str(c[1]).startswith("STRUCT(")]
        if not inner:
            break
        sql = f"select {_opened(con, sql, [str(c[0]) for c in columns], inner)} from ({sql})"
    return sql


def _opened(con: duckdb.DuckDBPyConnection, sql: str, columns: list[str], inner: list[str]) -> str:
    """The select list that replaces each inner object by its fields."""
    taken = {name.lower() for name in columns if name not in inner}
    selected = []
    for name in columns:
        quoted = quote_identifier(name)
        if name not in inner:
            selected.append(quoted)
            continue
        for row in con.execute(f"describe select unnest({quoted}) from ({sql})").fetchall():
            column = f"{name}_{row[0]}"
            while column.lower() in taken:
                column += "_"
            taken.add(column.lower())
            selected.append(
                f"{quoted}.{quote_identifier(str(row[0]))} as {quote_identifier(column)}"
            )
    return ", ".join(selected)
