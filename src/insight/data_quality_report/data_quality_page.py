"""The data quality page: findings about a company's tables, and the audit of every row."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport
from features.data_quality.finding import SEVERITIES
from features.errors import DataRefused
from features.formatting import ENGLISH
from features.progress import Steps
from features.row_audit import AuditLine
from features.settings import Workspace
from insight.data_quality_report.data_quality_plots import plot_customers, plot_table
from insight.formatting.page_templates import page_templates
from insight.formatting.plot_images import PlotImage
from insight.report_facts import ReportFacts

SEVERITY_TEXTS = {"error": ("Errors", "rows excluded from the history"),
                  "warning": ("Warnings", "may harm the models"),
                  "advice": ("Advice", "for information")}  # fmt: skip

STEP_TEXTS = {
    "read": "read from the files", "query": "returned by the query",
    "drop": "dropped by a rule of the company file",
    "correct": "corrected by a rule of the company file", "duplicates": "duplicates removed",
    "quarantine": "quarantined: they break the contract", "fill": "filled in",
    "scale": "converted to one scale",
}  # fmt: skip


@dataclass(frozen=True)
class TablePart:
    """One table on the page: its rows, missing values and plots."""

    name: str
    rows: int
    missing: list[tuple[str, str]]
    pictures: list[PlotImage]


def data_quality_page_path(workspace: Workspace, company: str) -> Path:
    """Path of a company's data quality page."""
    return workspace.company(company) / "data-quality.html"


def data_quality_link(facts: ReportFacts) -> str:
    """Relative link from the other reports to the data quality page; empty if there is none."""
    page = data_quality_page_path(facts.workspace, facts.company.name)
    return page.name if page.is_file() else ""


def write_data_quality_page(company: Company, workspace: Workspace, steps: Steps) -> Path:
    """Write the data quality page from `data-quality.json` and return its path.

    Raises DataRefused if the tables have never been checked.
    """
    path = data_quality_page_path(workspace, company.name)
    with steps.step("write the data quality report") as done:
        found = DataQualityReport.read(workspace, company.name)
        if found is None:
            raise DataRefused(
                f"the tables of {company.name} have not been checked; run `goodwill quality`"
            )
        text = render(company, found, datetime.now(UTC))
        write_text_atomically(path, text)
        done(bytes=len(text.encode()), **found.counts())
    return path


def render(company: Company, report: DataQualityReport, created: datetime) -> str:
    """The page as HTML; `created` is the time it shows."""
    activity = report.profile.get("customers")
    return (
        page_templates("insight")
        .get_template("data_quality_report/data_quality.html.j2")
        .render(
            title=company.info.title or company.name,
            name=company.name,
            starts=datetime.fromisoformat(report.data_start),
            ends=datetime.fromisoformat(report.data_end),
            created=f"{ENGLISH.day(created)}, {created:%H:%M} UTC",
            refusals=report.refusals,
            groups=[
                (s, *SEVERITY_TEXTS[s], [f for f in report.findings if f.severity == s])
                for s in SEVERITIES
            ],
            tables=[_table_part(report, name) for name in report.rows],
            customers=[plot_customers(activity)] if activity else [],
            row_audit=row_audit_rows(report.row_audit),
        )
    )


def _table_part(report: DataQualityReport, name: str) -> TablePart:
    profile = report.profile.get("tables", {}).get(name, {})
    missing = sorted(profile.get("missing", {}).items(), key=lambda item: -item[1])
    return TablePart(
        name,
        report.rows[name],
        [(column, ENGLISH.percent(part)) for column, part in missing if part > 0],
        plot_table(report, name),
    )


def row_audit_rows(lines: list[AuditLine]) -> list[tuple[str, str, str, str, str, str]]:
    """The row audit as text: table, step, rule, rows affected, rows before, rows after."""
    rows = []
    for line in lines:
        affected, before, after = map(ENGLISH.count, (line.rows, line.before, line.after))
        rows.append((line.table, STEP_TEXTS[line.step], line.rule, affected, before, after))
    return rows
