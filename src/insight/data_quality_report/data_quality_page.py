"""The usability report: what is wrong with a company's tables, and what became of every row."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.data_quality.check_tables import DataQualityReport
from features.data_quality.finding import SEVERITIES
from features.errors import DataRefused
from features.formatting import ENGLISH
from features.progress import Steps
from features.row_audit import AuditLine
from features.settings import Workspace
from insight.data_quality_report.data_quality_plots import customers, table_pictures
from insight.formatting.plot_images import PlotImage
from insight.report_facts import ReportFacts

WORDS = {"error": ("Errors", "rows that do not reach the history"),
         "warning": ("Warnings", "may spoil what is learnt"),
         "advice": ("Advice", "worth a look")}  # fmt: skip

STEPS = {
    "read": "read from the files", "query": "made by the query", "drop": "dropped, as the file says",
    "correct": "corrected, as the file says", "duplicates": "duplicates removed",
    "quarantine": "quarantined: they break the contract", "fill": "filled in",
    "scale": "brought to one scale",
}  # fmt: skip


@dataclass(frozen=True)
class TablePart:
    """One table of the report: its rows, missing values and pictures."""

    name: str
    rows: int
    missing: list[tuple[str, str]]
    pictures: list[PlotImage]


def data_quality_page_path(workspace: Workspace, company: str) -> Path:
    """Where the usability report of a company is."""
    return workspace.company(company) / "usability.html"


def data_quality_link(facts: ReportFacts) -> str:
    """The usability report as the report beside it links to it; empty where there is none."""
    page = data_quality_page_path(facts.workspace, facts.company.name)
    return page.name if page.is_file() else ""


def write_data_quality_page(company: Company, workspace: Workspace, steps: Steps) -> Path:
    """Write the usability report from `usability.json`, and return its path.

    Raises DataRefused when the tables were never looked at.
    """
    path = data_quality_page_path(workspace, company.name)
    with steps.step("write the usability report") as done:
        found = DataQualityReport.read(workspace, company.name)
        if found is None:
            raise DataRefused(
                f"nothing is known about the tables of {company.name}; run `goodwill quality`"
            )
        text = render(company, found, datetime.now(UTC))
        write_text_atomically(path, text)
        done(bytes=len(text.encode()), **found.counts())
    return path


def render(company: Company, found: DataQualityReport, made: datetime) -> str:
    """The page's HTML; `made` is the moment it claims."""
    environment = Environment(
        loader=PackageLoader("insight", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters.update(count=ENGLISH.count, share=ENGLISH.percent, day=ENGLISH.day)
    seen = found.profile.get("customers")
    return environment.get_template("data_quality_report/data_quality.html.j2").render(
        title=company.info.title or company.name,
        name=company.name,
        starts=datetime.fromisoformat(found.data_start),
        ends=datetime.fromisoformat(found.data_end),
        made=f"{ENGLISH.day(made)}, {made:%H:%M} UTC",
        refusals=found.refusals,
        groups=[(s, *WORDS[s], [f for f in found.findings if f.severity == s]) for s in SEVERITIES],
        tables=[_part(found, name) for name in found.rows],
        customers=[customers(seen)] if seen else [],
        ledger=ledger_rows(found.ledger),
    )


def _part(found: DataQualityReport, name: str) -> TablePart:
    profile = found.profile.get("tables", {}).get(name, {})
    missing = sorted(profile.get("missing", {}).items(), key=lambda item: -item[1])
    return TablePart(
        name,
        found.rows[name],
        [(column, ENGLISH.percent(part)) for column, part in missing if part > 0],
        table_pictures(found, name),
    )


def ledger_rows(lines: list[AuditLine]) -> list[tuple[str, str, str, str, str, str]]:
    """The ledger as people read it: table, step, rule, rows met, rows before, rows after."""
    shown = []
    for line in lines:
        rows, before, after = map(ENGLISH.count, (line.rows, line.before, line.after))
        shown.append((line.table, STEPS[line.step], line.rule, rows, before, after))
    return shown
