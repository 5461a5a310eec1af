"""What the court looks at: a sample of customers, their records, and their training rows as stored."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow.dataset import dataset

from features.config.company import Company
from features.engine.compute_features import Plan
from features.errors import DataRefused
from features.feature_table import feature_table, plan_for
from features.history.build_history import History, build_history
from features.import_history.run_import import Manifest
from features.settings import Settings, Workspace
from features.text.comment_score_model import Tone
from models.targets.registry import TARGETS, Target
from models.training import train as training
from models.training_set.build_training_sets import KEYS
from models.training_set.splits import Split

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

SEED = 7
#: Customers drawn at random, and the ones with the most records beside them.
CUSTOMERS, LARGEST = 400, 10
#: Stored rows of each set that are made again, and the row groups they come from (10,000 rows).
PROBES, GROUPS = 100, 1


@dataclass(frozen=True)
class Keys:
    """Every row of a training set: who, when, what happened; customers as codes."""

    customer_id: pa.Array
    customer: Ints
    cutoff: Ints
    label: Floats


@dataclass(frozen=True)
class Case:
    """A company's history and training sets as the court sees them."""

    company: Company
    workspace: Workspace
    manifest: Manifest
    targets: tuple[Target, ...]

    @classmethod
    def of(
        cls, company: Company, workspace: Workspace, manifest: Manifest, names: list[str]
    ) -> "Case":
        """The case of the targets that are going to be trained."""
        return cls(company, workspace, manifest, tuple(TARGETS[n] for n in names))

    @cached_property
    def plan(self) -> Plan:
        """Every feature the company's tables allow."""
        return plan_for(self.manifest.schema, tone=self.tone)

    @cached_property
    def tone(self) -> Tone | None:
        """What read the comments when the training sets were made."""
        return Tone.read(self.workspace.features(self.company.name))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns of the planned features."""
        return self.plan.names

    @cached_property
    def con(self) -> duckdb.DuckDBPyConnection:
        """The tables of the history as views."""
        con = duckdb.connect()
        con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false")
        for name in self.manifest.rows:
            path = str(self.workspace.history(self.company.name) / f"{name}.parquet")
            quoted = path.replace("'", "''")
            con.execute(f"create view {name} as select * from read_parquet('{quoted}')")
        return con

    def span(self, target: Target) -> int:
        """Days from a cutoff until its label is ripe."""
        return target.span_days(self.company.target(target.name))

    def gap(self, target: Target) -> int:
        """Days from a cutoff until its label window starts."""
        return self.company.target(target.name).gap_days

    @cached_property
    def customers(self) -> pa.Array:
        """The sampled customers, sorted: drawn evenly, and the ones with the most records."""
        path = self.features_of("snapshot")
        ids = dataset(path).to_table(columns=["customer_id"])["customer_id"].combine_chunks()
        chosen = np.random.default_rng(SEED).permutation(len(ids))[:CUSTOMERS]
        drawn = ids.take(pa.array(chosen)).cast(pa.string())
        return _sorted(drawn, self._largest)

    @cached_property
    def _largest(self) -> pa.Array:
        table = "events" if "events" in self.manifest.rows else "surveys"
        found = self.con.sql(
            f"select customer_id from {table} group by 1 order by count(*) desc, 1 limit {LARGEST}"
        ).to_arrow_table()
        return found["customer_id"].combine_chunks().cast(pa.string())

    def features_of(self, name: str) -> Path:
        """Where the training set of a target lies, or the "snapshot"."""
        return self.workspace.features(self.company.name) / f"{name}.parquet"

    @cached_property
    def probes(self) -> dict[str, pa.Table]:
        """A few rows of each training set and of the snapshot as they are stored."""
        names = [*(target.name for target in self.targets), "snapshot"]
        return {name: _probe(self.features_of(name)) for name in names}

    @cached_property
    def closely(self) -> pa.Array:
        """The customers whose past is cut off again: those of the probes and the largest, sorted."""
        return _sorted(*(ids(table) for table in self.probes.values()), self._largest)

    @cached_property
    def tables(self) -> dict[str, pa.Table]:
        """The contract tables of the sampled customers and of those of the probes."""
        wanted = pa.table({"customer_id": _sorted(self.customers, self.closely)})
        self.con.register("wanted", wanted)
        read = "select * from {} semi join wanted using (customer_id)"
        return {n: self.con.sql(read.format(n)).to_arrow_table() for n in self.manifest.rows}

    def tables_of(self, customers: pa.Array) -> dict[str, pa.Table]:
        """The contract tables of some of them."""
        return {
            name: table.filter(pc.is_in(table["customer_id"], customers))
            for name, table in self.tables.items()
        }

    @cached_property
    def history(self) -> History:
        """Their history with nothing cut off."""
        return build_history(self.tables, customers=self.customers.to_pylist())

    def made(self, history: History, customers: pa.Array, cutoff: Ints) -> pa.Table:
        """Every planned feature of customers of a history as of each one's cutoff."""
        return feature_table(history, customers, cutoff, self.plan, Settings().threads)

    def keys(self, target: Target) -> Keys:
        """Who, when and what of every row of a target's training set."""
        if target.name not in self._keys:
            columns = ["customer_id", "cutoff", "label"]
            table = pq.read_table(self.features_of(target.name), columns=columns)
            owner = ids(table)
            customer = owner.dictionary_encode().indices.to_numpy(zero_copy_only=False)
            self._keys[target.name] = Keys(
                owner, customer.astype(np.int64), instants(table), table["label"].to_numpy()
            )
        return self._keys[target.name]

    @cached_property
    def _keys(self) -> dict[str, Keys]:
        return {}

    def split(self, target: Target) -> Split | None:
        """The split that training will make; None where it can make none."""
        keys = self.keys(target)
        weight = np.ones(len(keys.label))
        rows = training.Rows(pa.table({}), keys.label, weight, keys.customer, keys.cutoff)
        try:
            return training.split_rows(target, self.company.target(target.name), rows)
        except DataRefused:
            return None

    @cached_property
    def is_stale(self) -> bool:
        """Whether the training sets were made from another history than the one on disk."""
        metadata = dataset(self.features_of("snapshot")).schema.metadata or {}
        told = metadata.get(b"goodwill", b"").decode()
        return bool(told) and self.manifest.fingerprint not in told


def ids(table: pa.Table) -> pa.Array:
    """The customers of rows."""
    return table["customer_id"].combine_chunks().cast(pa.string())


def _sorted(*parts: pa.Array) -> pa.Array:
    """The different values of all arrays, sorted."""
    return pc.unique(pa.concat_arrays(parts)).sort()


def _probe(path: Path) -> pa.Table:
    """Stored rows of a training set, out of a few of its row groups: all of them would take long."""
    chance = np.random.default_rng(SEED)
    groups = [g for part in dataset(path).get_fragments() for g in part.split_by_row_group()]
    some = [groups[i] for i in sorted(chance.permutation(len(groups))[:GROUPS])]
    schema = dataset(path).schema
    rows = pa.concat_tables([group.to_table(schema) for group in some])
    return rows.take(pa.array(np.sort(chance.permutation(rows.num_rows)[:PROBES])))


def instants(table: pa.Table, column: str = "cutoff") -> Ints:
    """A time column in microseconds; it has no missing values."""
    moment = table[column].combine_chunks().cast(pa.timestamp("us", "UTC"))
    return np.asarray(moment.view(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def names_of(table: pa.Table) -> list[str]:
    """The columns of stored rows that are features."""
    return [name for name in table.column_names if name not in KEYS]
