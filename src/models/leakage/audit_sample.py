"""The audit sample: some customers with their records, and their training rows as stored."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.config.company import Company
from features.engine.compute_features import FeaturePlan
from features.errors import DataRefused
from features.execution.file_metadata import read_metadata
from features.execution.partitions import open_parquet
from features.feature_table import feature_table, plan_for
from features.history.build_history import History, build_history
from features.history_store import Manifest, open_history
from features.settings import Settings, Workspace
from features.text.comment_score_model import CommentScoreModel
from models.targets.registry import TARGETS
from models.targets.target import Target
from models.training import train as training
from models.training_set.build_training_sets import KEYS
from models.training_set.splits import Split

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SEED = 7
#: Customers drawn at random, plus those with the most records.
CUSTOMERS, LARGEST = 400, 10
#: Stored rows recomputed per training set, and the number of row groups (10,000 rows) they come from.
STORED_ROWS, ROW_GROUPS = 100, 1


@dataclass(frozen=True)
class TrainingSetKeys:
    """Customer (as id and as integer code), cutoff and label of every row of a training set."""

    customer_id: pa.Array
    customer: Ints
    cutoff: Ints
    label: Floats


@dataclass(frozen=True)
class AuditSample:
    """The part of a company's history and training sets that the leakage checks read."""

    company: Company
    workspace: Workspace
    manifest: Manifest
    targets: tuple[Target, ...]

    @classmethod
    def for_targets(
        cls, company: Company, workspace: Workspace, manifest: Manifest, names: list[str]
    ) -> "AuditSample":
        """Create the sample for the targets that are about to be trained."""
        return cls(company, workspace, manifest, tuple(TARGETS[n] for n in names))

    @cached_property
    def plan(self) -> FeaturePlan:
        """Every feature that the company's tables allow."""
        return plan_for(self.manifest.schema, comment_model=self.comment_model)

    @cached_property
    def comment_model(self) -> CommentScoreModel | None:
        """The comment score model with which the training sets were built."""
        return CommentScoreModel.read(self.workspace.features(self.company.name))

    @cached_property
    def feature_names(self) -> tuple[str, ...]:
        """The columns of the planned features."""
        return self.plan.names

    @cached_property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """A connection with the tables of the history as views."""
        return open_history(self.workspace.history(self.company.name))

    def span_days(self, target: Target) -> int:
        """Days from a cutoff to the end of its label window."""
        return target.span_days(self.company.target(target.name))

    def gap_days(self, target: Target) -> int:
        """Days from a cutoff to the start of its label window."""
        return self.company.target(target.name).gap_days

    @cached_property
    def customers(self) -> pa.Array:
        """The sampled customers, sorted: drawn uniformly, plus those with the most records."""
        path = self.training_set_path("snapshot")
        ids = open_parquet(path).to_table(columns=["customer_id"])["customer_id"].combine_chunks()
        chosen = np.random.default_rng(SEED).permutation(len(ids))[:CUSTOMERS]
        drawn = ids.take(pa.array(chosen)).cast(pa.string())
        return _sorted(drawn, self._largest)

    @cached_property
    def _largest(self) -> pa.Array:
        if self.company.snapshot:  # one row each
            return pa.array([], pa.string())
        table = "events" if "events" in self.manifest.rows else "surveys"
        found = self.connection.sql(
            f"select customer_id from {table} group by 1 order by count(*) desc, 1 limit {LARGEST}"
        ).to_arrow_table()
        return found["customer_id"].combine_chunks().cast(pa.string())

    def training_set_path(self, name: str) -> Path:
        """Path of the training set of a target, or of the "snapshot"."""
        return self.workspace.features(self.company.name) / f"{name}.parquet"

    @cached_property
    def stored_rows(self) -> dict[str, pa.Table]:
        """Some rows of each training set and of the snapshot, as stored."""
        names = [*(target.name for target in self.targets), "snapshot"]
        return {name: _sample_rows(self.training_set_path(name)) for name in names}

    @cached_property
    def audited_customers(self) -> pa.Array:
        """The customers of `stored_rows` and the largest, sorted: their histories are truncated."""
        return _sorted(*(customer_ids(table) for table in self.stored_rows.values()), self._largest)

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The contract tables of the sampled and the audited customers."""
        wanted = pa.table({"customer_id": _sorted(self.customers, self.audited_customers)})
        self.connection.register("wanted", wanted)
        read = "select * from {} semi join wanted using (customer_id)"
        return {n: self.connection.sql(read.format(n)).to_arrow_table() for n in self.manifest.rows}

    def tables_of(self, customers: pa.Array) -> dict[str, pa.Table]:
        """The contract tables of some of the customers in `tables`."""
        return {
            name: table.filter(pc.is_in(table["customer_id"], customers))
            for name, table in self.tables.items()
        }

    @cached_property
    def history(self) -> History:
        """The full history of the sampled customers, nothing truncated."""
        return build_history(self.tables, customers=self.customers.to_pylist())

    def compute_features(self, history: History, customers: pa.Array, cutoff: Ints) -> pa.Table:
        """Compute every planned feature of each customer as of the cutoff at the same position."""
        return feature_table(history, customers, cutoff, self.plan, Settings().threads)

    def keys(self, target: Target) -> TrainingSetKeys:
        """Read customer, cutoff and label of every row of a target's training set."""
        if target.name not in self._keys:
            columns = ["customer_id", "cutoff", "label"]
            table = pq.read_table(self.training_set_path(target.name), columns=columns)
            owner = customer_ids(table)
            customer = owner.dictionary_encode().indices.to_numpy(zero_copy_only=False)
            self._keys[target.name] = TrainingSetKeys(
                owner, customer.astype(np.int64), to_microseconds(table), table["label"].to_numpy()
            )
        return self._keys[target.name]

    @cached_property
    def _keys(self) -> dict[str, TrainingSetKeys]:
        return {}

    def split(self, target: Target) -> Split | None:
        """The split that training will use; None when the data do not allow one."""
        keys = self.keys(target)
        weight = np.ones(len(keys.label))
        rows = training.TrainingRows(pa.table({}), keys.label, weight, keys.customer, keys.cutoff)
        try:
            return training.split_rows(target, self.company.target(target.name), rows)
        except DataRefused:
            return None

    @cached_property
    def is_stale(self) -> bool:
        """Whether the training sets were built from another history than the one on disk."""
        metadata = read_metadata(open_parquet(self.training_set_path("snapshot")).schema)
        fingerprint = self.manifest.fingerprint
        return bool(metadata.get("fingerprint", fingerprint) != fingerprint)


