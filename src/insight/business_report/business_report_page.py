"""Write the business report: two self-contained HTML files in English or Chinese."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.formatting import Language
from features.progress import Steps
from features.settings import Workspace
from insight.business_report.alerts_section import alert_sentences, is_watched
from insight.business_report.call_list import call_list
from insight.business_report.closed_loop_section import cycle_rows
from insight.business_report.cohorts_section import cohorts_section
from insight.business_report.comments_section import comments_section
from insight.business_report.complaints_section import complaints_section
from insight.business_report.data_quality_section import data_quality_section
from insight.business_report.distributions_section import distribution_charts
from insight.business_report.drivers_section import drivers_section
from insight.business_report.group_trends import group_trends
from insight.business_report.indicators_section import group_tables, indicator_rows, not_measured
from insight.business_report.model_quality_section import model_quality
from insight.business_report.report_inputs import ReportInputs, load_report_inputs
from insight.business_report.revenue_trend import revenue_trend
from insight.business_report.segments_section import migration_table, segment_tables
from insight.business_report.summary_section import summary_sentences
from insight.business_report.tiles_section import overview_tiles
from insight.business_report.translations import (
    LANGUAGE_NAMES,
    LANGUAGE_TAGS,
    LANGUAGES,
    report_language,
)
from insight.business_report.trends_section import (
    missing_corrections,
    missing_forecasts,
    trend_charts,
)
from insight.business_report.value_score_section import value_score_section
from insight.data_quality_report.data_quality_page import data_quality_link
from insight.formatting.page_templates import page_templates
from insight.model_report.model_report_page import model_report_path, write_model_report

#: The sections of each page in their order, and those that need an evaluation.
OVERVIEW_PARTS = ("overview", "calls")
DETAIL_PARTS = (
    "indicators", "trends", "groups", "drivers", "cohorts", "distributions", "tiers", "complaints",
    "comments", "loop", "data", "models",
)  # fmt: skip
EVALUATED = {
    "overview", "indicators", "trends", "groups", "drivers", "cohorts", "tiers", "comments", "loop",
}  # fmt: skip


@dataclass(frozen=True)
class ReportFiles:
    """The files of the report: page one and the details, in the folder of the company's results."""

    overview: Path
    details: Path


def report_files(workspace: Workspace, company: str, language: Language = "en") -> ReportFiles:
    """Where the report of a company is written in a language."""
    return ReportFiles(
        workspace.report(company, language), workspace.report_details(company, language)
    )


def write_report(
    company: Company, workspace: Workspace, steps: Steps, language: Language | None = None
) -> list[Path]:
    """Write the two pages of the report and `models.html`; return the paths of page one.

    Trains, scores and evaluates nothing: shows the results of the last runs, and what is missing. The
    language is that of `LANG_REPORT` unless given. The report in another language that is there is
    written again, so that all are of the same results and link to each other. Raises DataRefused
    without a history, ConfigRefused for an unknown language.
    """
    chosen = language or report_language()
    others = [n for n in LANGUAGES if n != chosen and workspace.report(company.name, n).exists()]
    write_model_report(company, workspace, steps)
    written = [chosen, *others]
    return [_write_language(company, workspace, steps, name, written) for name in written]


def _write_language(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    language: Language,
    written: Sequence[Language],
) -> Path:
    """Write both pages in one of the languages in which the report is written."""
    files = report_files(workspace, company.name, language)
    with steps.step("write the report") as done:
        inputs, now = load_report_inputs(company, workspace, language), datetime.now(UTC)
        pages = {
            files.overview: render_overview(inputs, now, written),
            files.details: render_details(inputs, now, written),
        }
        files.overview.parent.mkdir(parents=True, exist_ok=True)
        for path, text in pages.items():
            write_text_atomically(path, text)
        done(bytes=sum(len(text.encode()) for text in pages.values()), language=language)
    return files.overview


def render_overview(
    inputs: ReportInputs, created: datetime, written: Sequence[Language] = ()
) -> str:
    """Render page one: three sentences, six tiles, alerts and the call list.

    `created` is the time shown on it. It links to itself in the other languages of `written`.
    """
    calls = call_list(inputs)
    return _render(
        "report", OVERVIEW_PARTS, inputs, created, written,
        summary=summary_sentences(inputs, calls),
        tiles=overview_tiles(inputs),
        has_indicators=bool(inputs.evaluation and inputs.evaluation.indicators),
        alerts=alert_sentences(inputs),
        watched=is_watched(inputs),
        calls=calls,
    )  # fmt: skip


