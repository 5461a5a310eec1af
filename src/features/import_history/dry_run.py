"""Looking at a company's tables without importing them: every table, however broken it is."""

import shutil

from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport, check_tables
from features.import_history.import_table import import_tables
from features.ingest.read_table import connect_for_import
from features.progress import Steps
from features.row_audit import RowAudit
from features.settings import Workspace


def inspect_tables(company: Company, workspace: Workspace, steps: Steps) -> DataQualityReport:
    """Read and check every table, write `usability.json`; the history stays as it is.

    Tables an import would refuse are examined too, and the refusals are part of what is found.
    Raises DataRefused or ConfigRefused when a table cannot be read at all.
    """
    con = connect_for_import(workspace, company)
    ledger = RowAudit()
    try:
        taken = import_tables(con, company, workspace, ledger, steps)
        with steps.step("examine the tables") as done:
            found = check_tables(con, company, taken, ledger)
            done(**found.counts())
    finally:
        con.close()
        shutil.rmtree(workspace.company(company.name) / "spill", ignore_errors=True)
    found.write(workspace)
    return found
