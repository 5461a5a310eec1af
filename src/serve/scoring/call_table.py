"""The current customers in the order of the call list, to be filtered, grouped and compared."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.execution.partitions import open_parquet
from insight.calls.call_ranking import PREDICTED, rank_by_risk
from models.scoring.score_history import VERSIONS, EarlierScores
from models.targets.outputs import assign_segments
from serve.scoring.snapshot import RECORD, Snapshot
from serve.scoring.status_table import StatusTable

Order = Literal["risk", "churn_change", "value_change"]
#: What customers are filtered and grouped by, where the company has it.
GROUPED_BY = ("owner", "region", "tier", "stage")
#: A probability of churn that changed by less than this is the same.
SAME_CHURN = 0.01
_FLOATS = ("amount", "value", "churn", "dissatisfied")
_TEXTS = (*GROUPED_BY, "segment", "segment_before")
_NUMBERS = (*_FLOATS, "value_before", "churn_before")


@dataclass(frozen=True)
class StoredScores:
    """The columns of a scores file that the call list needs, and the model versions behind them."""

    table: pa.Table
    as_of: datetime
    versions: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "StoredScores":
        """Read a scores file, or a folder of its parts."""
        source = open_parquet(path)
        wanted = ("customer_id", "as_of", *PREDICTED.values(), "churn_in_population", "stage")
        known = [n for n in (*wanted, "value_segment") if n in source.schema.names]
        table = source.to_table(columns=known)
        versions = json.loads((source.schema.metadata or {}).get(VERSIONS, b"{}"))
        return cls(table.drop(["as_of"]), table["as_of"][0].as_py(), versions)


@dataclass(frozen=True)
class CallPage:
    """A part of the list, how many customers are on all of it, and whether more follow."""

    rows: list[dict[str, Any]]
    total: int
    more: bool


@dataclass(frozen=True)
class CallTable:
    """The current customers, the most revenue at risk first.

    `rows` has `customer_id`, owner, region, tier, stage, `amount` (what the list is sorted by), `value`,
    `churn`, `dissatisfied`, `segment`, and the last four as of `compared_with` with `_before` where they
    were predicted; null where something is not known. `by` names the order (`RiskRanking`).
    `attributes` are the company's names of owner and region, `segments` the value segments from the
    highest on. `new_models` are the targets whose model is another one than at the comparison.
    """

    rows: pa.Table
    by: str
    as_of: datetime
    versions: dict[str, str]
    attributes: dict[str, str] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    compared_with: datetime | None = None
    new_models: list[str] = field(default_factory=list)

    def page(
        self, wanted: Mapping[str, str], order: Order, limit: int, after: str | None
    ) -> CallPage:
        """The customers after one of the list that have all wanted values of `GROUPED_BY`.

        Raises KeyError where no customer `after` is on the list.
        """
        ranked = self._orders[order]
        start = 0
        if after is not None:
            row = self.rows["customer_id"].index(after).as_py()
            (places,) = np.nonzero(ranked == row)
            start = int(places[0]) + 1 if len(places) else -1
            if start < 0:
                raise KeyError("no customer of this list has the id")
        chosen = self._have(wanted)[ranked]
        following = ranked[start:][chosen[start:]]
        rows = self.rows.take(pa.array(following[:limit])).to_pylist()
        return CallPage(rows, int(chosen.sum()), len(following) > limit)

    @cached_property
    def groups(self) -> dict[str, list[dict[str, Any]]]:
        """By attribute and value: the customers, the money at risk (null if it is none), mean churn."""
        return {name: self._groups_by(name) for name in GROUPED_BY if self._has(name)}

    def _has(self, name: str) -> bool:
        return bool(self.rows[name].null_count < self.rows.num_rows)

    def _groups_by(self, name: str) -> list[dict[str, Any]]:
        counted = [("customer_id", "count"), ("amount", "sum"), ("churn", "mean")]
        known = self.rows.filter(pc.is_valid(self.rows[name]))
        found = known.group_by(name).aggregate(counted).sort_by(name).to_pylist()
        is_money = self.by.startswith("value")
        return [
            {"name": row[name], "customers": row["customer_id_count"],
             "amount": row["amount_sum"] if is_money else None, "churn": row["churn_mean"]}
            for row in found
        ]  # fmt: skip

    def _have(self, wanted: Mapping[str, str]) -> NDArray[np.bool_]:
        chosen = np.ones(self.rows.num_rows, np.bool_)
        for name, value in wanted.items():
            same = pc.fill_null(pc.equal(self.rows[name], value), False)
            chosen &= same.to_numpy()
        return chosen

    @cached_property
    def _orders(self) -> dict[Order, NDArray[np.int64]]:
        """The rows of each order; those of a change hold only customers with one."""
        churn, churn_before, value, value_before = (
            self.rows[n].to_numpy() for n in ("churn", "churn_before", "value", "value_before")
        )
        change = np.nan_to_num(np.abs(churn - churn_before))
        ranks = {name: rank for rank, name in enumerate(self.segments)}
        now, then = (
            np.array([ranks.get(s, -1) for s in self.rows[n].to_pylist()], np.int64)
            for n in ("segment", "segment_before")
        )
        steps = np.where((now < 0) | (then < 0), 0, np.abs(now - then))
        further = np.lexsort((-np.nan_to_num(np.abs(value - value_before)), -steps))
        largest = np.argsort(-change, kind="stable")
        return {
            "risk": np.arange(self.rows.num_rows),
            "churn_change": largest[change[largest] >= SAME_CHURN],
            "value_change": further[steps[further] > 0],
        }


def build_call_table(
    scores: StoredScores,
    snapshot: Snapshot | None,
    statuses: StatusTable | None,
    earlier: EarlierScores | None,
    bounds: Sequence[Mapping[str, Any]] | None,
) -> CallTable:
    """Rank the current customers and add what is known about them.

    `bounds` are those of the value segments, which decide about earlier values, too.
    """
    arrays = {n: scores.table[n].to_numpy() for n in scores.table.column_names}
    ranking = rank_by_risk(arrays, scores.table.num_rows)
    ids = scores.table["customer_id"].cast(pa.string()).take(pa.array(ranking.rows))
    columns: dict[str, Any] = {"amount": ranking.amounts, **ranking.predicted}
    if "value_segment" in scores.table.column_names:
        columns["segment"] = scores.table["value_segment"].take(pa.array(ranking.rows))
    attributes: dict[str, str] = {}
    if snapshot is not None:
        attributes = snapshot.attributes
        known = snapshot.features
        columns |= {n: _aligned(ids, known, RECORD + c) for n, c in attributes.items()}
    if statuses is not None:
        columns |= {
            n: _aligned(ids, statuses.table, n)
            for n in ("tier", "stage") if n in statuses.table.column_names
        }  # fmt: skip
    columns |= _before(ids, earlier, bounds)
    new_models = [] if earlier is None else _changed(scores.versions, earlier.versions)
    return CallTable(
        _typed(ids, columns), ranking.by, scores.as_of, scores.versions, attributes,
        tuple(str(b["name"]) for b in bounds or ()),
        earlier.as_of if earlier else None, new_models,
    )  # fmt: skip


def _before(
    ids: pa.ChunkedArray, earlier: EarlierScores | None, bounds: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    """The columns of the comparison run that it has."""
    if earlier is None:
        return {}
    names = [n for n in ("churn", "value") if n in earlier.table.column_names]
    found: dict[str, Any] = {
        f"{n}_before": _aligned(ids, earlier.table, n).to_numpy() for n in names
    }
    values = found.get("value_before")
    if values is not None and bounds:
        segments = assign_segments(np.nan_to_num(values), list(bounds))
        found["segment_before"] = [
            None if np.isnan(value) else str(segment)
            for value, segment in zip(values, segments, strict=True)
        ]
    return found


def _aligned(ids: pa.ChunkedArray, table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column of a table in the order of the ids; null for an id that the table does not hold."""
    places = pc.index_in(ids, value_set=table["customer_id"].cast(pa.string()).combine_chunks())
    return table[name].take(places)


def _changed(now: Mapping[str, str], before: Mapping[str, str]) -> list[str]:
    return [t for t in ("churn", "value") if t in now and t in before and now[t] != before[t]]


def _typed(ids: pa.ChunkedArray, columns: Mapping[str, Any]) -> pa.Table:
    """All columns of `CallTable.rows`; what is not there, and NaN, is null."""
    made: dict[str, Any] = {"customer_id": ids}
    for name in _TEXTS:
        column = columns.get(name)
        if column is None:
            column = pa.nulls(len(ids), pa.string())
        made[name] = column.cast(pa.string()) if hasattr(column, "cast") else pa.array(
            column, pa.string()
        )  # fmt: skip
    for name in _NUMBERS:
        values = columns.get(name, np.full(len(ids), np.nan))
        made[name] = pa.array(np.asarray(values, np.float64), from_pandas=True)
    return pa.table(made)
