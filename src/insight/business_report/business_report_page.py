"""Write the business report: one self-contained HTML file in English or Chinese."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.formatting import Language
from features.progress import Steps
from features.settings import Workspace
from insight.business_report.call_list import call_list
from insight.business_report.closed_loop_section import cycle_rows
from insight.business_report.complaints_section import complaints_section
from insight.business_report.data_quality_section import data_quality_section
from insight.business_report.distributions_section import distribution_charts
from insight.business_report.drivers_section import drivers_section
from insight.business_report.indicators_section import group_tables, indicator_rows, not_measured
from insight.business_report.model_quality_section import model_quality
from insight.business_report.overview_section import (
    alert_sentences,
    is_watched,
    overview_tiles,
)
from insight.business_report.report_inputs import ReportInputs, load_report_inputs
from insight.business_report.segments_section import migration_table, segment_tables
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
from insight.model_report.model_report_page import model_report_path, write_model_report

#: The sections in their order, and those that need an evaluation.
PARTS = (
    "overview", "calls", "indicators", "trends", "groups", "distributions", "drivers", "tiers",
    "complaints", "loop", "data", "models",
)  # fmt: skip
EVALUATED = {"overview", "indicators", "trends", "groups", "drivers", "tiers", "loop"}


def write_report(
    company: Company, workspace: Workspace, steps: Steps, language: Language | None = None
) -> list[Path]:
    """Write the report and `models.html` of a company; return the paths of the report.

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
    """Write the report in one of the languages in which it is written."""
    path = workspace.report(company.name, language)
    with steps.step("write the report") as done:
        inputs = load_report_inputs(company, workspace, language)
        text = render(inputs, datetime.now(UTC), written)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, text)
        done(bytes=len(text.encode()), language=language)
    return path


def render(inputs: ReportInputs, created: datetime, written: Sequence[Language] = ()) -> str:
    """Render the report as HTML; `created` is the time shown on it.

    It links to the report in the other languages of `written`.
    """
    environment = Environment(
        loader=PackageLoader("insight.business_report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(w=inputs.translate, language=inputs.translate.language)
    script = environment.get_template("script.html.j2").render()
    page, rows = environment.get_template("report.html.j2"), indicator_rows(inputs)
    return page.render(
        **_head(inputs, created),
        languages=_language_links(inputs, written),
        script=Markup(script),  # noqa: S704 - our own script, without data
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        evaluation=inputs.evaluation,
        parts=[part for part in PARTS if inputs.evaluation or part not in EVALUATED],
        skipped={
            part: inputs.translate.message(why)
            for part, why in (inputs.evaluation.skipped if inputs.evaluation else {}).items()
        },
        tiles=overview_tiles(inputs),
        alerts=alert_sentences(inputs),
        watched=is_watched(inputs),
        calls=call_list(inputs),
        rows=rows,
        has={n: any(getattr(r, n) for r in rows) for n in ("everybody", "target")},
        not_measured=not_measured(inputs),
        trends=trend_charts(inputs),
        missing_forecasts=missing_forecasts(inputs),
        missing_corrections=missing_corrections(inputs),
        groups=group_tables(inputs),
        distributions=distribution_charts(inputs),
        scored=inputs.facts.scores is not None,
        drivers=drivers_section(inputs),
        segments=segment_tables(inputs),
        moves={which: migration_table(inputs, which) for which in ("tiers", "stages")},
        value_score=value_score_section(inputs),
        complaints=complaints_section(inputs),
        cycles=cycle_rows(inputs),
        data=data_quality_section(inputs),
        models=model_quality(inputs),
    )


def _language_links(inputs: ReportInputs, written: Sequence[Language]) -> list[tuple[str, ...]]:
    """File, tag and name of each other language in which the report is written."""
    facts = inputs.facts
    return [
        (facts.workspace.report(facts.company.name, n).name, LANGUAGE_TAGS[n], LANGUAGE_NAMES[n])
        for n in LANGUAGES
        if n in written and n != inputs.translate.language
    ]


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


def _head(inputs: ReportInputs, created: datetime) -> dict[str, Any]:
    facts, numbers, evaluation = inputs.facts, inputs.numbers, inputs.evaluation
    as_of = evaluation.as_of if evaluation else facts.scores.as_of if facts.scores else None
    period = ""
    if evaluation and evaluation.indicators:
        newest = max(i.period for i in evaluation.indicators)
        period = numbers.period(newest, evaluation.period)
    models = model_report_path(facts.workspace, facts.company.name)
    return {
        "tag": LANGUAGE_TAGS[inputs.translate.language],
        "title": facts.company.info.title or facts.company.name,
        "name": facts.company.name,
        "currency": numbers.currency(facts.company.info.currency),
        "period": period,
        "as_of": numbers.day(as_of) if as_of else "",
        "created": f"{numbers.day(created)} {created:%H:%M} UTC",
        "customers": count_customers(inputs),
        "unreadable": inputs.translate.message(inputs.unreadable),
        "outdated": bool(evaluation and evaluation.fingerprint != facts.manifest.fingerprint),
        "fingerprint": facts.manifest.fingerprint,
        "models_page": models.name if models.is_file() else "",
        "usability_page": data_quality_link(facts),
        "stability": numbers.decimal(evaluation.stability, 2)
        if evaluation and evaluation.stability is not None
        else "",
    }
