"""Import a company's tables into its stored history: all or nothing, in full or only the new files."""

import hashlib
import json
import shutil
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import duckdb

from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport, check_tables
from features.data_quality.finding import TableFinding, rank_findings
from features.data_quality.imported_table import ImportedTable
from features.data_quality.terminal_summary import summary_lines
from features.history_store import MANIFEST, Manifest, recover_history, replace_history
from features.import_history.accepted_losses import AcceptedLoss, check_table_names
from features.import_history.file_manifest import FileStamps, write_file_manifest
from features.import_history.import_table import import_tables
from features.import_history.incremental import (
    FullImportNeeded,
    ImportState,
    IncrementalImport,
    code_identity,
    plan_incremental_import,
)
from features.import_history.loss_check import LossCheck, check_for_losses, settle_losses
from features.ingest.feedback import feedback_digest
from features.ingest.infer_schema import infer_schema
from features.ingest.read_table import SourceTable, connect_for_import
from features.ingest.sql import quote_identifier, quote_literal
from features.ingest.time_bounds import latest_allowed
from features.progress import Steps
from features.row_audit import FILE, RowAudit
from features.settings import Workspace


def import_history(
    company: Company, workspace: Workspace, steps: Steps, accepted: AcceptedLoss | None = None
) -> Manifest:
    """Read, validate and store every table of a company; on any refusal the former history stays.

    Tables that have lost rows are refused, except the `accepted` ones. Also writes the data quality
    report and the history's row audit. Raises DataRefused or ConfigRefused with what is wrong.
    """
    if accepted:
        check_table_names(accepted.tables, company.tables)
    recover_history(workspace.history(company.name))
    limit = latest_allowed(company)
    incremental, files, reason = plan_incremental_import(company, workspace, limit)
    if incremental:
        steps.note(f"  reading {incremental.file_count:,} new files of {len(files):,}")
        for source in incremental.without_news:
            steps.note(f"[yellow]–[/] no new file of {source}")
        try:
            return _import(company, workspace, steps, incremental, files, accepted)
        except FullImportNeeded as err:
            reason = str(err)
    if reason:
        steps.note(f"  reading every file: {reason}")
    return _import(company, workspace, steps, None, files, accepted)


def run_dry_import(company: Company, workspace: Workspace, steps: Steps) -> DataQualityReport:
    """Read and check every table, and write the data quality report; the history stays as it is.

    Tables that an import would refuse are checked too, and the refusals are part of the report.
    Raises DataRefused or ConfigRefused when a table cannot be read at all.
    """
    con = connect_for_import(workspace, company)
    audit = RowAudit()
    try:
        imported = import_tables(con, company, workspace, audit, steps)
        with steps.step("check data quality") as done:
            report = check_tables(con, company, imported, audit)
            check = check_for_losses(con, company, workspace, audit)
            refusals = [*report.refusals, *_loss_refusals(company, check, imported)]
            report = replace(report, refusals=refusals)
            done(**report.counts())
    finally:
        con.close()
        shutil.rmtree(workspace.company(company.name) / "spill", ignore_errors=True)
    report.write(workspace)
    return report


def _loss_refusals(company: Company, check: LossCheck, imported: list[ImportedTable]) -> list[str]:
    """Why an import would be refused for lost rows; tables that are refused anyway are left out."""
    refused = {t.source.contract.name for t in imported if t.validation.refusal}
    losses = [loss for loss in check.losses if loss.table not in refused]
    return [check.refusal(company, losses)] if losses else []


