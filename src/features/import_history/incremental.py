"""Incremental import: read only the new files of tables whose files are written once, such as daily.

The result is equal bit for bit to a history imported from all files. Where that is not certain (a
file has changed, rows were quarantined, the mapping is different), everything is read again, and the
run reports why.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

import duckdb

from features.config.company import Company
from features.import_history.file_manifest import (
    FileChanges,
    FileStamps,
    read_file_manifest,
    stamp_files,
)
from features.ingest.applied_feedback import has_applied_feedback, own_events_sql
from features.ingest.feedback_import import without_feedback
from features.ingest.sql import quote_literal
from features.row_audit import FILE, REMOVING, STEPS, RowAudit, Step
from features.settings import Workspace

#: The file of the import state, in the folder of a history.
STATE_FILE = "basis.json"
#: The columns of each source of a table, with their SQL types.
Types = Mapping[str, Mapping[str, Mapping[str, str]]]


class FullImportNeeded(Exception):
    """Reading the new files alone is not enough: the import must read everything."""


@dataclass(frozen=True)
class IncrementalImport:
    """A stored history and the files that are new since: `new_files[table][source]`, relative paths."""

    folder: Path
    row_audit: RowAudit
    types: Types
    new_files: dict[str, dict[str, list[str]]]

    @property
    def file_count(self) -> int:
        """How many files are new."""
        return sum(len(files) for sources in self.new_files.values() for files in sources.values())

    @property
    def without_news(self) -> list[str]:
        """The daily sources without a new file, while others have one: were theirs delivered?"""
        if not self.file_count:
            return []
        found = []
        for table, sources in self.new_files.items():
            names = [name for name, files in sources.items() if not files]
            found += [table if name == "source" else f"{table}, {name}" for name in names]
        return found

    def with_new_files(self, company: Company) -> Company:
        """The company with only the new files in its daily tables."""
        tables = {
            name: mapping.with_files(self.new_files[name]) if name in self.new_files else mapping
            for name, mapping in company.tables.items()
        }
        return company.model_copy(update={"tables": tables})

    def stored_table_sql(self, table: str) -> str:
        """SQL that reads the stored rows of a table, events without what feedback added or changed."""
        if table == "events":
            return f"({own_events_sql(self.folder)})"
        return f"read_parquet({quote_literal(str(self.folder / f'{table}.parquet'))})"


@dataclass(frozen=True)
class ImportState:
    """What an import depended on besides its files: mapping and code version, time limit, types.

    `feedback` is the digest of the stored CRM feedback and its withdrawals, `waiting` the number of
    its events that were not imported yet.
    """

    code: str
    limit: str
    types: Types
    feedback: str = ""
    waiting: int = 0

    @classmethod
    def read(cls, folder: Path) -> "ImportState | None":
        """Read the state of a stored history, None for one that was written without."""
        path = folder / STATE_FILE
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write(self, folder: Path) -> None:
        (folder / STATE_FILE).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")


def code_identity(company: Company) -> str:
    """What a history was made by: the company's file, as its hash, and the version of goodwill."""
    return f"{company.file_digest} {version('goodwill')}"


def plan_incremental_import(
    company: Company, workspace: Workspace, limit: datetime
) -> tuple[IncrementalImport | None, FileStamps, str]:
    """Plan the import of only the new files: the plan or None, all files now, and the reason for None.

    `limit` is the time after which a record is in the future. The reason is empty for a company that
    has no daily table or no history yet.
    """
    daily = {n: m for n, m in company.tables.items() if m.daily_sources}
    if not daily:
        return None, {}, ""
    folder = workspace.history(company.name)
    recorded = read_file_manifest(folder)
    found = stamp_files(company.model_copy(update={"tables": daily}), workspace, recorded)
    state, audit = ImportState.read(folder), RowAudit.read(folder / FILE)
    if not recorded or state is None or audit is None:
        return None, found, ""
    changes = FileChanges.compare(recorded, found)
    if state.feedback and "events" in daily and not has_applied_feedback(folder):
        return None, found, "the stored history does not say which events came as feedback"
    audit = without_feedback(audit)
    if reason := _full_import_reason(company, changes, state, audit, limit):
        return None, found, reason
    new_files: dict[str, dict[str, list[str]]] = {
        table: {source: changes.new_files(table, source) for source in mapping.daily_sources}
        for table, mapping in daily.items()
    }
    return IncrementalImport(folder, audit, state.types, new_files), found, ""


