"""A company's stored history on disk: its manifest, its customers, and how it is read and queried."""

import json
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.customer_definition import departures_sql
from features.definitions.company_schema import CompanySchema
from features.errors import DataRefused
from features.execution.partitions import CustomerRange, split_customers
from features.history.build_history import History, build_history
from features.settings import Workspace

if TYPE_CHECKING:  # most readers of a manifest need no SQL
    import duckdb

MANIFEST = "history.json"
#: SQL of the moment a row of each table was first known.
_KNOWN_SINCE = {
    "customers": "valid_from",
    "events": "greatest(occurred_at, known_at)",
    "surveys": "sent_at",
    "tickets": "opened_at",
}


@dataclass(frozen=True)
class Manifest:
    """What a stored history holds: row counts, bounds of its data, fingerprint, schema.

    `data_end` is the first instant not in the data. `dropped` and `quarantined` count the rows left
    out, by table and rule. `fingerprint` changes when any row does, not with the order of the rows.
    """

    company: str
    rows: dict[str, int]
    customers: int
    data_start: str
    data_end: str
    fingerprint: str
    schema: CompanySchema
    dropped: dict[str, dict[str, int]] = field(default_factory=dict)
    quarantined: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        return datetime.fromisoformat(self.data_end)

    @property
    def start(self) -> datetime:
        return datetime.fromisoformat(self.data_start)

    @classmethod
    def read(cls, workspace: Workspace, company: str) -> "Manifest":
        """Read the manifest of a company's history; raises DataRefused where there is none."""
        recover_history(workspace.history(company))
        path = workspace.history(company) / MANIFEST
        if not path.is_file():
            raise DataRefused(f"no history of {company} at {path}; make it with `goodwill data`")
        raw: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**raw, "schema": CompanySchema.from_json(json.dumps(raw["schema"]))})


def open_history(folder: Path) -> "duckdb.DuckDBPyConnection":
    """Open a stored history in DuckDB: a view of each table, times in UTC.

    A company without customers gets an empty `customers`; other missing tables have no view. One
    thread: several add amounts up in a different order each time.
    """
    import duckdb

    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET threads = 1")
    files = sorted(folder.glob("*.parquet"))
    for file in files:
        con.read_parquet(str(file)).create_view(file.stem)
    if "customers" not in {file.stem for file in files}:
        con.execute(
            "create view customers as "
            "select '' as customer_id, null::timestamptz as valid_from where false"
        )
    return con


def create_known_table(con: "duckdb.DuckDBPyConnection", tables: Iterable[str]) -> None:
    """Create the table `known` (customer_id, since): when each customer of `tables` was first known."""
    seen = [f"select customer_id, {_KNOWN_SINCE[name]} as since from {name}" for name in tables]
    con.execute(
        "create or replace temp table known as select customer_id, min(since) as since from ("
        f"{' union all '.join(seen)}) where since is not null group by 1"
    )


NO_DEPARTURES = """select null::varchar as customer_id, null::varchar as kind,
    null::timestamptz as occurred_at, null::timestamptz as known_at where false"""


def create_departures_table(
    con: "duckdb.DuckDBPyConnection", tables: Iterable[str], before: str | None = None
) -> None:
    """Create the table `departures`: the cancellations that end a customer's last open contract.

    `before`, an SQL expression, leaves out what happened or was known later.
    """
    sql = departures_sql(before) if "events" in tables else NO_DEPARTURES
    con.execute(f"create or replace temp table departures as {sql}")


def customer_ids(workspace: Workspace, company: str) -> list[str]:
    """Every customer of a company's history, sorted."""
    return stored_customers(sorted(workspace.history(company).glob("*.parquet")))


def read_blocks(workspace: Workspace, company: str, size: int) -> Iterator[History]:
    """Read the history in blocks of at most `size` customers, in the order of their ids."""
    for customers in split_customers(customer_ids(workspace, company), size):
        yield read_block(workspace.history(company), customers)


def read_block(folder: Path, customers: CustomerRange) -> History:
    """Read the history of a range of customers from the folder of a company's tables."""
    files = sorted(folder.glob("*.parquet"))
    tables = {file.stem: read_stored_table(file, customers.first, customers.last) for file in files}
    return build_history(tables, is_sorted=True)


def read_stored_table(file: Path, first: str | None = None, last: str | None = None) -> pa.Table:
    """Read a table of a history, or the rows of the customers `first` to `last` (both included).

    Texts are returned as dictionaries, as in the file: three times faster than as strings. The file
    is sorted by customer; row groups without any of the customers are not read.
    """
    schema = pq.read_schema(file)
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    with pq.ParquetFile(file, read_dictionary=texts) as source:
        if first is None or last is None:
            return source.read().unify_dictionaries()
        table = source.read_row_groups(_row_groups(source, first, last)).unify_dictionaries()
    ids = table["customer_id"].combine_chunks()
    if not len(ids):
        return table
    words = ids.dictionary
    inside = pc.and_(pc.greater_equal(words, first), pc.less_equal(words, last))
    return table if pc.all(inside).as_py() else table.filter(inside.take(ids.indices))


def stored_customers(files: Iterable[Path]) -> list[str]:
    """Every customer in any of the tables, sorted."""
    ids: set[str] = set()
    for file in files:
        with pq.ParquetFile(file, read_dictionary=["customer_id"]) as source:
            for group in range(source.num_row_groups):  # one at a time to bound the memory
                column = source.read_row_group(group, columns=["customer_id"]).column(0)
                for chunk in column.chunks:
                    ids.update(chunk.dictionary.to_pylist())
    return sorted(ids)


def _row_groups(source: pq.ParquetFile, first: str, last: str) -> list[int]:
    """The row groups that may hold customers of the range; a group without statistics may."""
    index = source.schema_arrow.get_field_index("customer_id")
    found = []
    for number in range(source.num_row_groups):
        held = source.metadata.row_group(number).column(index).statistics
        if held is None or not held.has_min_max or (held.min <= last and held.max >= first):
            found.append(number)
    return found


def replace_history(made: Path, final: Path) -> None:
    """Move a finished history to `final`; a process killed halfway leaves the old one recoverable."""
    old = _old(final)
    while made.exists():
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
        try:
            made.rename(final)
        except OSError:
            if not final.exists():  # otherwise a reader has just recovered the old one
                raise
    shutil.rmtree(old, ignore_errors=True)


def recover_history(final: Path) -> None:
    """Undo a replacement that was killed halfway: only then is there an old history but no other."""
    old = _old(final)
    if not final.exists() and (old / MANIFEST).is_file():
        old.rename(final)


def _old(final: Path) -> Path:
    return final.with_name("history.old")
