"""Status of every customer from the last evaluation, looked up by customer id."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import CustomerStatus, NextStep, TierChange
from insight.evaluation.indicator_schema import IntervalEstimate
from models.training_set.splits import instant

_INSTANT = pa.timestamp("us", "UTC")
_TEXTS = (
    "tier", "stage", "service_level", "manager", "group", "quadrant", "tier_before", "moved_because"
)  # fmt: skip
_NUMBERS = ("stars", "first_reply_hours", "value_score", "value_score_low", "value_score_high")


@dataclass(frozen=True)
class StatusTable:
    """One row per customer, sorted by id, so that binary search finds a customer without an index."""

    table: pa.Table
    as_of: datetime

    @classmethod
    def read(cls, path: Path) -> "StatusTable":
        """Read the file. Raises DataRefused if it is broken or empty, or has a customer twice."""
        try:
            table = _read(path)
            days = pc.min_max(table["as_of"].cast(_INSTANT, safe=False).cast(pa.int64())).as_py()
        except (OSError, ValueError, KeyError) as error:  # includes the errors of pyarrow
            raise DataRefused(
                f"{path.name} cannot be read ({type(error).__name__}); make it again with "
                "`goodwill evaluate`"
            ) from None
        ids = table["customer_id"]
        twice = pc.any(pc.equal(ids.slice(1), ids.slice(0, max(0, len(ids) - 1)))).as_py()
        if twice or ids.null_count or days["min"] is None or days["min"] != days["max"]:
            raise DataRefused(
                f"{path.name} does not hold each customer once on one day; make it again with "
                "`goodwill evaluate`"
            )
        return cls(table.drop(["as_of"]), instant(days["min"]))

    def of(self, customer_id: str) -> CustomerStatus:
        """Return the status of a customer; an empty one for a customer the file does not hold."""
        ids = self.table["customer_id"].chunk(0)
        index = bisect_left(range(len(ids)), customer_id, key=lambda i: ids[i].as_py())
        if index == len(ids) or ids[index].as_py() != customer_id:
            return CustomerStatus()
        row = {name: self.table[name][index].as_py() for name in self.table.column_names}
        return _status({name: value for name, value in row.items() if value == value})


def _status(row: dict[str, Any]) -> CustomerStatus:
    """The status in a row of the file."""
    score, stars, since = (row.get(name) for name in ("value_score", "stars", "tier_since"))
    ends = {end: row.get(f"value_score_{end}") for end in ("low", "high")}
    before, tier = row.get("tier_before"), row.get("tier")
    changed = before is not None and tier is not None and before != tier
    change = {
        "from": before,
        "to": tier,
        "since": None if since is None else instant(since),
        "cause": row.get("moved_because"),
    }
    manager, hours = row.get("manager"), row.get("first_reply_hours")
    policy = None
    if manager is not None and hours is not None:
        policy = NextStep(manager=manager, within_hours=hours)
    texts = {name: row.get(name) for name in CustomerStatus.model_fields if name in _TEXTS}
    return CustomerStatus(
        **texts,
        stars=None if stars is None else int(stars),
        next_step=policy,
        value_score=None if score is None else IntervalEstimate(value=score, **ends),
        migration=TierChange.model_validate(change) if changed else None,
    )


def _read(path: Path) -> pa.Table:
    """The served columns, sorted by id; texts dictionary-encoded, times in microseconds."""
    wanted = ("customer_id", "as_of", *_TEXTS, *_NUMBERS, "tier_since")
    columns = set(pq.read_schema(path).names)
    table = pq.read_table(path, columns=[name for name in wanted if name in columns])
    table = table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))
    table = table.take(pc.sort_indices(table["customer_id"])).combine_chunks()
    for index, name in enumerate(table.column_names):
        if name in _TEXTS:
            column = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
            table = table.set_column(index, name, column)
        elif name == "tier_since":
            column = table[name].cast(_INSTANT, safe=False).cast(pa.int64())
            table = table.set_column(index, name, column)
    return table