def _full_import_reason(
    company: Company, changes: FileChanges, state: ImportState, audit: RowAudit, limit: datetime
) -> str:
    """Why every file must be read; empty when the new files alone are enough."""
    if state.code != code_identity(company):
        return "the company's file or the version of goodwill has changed"
    if not changes.only_new:
        return changes.full_import_reason()
    if limit < datetime.fromisoformat(state.limit):
        return "company.data_end is earlier than at the last import"
    for table, source, path in changes.new:
        if source not in company.tables[table].daily_sources:  # type: ignore[index]
            return f"{path} is new in {source}, which is not a daily source of {table}"
    daily = [n for n, m in company.tables.items() if m.daily_sources]
    quarantined = [c for c in audit.lines if c.step == "quarantine" and c.table in daily]
    if quarantined:
        line = quarantined[0]
        return f"{line.rows:,} rows of {line.table} were quarantined ({line.rule})"
    return ""


def prepend_stored_rows(
    con: duckdb.DuckDBPyConnection, incremental: IncrementalImport, name: str
) -> None:
    """Prepend the stored rows of a table to the new ones, `good_<name>`."""
    con.execute(
        f"create temp table merged as select * from {incremental.stored_table_sql(name)} "
        f"union all by name select * from good_{name}"
    )
    con.execute(f"drop table good_{name}; alter table merged rename to good_{name}")


def check_no_lost_customers(con: duckdb.DuckDBPyConnection, incremental: IncrementalImport) -> None:
    """Raise FullImportNeeded when a customer of the stored history is no longer in the customers table.

    Reading everything would refuse their records as those of an unknown customer.
    """
    lost = con.execute(
        f"select count(*) from (select customer_id from {incremental.stored_table_sql('customers')} "
        "except select customer_id from good_customers)"
    ).fetchall()[0][0]
    if lost:
        raise FullImportNeeded(f"{lost:,} customers of the last import are gone from customers")


def source_types(
    con: duckdb.DuckDBPyConnection, sources: Sequence[str]
) -> dict[str, dict[str, str]]:
    """The columns and SQL types of sources that are bound as views."""
    described = {s: con.execute(f'describe "{s}"').fetchall() for s in sources}
    return {s: {row[0]: row[1] for row in rows} for s, rows in described.items()}


def check_same_types(
    now: Mapping[str, Mapping[str, str]],
    incremental: IncrementalImport,
    table: str,
    text_times: tuple[str, ...],
) -> None:
    """Raise FullImportNeeded when the new files read differently from the stored ones.

    A column of whole numbers that was a text before would give other ids than all files together;
    times read from texts, `text_times`, depend on all rows (their zones may be mixed).
    """
    for source, columns in now.items():
        if columns != incremental.types[table][source]:
            was = incremental.types[table][source]
            column = next(c for c in {**was, **columns} if was.get(c) != columns.get(c))
            raise FullImportNeeded(
                f"tables.{table}, {source}: {column} is {columns.get(column, 'missing')} in the new "
                f"files and {was.get(column, 'missing')} in the former ones"
            )
    if text_times:
        raise FullImportNeeded(
            f"tables.{table}: {text_times[0]} is read from texts, whose time zones depend on all rows"
        )


def merge_row_audits(
    former: RowAudit, new: RowAudit, table: str, daily: tuple[str, ...]
) -> RowAudit:
    """Merge the audit lines of one table into those of an import that reads all files.

    Sources that are not `daily` were read completely again.
    """
    both: dict[tuple[Step, str], int] = {}
    for line in (*former.lines, *new.lines):
        if line.table == table:
            key = (line.step, line.rule)
            whole = line.step == "read" and not _is_daily(line.rule, daily)
            both[key] = line.rows if whole else both.get(key, 0) + line.rows
    merged = RowAudit()
    for (step, rule), rows in sorted(both.items(), key=lambda item: STEPS.index(item[0][0])):
        if step == "read":
            merged.add_read(table, rule, rows)
        elif step == "query":
            merged.add_query(table, rule, rows)
        elif step in REMOVING:
            merged.add_removed(table, step, rule, rows)
        else:
            merged.add_changed(table, step, rule, rows)
    return merged


def _is_daily(rule: str, daily: tuple[str, ...]) -> bool:
    """Whether a read line is about a daily source; the line of a single source has no name."""
    return daily == ("source",) or rule.split(": ", 1)[0] in daily
