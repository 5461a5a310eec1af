"""A company's checked history on disk: written once, all or nothing, read in blocks of customers."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport, check_tables
from features.data_quality.terminal_summary import summary_lines
from features.definitions.company_schema import CompanySchema
from features.errors import DataRefused
from features.execution.partitions import CustomerRange, split_customers
from features.history.build_history import History, build_history
from features.history.parquet import read_stored_table, stored_customers
from features.history_store import MANIFEST, Manifest, recover_history, replace_history
from features.import_history.file_manifest import Stamps, write_file_manifest
from features.import_history.import_table import ImportedTable, latest_allowed, import_tables
from features.import_history.incremental import ImportState, FullImportNeeded, IncrementalImport, Types, mapping_digest, plan_incremental_import
from features.ingest.feedback import feedback_digest
from features.ingest.infer_schema import infer_schema
from features.ingest.read_table import SourceTable, connect_for_import
from features.ingest.sql import quote_identifier, quote_literal
from features.progress import Steps
from features.row_audit import FILE, RowAudit
from features.settings import Workspace


def import_history(company: Company, workspace: Workspace, steps: Steps) -> Manifest:
    """Read, check and store every table of a company; the former history stays on any refusal.

    What the tables are worth is written to `usability.json`, what became of each row to the
    history's `ledger.json`. Raises DataRefused or ConfigRefused with what is wrong.
    """
    recover_history(workspace.history(company.name))
    limit = latest_allowed(company)
    growth, files, why = plan_incremental_import(company, workspace, limit)
    if growth:
        steps.note(f"  reading {growth.count:,} new files of {len(files):,}")
        try:
            return _import(company, workspace, steps, growth, files)
        except FullImportNeeded as err:
            why = str(err)
    if why:
        steps.note(f"  reading every file: {why}")
    return _import(company, workspace, steps, None, files)


def _import(
    company: Company, workspace: Workspace, steps: Steps, growth: IncrementalImport | None, files: Stamps
) -> Manifest:
    """Import into a folder beside the history, which it replaces when it is whole."""
    final = workspace.history(company.name)
    target = final.with_name("history.new")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    con = connect_for_import(workspace, company)
    try:
        basis = mapping_digest(company), latest_allowed(company).isoformat()
        feedback = feedback_digest(workspace.feedback(company.name))
        manifest, found, types, waiting = _import_tables(
            con, company, workspace, target, steps, growth
        )
        (target / FILE).write_text(RowAudit(found.ledger).to_json(), encoding="utf-8")
        (target / MANIFEST).write_text(_manifest_json(manifest), encoding="utf-8")
        if files:
            ImportState(*basis, types, feedback, waiting).write(target)
            write_file_manifest(files, target)
        replace_history(target, final)
        found.write(workspace)
    finally:
        con.close()
        shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(workspace.company(company.name) / "spill", ignore_errors=True)
    return manifest


def _manifest_json(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2, sort_keys=True)


def _import_tables(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    workspace: Workspace,
    target: Path,
    steps: Steps,
    growth: IncrementalImport | None,
) -> tuple[Manifest, DataQualityReport, Types, int]:
    ledger = RowAudit()
    keep = partial(_write_table, con, target)
    taken = import_tables(con, company, workspace, ledger, steps, keep, growth)
    with steps.step("examine the tables") as done:
        found = check_tables(con, company, taken, ledger)
        done(**found.counts())
    for line in summary_lines(found):
        steps.note(line)
    types = {t.mapped.contract.name: t.types for t in taken if t.types}
    waiting = sum(t.waiting for t in taken)
    return _manifest(con, company, taken, found), found, types, waiting


def _write_table(con: duckdb.DuckDBPyConnection, target: Path, mapped: SourceTable) -> int:
    """Sort a checked table as a history is sorted and write it; the number of its rows."""
    name = mapped.contract.name
    order = ", ".join(quote_identifier(c) for c in (*mapped.contract.order, *mapped.attributes))
    path = quote_literal(str(target / f"{name}.parquet"))
    con.execute(
        f"copy (select * from good_{name} order by {order}) to {path} "
        "(format parquet, compression zstd, row_group_size 100000)"
    )
    return int(con.execute(f"select count(*) from good_{name}").fetchall()[0][0])


def _manifest(
    con: duckdb.DuckDBPyConnection, company: Company, taken: list[ImportedTable], found: DataQualityReport
) -> Manifest:
    prints = []
    mapped = {t.mapped.contract.name: t.mapped for t in taken}
    for name in mapped:
        count, mixed = con.execute(
            f"select count(*), sum(hash(whole_row)::hugeint) from good_{name} whole_row"
        ).fetchall()[0]
        prints.append(f"{name}:{count}:{mixed}")
    ids = " union ".join(f"select customer_id from good_{n}" for n in mapped)
    quarantined: dict[str, dict[str, int]] = {}
    for broken in (b for t in taken for b in t.verdict.broken):
        rule = f"{broken.rule.column}: {broken.rule.name}"
        quarantined.setdefault(broken.table, {})[rule] = broken.rows
    return Manifest(
        company=company.name,
        rows=found.rows,
        customers=int(
            con.execute(f"select count(distinct customer_id) from ({ids})").fetchall()[0][0]
        ),
        data_start=found.data_start,
        data_end=found.data_end,
        fingerprint=hashlib.sha256("\n".join(prints).encode()).hexdigest()[:16],
        schema=infer_schema(con, company, mapped),
        dropped={n: m.dropped for n, m in mapped.items() if m.dropped},
        quarantined=quarantined,
    )
