"""Compare stored tables bit by bit: -0.0 differs from 0.0, null from NaN, and NaNs are compared, too."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def bits(path: Path) -> dict[str, Any]:
    """Rows, metadata and, by column in order, the type, null positions and bits of a stored table."""
    table = pq.read_table(path)
    columns = {n: table[n].combine_chunks() for n in table.column_names}
    return {
        "rows": table.num_rows,
        "metadata": table.schema.metadata,
        **{
            name: (str(c.type), pc.is_null(c).to_pylist(), _bit_values(c))
            for name, c in columns.items()
        },
    }


def _bit_values(column: pa.Array) -> list[Any]:
    if pa.types.is_floating(column.type):
        column = pc.fill_null(column, 0.0).view(pa.int64())
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    values: list[Any] = column.to_pylist()
    return values
