"""Importing only what is new: tables whose files are written once, one a day, grow by the new files.

A grown history is the one that reading every file would make, to the last bit. Where that cannot be
known beforehand (a file has changed, rows were quarantined, the mapping is another), everything is
read again, and the run says why.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import duckdb

from features.config.company import Company
from features.import_history.file_manifest import FileChanges, Stamps, read_file_manifest, stamp_files
from features.ingest.sql import quote_literal
from features.ingest.feedback import feedback_digest
from features.row_audit import FILE, RowAudit
from features.settings import Workspace

#: What beside the files decides what an import makes, inside the folder of a history.
BASIS = "basis.json"
#: The columns of each source of a table, with their SQL types.
Types = Mapping[str, Mapping[str, Mapping[str, str]]]


class FullImportNeeded(Exception):
    """Why the new files alone do not do; the import reads everything instead."""


@dataclass(frozen=True)
class IncrementalImport:
    """A stored history and the files that came since: `new[table][source]`, paths as recorded."""

    former: Path
    ledger: RowAudit
    types: Types
    new: dict[str, dict[str, list[str]]]

    @property
    def count(self) -> int:
        """How many files are new."""
        return sum(len(files) for sources in self.new.values() for files in sources.values())

    def narrowed(self, company: Company) -> Company:
        """The company as if its daily tables had nothing but the new files."""
        tables = {
            name: mapping.with_files(self.new[name]) if name in self.new else mapping
            for name, mapping in company.tables.items()
        }
        return company.model_copy(update={"tables": tables})

    def stored(self, table: str) -> str:
        """SQL that reads the stored rows of a table."""
        return f"read_parquet({quote_literal(str(self.former / f'{table}.parquet'))})"


@dataclass(frozen=True)
class ImportState:
    """What an import stood on: mapping and version of the code, latest moment allowed, types.

    `feedback` stamps what the CRM had sent back; `waiting` events of it were not taken in.
    """

    code: str
    limit: str
    types: Types
    feedback: str = ""
    waiting: int = 0

    @classmethod
    def read(cls, folder: Path) -> "ImportState | None":
        """The basis of a stored history, None for one that was written without."""
        path = folder / BASIS
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write(self, folder: Path) -> None:
        (folder / BASIS).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def mapping_digest(company: Company) -> str:
    """Changes with the company's file and the version of goodwill."""
    text = company.path.read_bytes() + version("goodwill").encode()
    return hashlib.sha256(text).hexdigest()[:16]


def plan_incremental_import(
    company: Company, workspace: Workspace, limit: datetime
) -> tuple[IncrementalImport | None, Stamps, str]:
    """How the stored history may grow (None: not at all, for the reason given), and today's files.

    `limit` is the instant after which a record is from the future. The reason is empty for a company
    that has no daily table or no history yet.
    """
    daily = {n: m for n, m in company.tables.items() if m.daily_sources}
    if not daily:
        return None, {}, ""
    former = workspace.history(company.name)
    recorded = read_file_manifest(former)
    found = stamp_files(company.model_copy(update={"tables": daily}), workspace, recorded)
    basis, ledger = ImportState.read(former), RowAudit.read(former / FILE)
    if not recorded or basis is None or ledger is None:
        return None, found, ""
    arrivals = FileChanges.compare(recorded, found)
    came = feedback_digest(workspace.feedback(company.name)) != basis.feedback or basis.waiting > 0
    if came and "events" in daily:
        return None, found, "the CRM has sent feedback"
    if why := _why_not(company, arrivals, basis, ledger, limit):
        return None, found, why
    new: dict[str, dict[str, list[str]]] = {
        table: {source: arrivals.new_files(table, source) for source in mapping.daily_sources}
        for table, mapping in daily.items()
    }
    return IncrementalImport(former, ledger, basis.types, new), found, ""


