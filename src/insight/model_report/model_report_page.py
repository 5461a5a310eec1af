"""The analysts' page, `models.html`: what is known, what is predicted and how far to trust it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from features.history_store import open_history
from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.progress import Steps
from features.settings import Workspace
from insight.data_quality_report.data_quality_page import usability_link
from insight.formatting import numbers
from insight.formatting.display_names import TITLES
from insight.model_report.data_section import changes, feature_lines, left_out, rows_by_table
from insight.model_report.history_series import Answered, Months, answered, months
from insight.model_report.holdout_section import Measured
from insight.model_report.nonresponse_section import everyone
from insight.model_report.overview import add_up, calls, survey_lines, tiles
from insight.model_report.overview_plots import month_pictures, score_pictures
from insight.model_report.published_benchmarks import beside_references
from insight.model_report.target_section import Section, section
from insight.model_report.warnings import cautions, far_from_training
from insight.report_facts import Facts, gather
from models.targets.registry import TARGETS


def model_page(workspace: Workspace, company: str) -> Path:
    """Where the analysts' page of a company is."""
    return workspace.company(company) / "models.html"


def write_model_report(company: Company, workspace: Workspace, steps: Steps) -> Path:
    """Write the analysts' page of a company from what its last run left, and return its path.

    Nothing is trained or scored. A company without scores or models gets a page that says so;
    raises DataRefused without a history.
    """
    path = model_page(workspace, company.name)
    with steps.step("write the page of the models") as done:
        facts = gather(company, workspace)
        text = render(facts, datetime.now(UTC))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, text)
        done(bytes=len(text.encode()), targets=", ".join(facts.bundles))
    return path


def render(facts: Facts, made: datetime) -> str:
    """The page's HTML; `made` is the moment it claims."""
    environment = Environment(
        loader=PackageLoader("insight", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=numbers.count, share=numbers.share, day=numbers.day)
    sections, measured = _sections(facts)
    with open_history(facts.workspace.history(facts.company.name)) as con:
        said, by_month = answered(con, facts.manifest), months(con, facts.manifest)
    page = environment.get_template("model_report/model_report.html.j2")
    return page.render(
        **_head(facts, made, sections),
        **_overview(facts, said, by_month),
        sections=sections,
        everyone=everyone(facts.company, facts.workspace, facts.manifest.fingerprint),
        references=beside_references(facts.company, measured),
        untrained=_untrained(facts),
        tables=rows_by_table(facts.manifest),
        left_out=left_out(facts.manifest),
        changes=changes(facts),
        usability=usability_link(facts),
        features=feature_lines(facts),
    )


def _sections(facts: Facts) -> tuple[list[Section], dict[str, Measured]]:
    """The targets that serve or were trained, with their measures by target."""
    found, measured = [], {}
    for target in TARGETS:
        decision = facts.decisions.get(target)
        if target in facts.bundles or (decision and decision.decision == "refused"):
            told, measured[target] = section(target, facts)
            found.append(told)
    return found, measured


def _untrained(facts: Facts) -> list[tuple[str, str]]:
    """Targets nothing was trained for, or that no model serves, with the reason."""
    reasons = dict(facts.missing)
    reasons |= {t: d.reason for t, d in facts.decisions.items() if d.decision == "skipped"}
    return [(TITLES[target], reasons[target]) for target in TARGETS if target in reasons]


def _head(facts: Facts, made: datetime, sections: list[Section]) -> dict[str, Any]:
    manifest = facts.manifest
    return {
        "title": facts.company.about.title or facts.company.name,
        "name": facts.company.name,
        "starts": manifest.start,
        "ends": manifest.end,
        "as_of": facts.scores.as_of if facts.scores else None,
        "fingerprint": manifest.fingerprint,
        "made": f"{numbers.day(made)}, {made:%H:%M} UTC",
        "models": [(s.title, s.version, s.grade, s.name) for s in sections if s.version],
        "currency": facts.company.about.currency,
    }


def _overview(
    facts: Facts, said: dict[str, Answered], by_month: dict[str, Months]
) -> dict[str, Any]:
    """Sums, pictures and the call list; empty where nothing has been scored."""
    currency = facts.company.about.currency
    past = month_pictures(by_month, currency)
    surveys = survey_lines(facts.scores, said)
    if facts.scores is None:
        return {"tiles": [], "surveys": surveys, "notes": [], "calls": None, "drawn": [],
                "past": past}  # fmt: skip
    far = far_from_training(facts)
    return {
        "tiles": tiles(add_up(facts.scores), facts, said, far),
        "surveys": surveys,
        "notes": cautions(facts, said, far),
        "calls": calls(facts.scores, currency),
        "drawn": score_pictures(facts.scores, currency),
        "past": past,
    }
