"""Tables compared to the last bit: -0.0 is not 0.0, a null is not a NaN, one NaN is another NaN."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def bits(path: Path) -> dict[str, Any]:
    """The columns of a stored table in its order, by name: type, missing places, bits of the rest."""
    table = pq.read_table(path)
    columns = {n: table[n].combine_chunks() for n in table.column_names}
    return {
        "rows": table.num_rows,
        "metadata": table.schema.metadata,
        **{name: (str(c.type), pc.is_null(c).to_pylist(), _raw(c)) for name, c in columns.items()},
    }


def _raw(column: pa.Array) -> list[Any]:
    if pa.types.is_floating(column.type):
        column = pc.fill_null(column, 0.0).view(pa.int64())
    elif pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    values: list[Any] = column.to_pylist()
    return values