def render_details(
    inputs: ReportInputs, created: datetime, written: Sequence[Language] = ()
) -> str:
    """Render the second page: every indicator, chart and table behind page one."""
    rows = indicator_rows(inputs)
    return _render(
        "details", DETAIL_PARTS, inputs, created, written,
        rows=rows,
        has={n: any(getattr(r, n) for r in rows) for n in ("everybody", "target")},
        not_measured=not_measured(inputs),
        trends=[*revenue_trend(inputs), *trend_charts(inputs)],
        missing_forecasts=missing_forecasts(inputs),
        missing_corrections=missing_corrections(inputs),
        groups=group_tables(inputs),
        group_trends=group_trends(inputs),
        distributions=distribution_charts(inputs),
        scored=inputs.facts.scores is not None,
        drivers=drivers_section(inputs),
        cohorts=cohorts_section(inputs),
        segments=segment_tables(inputs),
        moves={which: migration_table(inputs, which) for which in ("tiers", "stages")},
        value_score=value_score_section(inputs),
        complaints=complaints_section(inputs),
        comments=comments_section(inputs),
        cycles=cycle_rows(inputs),
        data=data_quality_section(inputs),
        models=model_quality(inputs),
    )  # fmt: skip


def _render(
    page: str, parts: Sequence[str], inputs: ReportInputs, created: datetime,
    written: Sequence[Language], **sections: Any,
) -> str:  # fmt: skip
    """Render a page, `report` or `details`, as HTML."""
    environment = page_templates("insight.business_report", inputs.translate.language)
    environment.globals.update(w=inputs.translate, language=inputs.translate.language)
    script = environment.get_template("script.html.j2").render()
    evaluation = inputs.evaluation
    return environment.get_template(f"{page}.html.j2").render(
        **_head(page, inputs, created),
        languages=_language_links(page, inputs, written),
        script=Markup(script),  # noqa: S704 - our own script, without data
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        evaluation=evaluation,
        parts=[part for part in parts if evaluation or part not in EVALUATED],
        skipped={
            part: inputs.translate.message(why)
            for part, why in (evaluation.skipped if evaluation else {}).items()
        },
        **sections,
    )


def _language_links(
    page: str, inputs: ReportInputs, written: Sequence[Language]
) -> list[tuple[str, ...]]:
    """File, tag and name of a page in each other language in which the report is written."""
    facts = inputs.facts
    links: list[tuple[str, ...]] = []
    for language in (n for n in LANGUAGES if n in written and n != inputs.translate.language):
        files = report_files(facts.workspace, facts.company.name, language)
        path = files.overview if page == "report" else files.details
        links.append((path.name, LANGUAGE_TAGS[language], LANGUAGE_NAMES[language]))
    return links


def count_customers(inputs: ReportInputs) -> str:
    """Who is a customer, and how many others are known; everybody known before an evaluation."""
    counts = inputs.evaluation.customers if inputs.evaluation else None
    number = inputs.numbers.count
    if counts is None:
        return number(inputs.facts.manifest.customers)
    others = [
        inputs.translate(word, n=number(n))
        for word, n in (("customers_left", counts.left), ("customers_unknown", counts.unknown))
        if n
    ]
    if not others:
        return number(counts.customers)
    return inputs.translate(
        "customers_and_others", n=number(counts.customers),
        others=inputs.translate("comma").join(others),
    )  # fmt: skip


def _head(page: str, inputs: ReportInputs, created: datetime) -> dict[str, Any]:
    facts, numbers, evaluation = inputs.facts, inputs.numbers, inputs.evaluation
    as_of = evaluation.as_of if evaluation else facts.scores.as_of if facts.scores else None
    period = ""
    if evaluation and evaluation.indicators:
        newest = max(i.period for i in evaluation.indicators)
        period = numbers.period(newest, evaluation.period)
    models = model_report_path(facts.workspace, facts.company.name)
    files = report_files(facts.workspace, facts.company.name, inputs.translate.language)
    other = ("details", files.details) if page == "report" else ("report", files.overview)
    return {
        "page": page,
        "other_page": {"name": other[0], "file": other[1].name},
        "tag": LANGUAGE_TAGS[inputs.translate.language],
        "title": facts.company.info.title or facts.company.name,
        "name": facts.company.name,
        **_headings(inputs),
        "period": period,
        "as_of": numbers.day(as_of) if as_of else "",
        "created": f"{numbers.day(created)} {created:%H:%M} UTC",
        "customers": count_customers(inputs),
        "unreadable": inputs.translate.message(inputs.unreadable),
        "is_snapshot": facts.company.snapshot is not None,
        "outdated": bool(evaluation and evaluation.fingerprint != facts.manifest.fingerprint),
        "fingerprint": facts.manifest.fingerprint,
        "models_page": models.name if models.is_file() else "",
        "usability_page": data_quality_link(facts),
        "stability": numbers.decimal(evaluation.stability, 2)
        if evaluation and evaluation.stability is not None
        else "",
    }


def _headings(inputs: ReportInputs) -> dict[str, str]:
    """Headings of predictions, with their horizon."""
    company, translate = inputs.facts.company, inputs.translate
    return {
        "value_heading": translate(
            "expected_in", days=company.target("value").horizon_days,
            currency=inputs.numbers.currency(company.info.currency),
        ),
        "churn_heading": translate("churn_undated")
        if company.snapshot
        else translate("churn_in", days=company.target("churn").horizon_days),
    }  # fmt: skip
