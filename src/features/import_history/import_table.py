"""One table on its way in: read through its mapping, corrected, held against the contract."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import duckdb

from features.config.company import Company, as_utc
from features.data_quality.duplicates import check_duplicates_in_sources
from features.data_quality.finding import TableFinding
from features.errors import DataRefused
from features.import_history.incremental import (
    FullImportNeeded,
    IncrementalImport,
    merge_row_audits,
    prepend_stored_rows,
    check_no_lost_customers,
    check_same_types,
    source_types,
)
from features.ingest.corrections import apply_corrections, audit_reading, audit_scales
from features.ingest.feedback import add_feedback
from features.ingest.read_table import SourceTable, read_table
from features.ingest.source_views import read_postgres_queries
from features.ingest.validate import ValidationResult, validate_table
from features.progress import Steps
from features.row_audit import RowAudit
from features.settings import Workspace

#: Tables are read in this order: whoever is not among the customers is a stranger elsewhere.
ORDER = ("customers", "events", "surveys", "tickets")


@dataclass(frozen=True)
class ImportedTable:
    """A table taken in: `good_<name>` holds its rows; what the files repeat; the contract's verdict.

    `types` are the columns of its daily sources. `waiting` is the feedback that could not be taken in
    yet.
    """

    mapped: SourceTable
    verdict: ValidationResult
    repeated: list[TableFinding]
    types: dict[str, dict[str, str]]
    waiting: int = 0


def import_tables(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    workspace: Workspace,
    ledger: RowAudit,
    steps: Steps,
    keep: Callable[[SourceTable], int] | None = None,
    growth: IncrementalImport | None = None,
) -> list[ImportedTable]:
    """Take in every table of a company, in order; `keep` stores one and returns its rows.

    With `keep`, the first refused table raises DataRefused. Without, all tables are looked at, and
    the refusals stand in the verdicts. With `growth`, only new files of daily tables are read;
    raises CannotGrow where that would not make what reading everything makes.
    """
    read_postgres_queries(con, company, workspace, steps)
    taken = []
    for name in (n for n in ORDER if n in company.tables):
        with steps.step(f"check {name}") as done:
            grows = growth is not None and name in growth.new
            if growth and grows:
                table = _take_new(con, company, name, workspace, ledger, growth)
            else:
                table = import_table(con, company, name, workspace, ledger)
                if name == "events":
                    folder = workspace.feedback(company.name)
                    waiting = add_feedback(con, folder, ledger, latest_allowed(company))
                    table = replace(table, waiting=waiting)
            if growth and name == "customers":
                check_no_lost_customers(con, growth)
            taken.append(table)
            if keep and table.verdict.refusal and not grows:
                raise DataRefused(table.verdict.refusal)
            done(rows=keep(table.mapped) if keep else ledger.row_count(name),
                 dropped=sum(table.mapped.dropped.values()),
                 quarantined=sum(b.rows for b in table.verdict.broken))  # fmt: skip
    return taken


def _take_new(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    workspace: Workspace,
    ledger: RowAudit,
    growth: IncrementalImport,
) -> ImportedTable:
    """Take in the new files of a daily table and put the stored rows in front."""
    lines = RowAudit()
    taken = import_table(con, company, name, workspace, lines, growth)
    times = {c.name for c in taken.mapped.contract.columns if c.kind == "time"}
    texts = tuple(c for c in taken.mapped.converted if c in times)
    check_same_types(taken.types, growth, name, texts)
    if taken.verdict.broken:
        raise FullImportNeeded(f"new rows break the contract: {taken.verdict.broken[0]}")
    prepend_stored_rows(con, growth, name)
    whole = merge_row_audits(growth.ledger, lines, name, tuple(growth.new[name])).lines
    ledger.lines += whole
    dropped = {line.rule: line.rows for line in whole if line.step == "drop"}
    return replace(taken, mapped=replace(taken.mapped, dropped=dropped))


def import_table(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    name: str,
    workspace: Workspace,
    ledger: RowAudit,
    growth: IncrementalImport | None = None,
) -> ImportedTable:
    """Read, correct and check one table; every row that leaves or changes is in the ledger.

    With `growth`, only the new files of its daily sources are read. Raises DataRefused or
    ConfigRefused when it cannot be read; rows that break the contract are the verdict's matter.
    """
    mapping = company.tables[name]  # type: ignore[index]
    reading = growth.narrowed(company) if growth else company
    mapped = read_table(con, reading, name, workspace, growth.types[name] if growth else None)
    repeated = list(check_duplicates_in_sources(con, name, mapping))
    audit_reading(con, mapping, mapped, ledger)
    apply_corrections(con, company, mapped, ledger)
    quarantine = workspace.company(company.name) / "quarantine" / f"{name}.parquet"
    verdict = validate_table(con, company, mapped, latest_allowed(company), quarantine, ledger)
    if name == "surveys":
        audit_scales(con, ledger)
    return ImportedTable(mapped, verdict, repeated, source_types(con, mapping.daily_sources))


def latest_allowed(company: Company) -> datetime:
    """The instant after which a record is from the future: the declared end of the data, or now."""
    declared = company.info.data_end
    return as_utc(declared) if declared else datetime.now(UTC)


def data_bounds(
    con: duckdb.DuckDBPyConnection, company: Company, mapped: dict[str, SourceTable]
) -> tuple[datetime, datetime]:
    """The first record of all tables with a clock, and the first instant not in the data."""
    clocks = [(n, m.contract.clock) for n, m in mapped.items() if n != "customers"]
    parts = " union all ".join(
        f"select min({c}) as a, max({c}) as b from good_{n}" for n, c in clocks
    )
    bounds = con.sql(f"select min(a), max(b) from ({parts})").to_arrow_table()
    first, last = (bounds.column(i)[0].as_py() for i in (0, 1))
    now = datetime.now(UTC)  # no row is left: there is nothing to bound
    latest = (last or now).astimezone(UTC)
    midnight = latest.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    declared = company.info.data_end
    return (first or now).astimezone(UTC), as_utc(declared) if declared else midnight