def _why_not(
    company: Company, arrivals: FileChanges, basis: ImportState, ledger: RowAudit, limit: datetime
) -> str:
    """What speaks against reading the new files alone; empty for nothing."""
    if basis.code != mapping_digest(company):
        return "the company's file or the version of goodwill has changed"
    if not arrivals.only_new:
        return arrivals.why_not()
    if limit < datetime.fromisoformat(basis.limit):
        return "company.data_end is earlier than at the last import"
    for table, source, path in arrivals.new:
        if source not in company.tables[table].daily_sources:  # type: ignore[index]
            return f"{path} is new in {source}, which is not a daily source of {table}"
    daily = [n for n, m in company.tables.items() if m.daily_sources]
    left = [c for c in ledger.lines if c.step == "quarantine" and c.table in daily]
    if left:
        return f"{left[0].rows:,} rows of {left[0].table} were quarantined ({left[0].rule})"
    return ""


def prepend_stored_rows(con: duckdb.DuckDBPyConnection, growth: IncrementalImport, name: str) -> None:
    """Put the stored rows of a table in front of the new ones, `good_<name>`."""
    con.execute(
        f"create temp table grown as select * from {growth.stored(name)} "
        f"union all by name select * from good_{name}"
    )
    con.execute(f"drop table good_{name}; alter table grown rename to good_{name}")


def check_no_lost_customers(con: duckdb.DuckDBPyConnection, growth: IncrementalImport) -> None:
    """Raise CannotGrow when a customer of the stored history has left the customers table.

    Reading everything would find his records to be a stranger's.
    """
    lost = con.execute(
        f"select count(*) from (select customer_id from {growth.stored('customers')} "
        "except select customer_id from good_customers)"
    ).fetchall()[0][0]
    if lost:
        raise FullImportNeeded(f"{lost:,} customers of the last import are gone from customers")


def source_types(
    con: duckdb.DuckDBPyConnection, sources: Sequence[str]
) -> dict[str, dict[str, str]]:
    """The columns and types of sources that are bound as views."""
    described = {s: con.execute(f'describe "{s}"').fetchall() for s in sources}
    return {s: {row[0]: row[1] for row in rows} for s, rows in described.items()}


def check_same_types(
    now: Mapping[str, Mapping[str, str]], growth: IncrementalImport, table: str, texts: tuple[str, ...]
) -> None:
    """Raise CannotGrow when the new files read differently from the stored ones.

    A column of whole numbers that was a text before would give other ids than all files together;
    times in `texts` are judged by all rows (their zones may be mixed).
    """
    for source, columns in now.items():
        if columns != growth.types[table][source]:
            was = growth.types[table][source]
            odd = next(c for c in {**was, **columns} if was.get(c) != columns.get(c))
            raise FullImportNeeded(
                f"tables.{table}, {source}: {odd} is {columns.get(odd, 'missing')} in the new files "
                f"and {was.get(odd, 'missing')} in the former ones"
            )
    if texts:
        raise FullImportNeeded(f"tables.{table}: {texts[0]} is read from texts, judged by all rows")


def merge_row_audits(former: RowAudit, new: RowAudit, table: str, daily: tuple[str, ...]) -> RowAudit:
    """The lines of one table as reading all files together would have written them.

    Sources that are not `daily` have been read whole again.
    """
    both: dict[tuple[str, str], int] = {}
    for line in (*former.lines, *new.lines):
        if line.table == table:
            key = (line.step, line.rule)
            whole = line.step == "read" and not _is_daily(line.rule, daily)
            both[key] = line.rows if whole else both.get(key, 0) + line.rows
    made = RowAudit()
    order = ("read", "query", "drop", "correct", "duplicates", "quarantine", "fill", "scale")
    for (step, rule), rows in sorted(both.items(), key=lambda item: order.index(item[0][0])):
        if step == "read":
            made.came(table, rule, rows)
        elif step == "query":
            made.became(table, rule, rows)
        elif step in ("drop", "duplicates", "quarantine"):
            made.left(table, step, rule, rows)  # type: ignore[arg-type]
        else:
            made.changed(table, step, rule, rows)  # type: ignore[arg-type]
    return made


def _is_daily(rule: str, daily: tuple[str, ...]) -> bool:
    """Whether a line of reading is about a daily source; a single source goes without a name."""
    return daily == ("source",) or rule.split(": ", 1)[0] in daily
