"""A table of a row a customer as Parquet keeps it: the same types whatever is missing."""

import pandas as pd
import pyarrow as pa

INSTANT = pa.timestamp("us", "UTC")


def arrow(table: pd.DataFrame) -> pa.Table:
    """The table with its index first, in its order; texts, numbers and instants, missing as null."""
    flat = table.reset_index()
    return pa.table({str(name): _column(flat[name]) for name in flat})


def _column(values: pd.Series) -> pa.Array:
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        naive = values.dt.tz_convert(None).to_numpy("datetime64[us]")
        return pa.array(naive, pa.timestamp("us"), from_pandas=True).cast(INSTANT)
    if pd.api.types.is_integer_dtype(values):
        return pa.array(values.astype(object).to_numpy(), pa.int64(), from_pandas=True)
    if pd.api.types.is_bool_dtype(values):
        return pa.array(values.to_numpy(), pa.bool_())
    if pd.api.types.is_float_dtype(values):
        return pa.array(values.to_numpy(), pa.float64(), from_pandas=True)
    return pa.array(values.astype(object).to_numpy(), pa.string(), from_pandas=True)
