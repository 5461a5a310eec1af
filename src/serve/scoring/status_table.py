"""Where each customer stands since the last evaluation: tier, stars, stage, and how he came there."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import BaseModel, Field

from features.errors import DataRefused
from insight.evaluation.evaluation_schema import IntervalEstimate
from models.training_set.splits import instant
from serve.schemas.examples import MIGRATION, STANDING
from serve.schemas.score_schemas import schema_config

_INSTANT = pa.timestamp("us", "UTC")
_TEXTS = (
    "tier", "stage", "service_level", "group", "quadrant", "tier_before", "moved_because"
)  # fmt: skip
_NUMBERS = ("stars", "value_score", "value_score_low", "value_score_high")


class Migration(BaseModel):
    """A change of tier since the former date: when, as far as known, and what moved him.

    `cause` is a dimension of the value score, or `borders`, `confirmed`, `score appeared`.
    """

    model_config = schema_config(MIGRATION)

    from_: Annotated[str, Field(alias="from")]
    to: str
    since: datetime | None
    cause: str | None


class CustomerStatus(BaseModel):
    """How one customer was evaluated; null where he was not."""

    model_config = schema_config(STANDING)

    tier: str | None = None
    stars: int | None = None
    stage: str | None = None
    service_level: str | None = None
    value_score: Annotated[IntervalEstimate | None, Field(description="0 to 100, with its interval.")] = None
    group: Annotated[str | None, Field(description="Of customers alike.")] = None
    quadrant: Annotated[str | None, Field(description="Of potential and risk.")] = None
    migration: Annotated[
        Migration | None, Field(description="Null where he stayed in his tier.")
    ] = None


@dataclass(frozen=True)
class StatusTable:
    """A row a customer in the order of the ids, so that one is found without an index of its own."""

    table: pa.Table
    as_of: datetime

    @classmethod
    def read(cls, path: Path) -> "StatusTable":
        """Raises DataRefused for a file that is broken, holds nobody, or somebody twice."""
        try:
            table = _read(path)
            days = pc.min_max(table["as_of"].cast(_INSTANT, safe=False).cast(pa.int64())).as_py()
        except (OSError, ValueError, KeyError) as error:  # pyarrow's own errors are among them
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
        """Of one customer; of one the evaluation does not know, nothing."""
        ids = self.table["customer_id"].chunk(0)
        place = bisect_left(range(len(ids)), customer_id, key=lambda i: ids[i].as_py())
        if place == len(ids) or ids[place].as_py() != customer_id:
            return CustomerStatus()
        row = {name: self.table[name][place].as_py() for name in self.table.column_names}
        return _standing({name: value for name, value in row.items() if value == value})


def _standing(row: dict[str, Any]) -> CustomerStatus:
    """A row of the file as it is told."""
    score, stars, since = (row.get(name) for name in ("value_score", "stars", "tier_since"))
    ends = {end: row.get(f"value_score_{end}") for end in ("low", "high")}
    before, tier = row.get("tier_before"), row.get("tier")
    moved = before is not None and tier is not None and before != tier
    migration = {
        "from": before,
        "to": tier,
        "since": None if since is None else instant(since),
        "cause": row.get("moved_because"),
    }
    plain = {name: row.get(name) for name in CustomerStatus.model_fields if name in _TEXTS}
    return CustomerStatus(
        **plain,
        stars=None if stars is None else int(stars),
        value_score=None if score is None else IntervalEstimate(value=score, **ends),
        migration=Migration.model_validate(migration) if moved else None,
    )


def _read(path: Path) -> pa.Table:
    """What is told of the file, sorted by the ids; texts once each, times as microseconds."""
    wanted = ("customer_id", "as_of", *_TEXTS, *_NUMBERS, "tier_since")
    held = set(pq.read_schema(path).names)
    table = pq.read_table(path, columns=[name for name in wanted if name in held])
    table = table.set_column(0, "customer_id", table["customer_id"].cast(pa.string()))
    table = table.take(pc.sort_indices(table["customer_id"])).combine_chunks()
    for place, name in enumerate(table.column_names):
        if name in _TEXTS:
            column = table[name].cast(pa.string()).combine_chunks().dictionary_encode()
            table = table.set_column(place, name, column)
        elif name == "tier_since":
            column = table[name].cast(_INSTANT, safe=False).cast(pa.int64())
            table = table.set_column(place, name, column)
    return table
