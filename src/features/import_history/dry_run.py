"""Dry run of an import: check every table of a company, however broken, without storing a history."""

import shutil

from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport, check_tables
from features.import_history.import_table import import_tables
from features.ingest.read_table import connect_for_import
from features.progress import Steps
from features.row_audit import RowAudit
from features.settings import Workspace


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
            done(**report.counts())
    finally:
        con.close()
        shutil.rmtree(workspace.company(company.name) / "spill", ignore_errors=True)
    report.write(workspace)
    return report
