"""The work of the feature benchmark: random events, twelve monthly cutoffs, forty window aggregates."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 540
KINDS = ("order", "return", "payment", "visit")
WINDOWS = (7, 30, 90, 180, 365)
CUTOFFS = tuple(START + timedelta(days=170 + 30 * i) for i in range(12))
EVENTS_A_CUSTOMER = 25
#: The columns every contestant makes, in addition to customer_id and cutoff.
COLUMNS = tuple(f"{k}_{what}_{w}" for k in KINDS for w in WINDOWS for what in ("count", "sum"))


def write_events(path: Path, events: int, part: int = 5_000_000) -> None:
    """Random events sorted by customer and time, as a stored history is; written part by part."""
    rng = np.random.default_rng(1)
    writer: pq.ParquetWriter | None = None
    for first in range(0, events, part):
        size = min(part, events - first)
        lowest, highest = first // EVENTS_A_CUSTOMER, (first + size) // EVENTS_A_CUSTOMER
        table = _random(rng, size, lowest, max(highest, lowest + 1))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=100_000)
    if writer:
        writer.close()


def _random(rng: np.random.Generator, size: int, lowest: int, highest: int) -> pa.Table:
    customer = np.sort(rng.integers(lowest, highest, size))
    moment = (rng.random(size) * DAYS * 86_400e6).astype(np.int64)
    moment += int(START.timestamp() * 1e6)
    moment = moment[np.lexsort((moment, customer))]
    kinds = pa.DictionaryArray.from_arrays(
        rng.integers(0, len(KINDS), size).astype(np.int32), list(KINDS)
    )
    return pa.table(
        {
            "customer_id": pa.array(np.char.mod("C%08d", customer).astype(object), pa.string()),
            "occurred_at": pa.array(moment, pa.timestamp("us", "UTC")),
            "kind": kinds.cast(pa.string()),
            "amount": np.round(rng.lognormal(4, 1, size), 2),
        }
    )