def customer_ids(table: pa.Table) -> pa.Array:
    """The customer ids of a table's rows, as text."""
    return table["customer_id"].combine_chunks().cast(pa.string())


def _sorted(*parts: pa.Array) -> pa.Array:
    """The distinct values of all arrays, sorted."""
    return pc.unique(pa.concat_arrays(parts)).sort()


def _sample_rows(path: Path) -> pa.Table:
    """Stored rows of a training set, from a few row groups only: reading all would be slow."""
    rng = np.random.default_rng(SEED)
    groups = [g for part in open_parquet(path).get_fragments() for g in part.split_by_row_group()]
    chosen = [groups[i] for i in sorted(rng.permutation(len(groups))[:ROW_GROUPS])]
    schema = open_parquet(path).schema
    rows = pa.concat_tables([group.to_table(schema) for group in chosen])
    return rows.take(pa.array(np.sort(rng.permutation(rows.num_rows)[:STORED_ROWS])))


def to_microseconds(table: pa.Table, column: str = "cutoff") -> Ints:
    """A time column without missing values, as microseconds since 1970 (UTC)."""
    times = table[column].combine_chunks().cast(pa.timestamp("us", "UTC"))
    return np.asarray(times.view(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def feature_columns(table: pa.Table) -> list[str]:
    """The feature columns of stored rows: all columns but the keys."""
    return [name for name in table.column_names if name not in KEYS]
