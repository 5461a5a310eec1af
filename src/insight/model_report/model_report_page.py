"""`models.html`: what each model predicts, how good it is, and the data and features behind it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.formatting import ENGLISH
from features.progress import Steps
from features.settings import Workspace
from insight.data_quality_report.data_quality_page import data_quality_link
from insight.formatting.display_names import TITLES
from insight.formatting.page_templates import page_templates
from insight.model_report.data_section import (
    audit_rows,
    excluded_rows,
    feature_rows,
    rows_by_table,
)
from insight.model_report.holdout_section import MetricsByContestant
from insight.model_report.model_warnings import model_warnings
from insight.model_report.nonresponse_section import nonresponse_section
from insight.model_report.published_benchmarks import compare_benchmarks
from insight.model_report.target_section import TargetSection, target_section
from insight.report_facts import ReportFacts, load_report_facts
from models.targets.registry import TARGETS


def model_report_path(workspace: Workspace, company: str) -> Path:
    """The path of a company's `models.html`."""
    return workspace.company(company) / "models.html"


def write_model_report(company: Company, workspace: Workspace, steps: Steps) -> Path:
    """Write `models.html` from the results of the last run and return its path.

    Trains and scores nothing. A company without models gets a page that says so; raises DataRefused
    without a history.
    """
    path = model_report_path(workspace, company.name)
    with steps.step("write the model report") as done:
        facts = load_report_facts(company, workspace)
        text = render(facts, datetime.now(UTC))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, text)
        done(bytes=len(text.encode()), targets=", ".join(facts.bundles))
    return path


def render(facts: ReportFacts, created: datetime) -> str:
    """Render the page as HTML; `created` is the time shown on it."""
    sections, metrics = _sections(facts)
    page = page_templates("insight").get_template("model_report/model_report.html.j2")
    return page.render(
        **_head(facts, created, sections),
        warnings=model_warnings(facts),
        sections=sections,
        nonresponse=nonresponse_section(facts.company, facts.workspace, facts.manifest.fingerprint),
        benchmarks=compare_benchmarks(facts.company, metrics),
        untrained=_untrained(facts),
        tables=rows_by_table(facts.manifest),
        excluded=excluded_rows(facts.manifest),
        changes=audit_rows(facts),
        usability=data_quality_link(facts),
        features=feature_rows(facts),
    )


def _sections(facts: ReportFacts) -> tuple[list[TargetSection], dict[str, MetricsByContestant]]:
    """Sections of the targets that are served or were trained, and their metrics by target."""
    sections, metrics = [], {}
    for target in TARGETS:
        decision = facts.decisions.get(target)
        if target in facts.bundles or (decision and decision.decision == "refused"):
            section, metrics[target] = target_section(target, facts)
            sections.append(section)
    return sections, metrics


def _untrained(facts: ReportFacts) -> list[tuple[str, str]]:
    """Targets that were not trained or that no model serves, with the reason."""
    reasons = dict(facts.missing)
    reasons |= {t: d.reason for t, d in facts.decisions.items() if d.decision == "skipped"}
    return [(TITLES[target], reasons[target]) for target in TARGETS if target in reasons]


def _head(facts: ReportFacts, created: datetime, sections: list[TargetSection]) -> dict[str, Any]:
    manifest = facts.manifest
    return {
        "title": facts.company.info.title or facts.company.name,
        "name": facts.company.name,
        "starts": manifest.start,
        "ends": manifest.end,
        "as_of": facts.scores.as_of if facts.scores else None,
        "fingerprint": manifest.fingerprint,
        "created": f"{ENGLISH.day(created)}, {created:%H:%M} UTC",
        "models": [(s.title, s.version, s.grade, s.name) for s in sections if s.version],
    }