def _import(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    incremental: IncrementalImport | None,
    files: FileStamps,
    accepted: AcceptedLoss | None,
) -> Manifest:
    """Import into a temporary folder, which replaces the history when it is complete."""
    final = workspace.history(company.name)
    target = final.with_name("history.new")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    con = connect_for_import(workspace, company)
    try:
        code, limit = code_identity(company), latest_allowed(company).isoformat()
        feedback = feedback_digest(workspace.feedback(company.name))
        imported, report, check = _import_tables(
            con, company, workspace, target, steps, incremental, accepted
        )
        check.write(target)
        manifest = _describe_history(con, company, imported, report)
        (target / FILE).write_text(RowAudit(report.row_audit).to_json(), encoding="utf-8")
        content = json.dumps(asdict(manifest), indent=2, sort_keys=True)
        (target / MANIFEST).write_text(content, encoding="utf-8")
        for applied in (t.feedback for t in imported if t.feedback):
            applied.write(target)
        if files:
            types = {t.source.contract.name: t.source_types for t in imported if t.source_types}
            waiting = sum(t.feedback.waiting for t in imported if t.feedback)
            ImportState(code, limit, types, feedback, waiting).write(target)
            write_file_manifest(files, target)
        replace_history(target, final)
        report.write(workspace)
    finally:
        con.close()
        shutil.rmtree(target, ignore_errors=True)
        shutil.rmtree(workspace.company(company.name) / "spill", ignore_errors=True)
    return manifest


def _import_tables(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    workspace: Workspace,
    target: Path,
    steps: Steps,
    incremental: IncrementalImport | None,
    accepted: AcceptedLoss | None,
) -> tuple[list[ImportedTable], DataQualityReport, LossCheck]:
    """Import and store every table, compare with the former history, and check the data quality."""
    audit = RowAudit()
    store = partial(_write_table, con, target)
    imported = import_tables(con, company, workspace, audit, steps, store, incremental)
    with steps.step("compare rows with the stored history") as done:
        check = check_for_losses(con, company, workspace, audit)
        done(losses=len(check.losses))
    losses = settle_losses(check, company, workspace, accepted, steps)
    with steps.step("check data quality") as done:
        report = _with_findings(check_tables(con, company, imported, audit), losses)
        done(**report.counts())
    for line in summary_lines(report):
        steps.note(line)
    return imported, report, check


def _with_findings(report: DataQualityReport, more: list[TableFinding]) -> DataQualityReport:
    return replace(report, findings=rank_findings([*report.findings, *more]))


def _write_table(con: duckdb.DuckDBPyConnection, target: Path, source: SourceTable) -> int:
    """Write a validated table in the sort order of a history; returns its row count."""
    name = source.contract.name
    order = ", ".join(quote_identifier(c) for c in (*source.contract.order, *source.attributes))
    path = quote_literal(str(target / f"{name}.parquet"))
    con.execute(
        f"copy (select * from good_{name} order by {order}) to {path} "
        "(format parquet, compression zstd, row_group_size 100000)"
    )
    return int(con.execute(f"select count(*) from good_{name}").fetchall()[0][0])


def _describe_history(
    con: duckdb.DuckDBPyConnection,
    company: Company,
    imported: list[ImportedTable],
    report: DataQualityReport,
) -> Manifest:
    """The manifest of the imported tables."""
    sources = {t.source.contract.name: t.source for t in imported}
    ids = " union ".join(f"select customer_id from good_{n}" for n in sources)
    quarantined: dict[str, dict[str, int]] = {}
    for violation in (v for t in imported for v in t.validation.violations):
        rule = f"{violation.rule.column}: {violation.rule.name}"
        quarantined.setdefault(violation.table, {})[rule] = violation.rows
    return Manifest(
        company=company.name,
        rows=report.rows,
        customers=int(
            con.execute(f"select count(distinct customer_id) from ({ids})").fetchall()[0][0]
        ),
        data_start=report.data_start,
        data_end=report.data_end,
        fingerprint=_fingerprint(con, list(sources)),
        schema=infer_schema(con, company, sources),
        dropped={n: s.dropped for n, s in sources.items() if s.dropped},
        quarantined=quarantined,
    )


def _fingerprint(con: duckdb.DuckDBPyConnection, names: list[str]) -> str:
    """A hash of all rows that does not depend on their order."""
    parts = []
    for name in names:
        count, total = con.execute(
            f"select count(*), sum(hash(whole_row)::hugeint) from good_{name} whole_row"
        ).fetchall()[0]
        parts.append(f"{name}:{count}:{total}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
