"""The report's page: all parts in one self-contained file, in the language asked for."""

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.progress import Steps
from features.settings import Workspace
from insight.business_report.call_list import call_list
from insight.business_report.closed_loop_section import turns
from insight.business_report.complaints_section import complaint_part
from insight.business_report.data_quality_section import data_part
from insight.business_report.distributions_section import spreads
from insight.business_report.drivers_section import driver_part
from insight.business_report.indicators_section import group_tables, not_measured, rows
from insight.business_report.model_quality_section import graded
from insight.business_report.overview_section import alerts, tiles
from insight.business_report.report_inputs import Material, read_material
from insight.business_report.segments_section import move_table, segment_tables
from insight.business_report.translations import Language, report_language
from insight.business_report.trends_section import not_corrected, not_forecast, trends
from insight.business_report.value_score_section import worth_part
from insight.data_quality_report.data_quality_page import usability_link
from insight.model_report.model_report_page import model_page, write_model_report

#: The parts in their order, and those there is nothing of before the first evaluation.
PARTS = (
    "glance", "calls", "indicators", "trends", "groups", "spread", "drivers", "tiers", "complaints",
    "loop", "data", "models",
)  # fmt: skip
EVALUATED = {"glance", "indicators", "trends", "groups", "drivers", "tiers", "loop"}
LANGUAGE_TAGS = {"en": "en", "zh": "zh-Hans"}


def write_report(
    company: Company, workspace: Workspace, steps: Steps, language: Language | None = None
) -> Path:
    """Write the report of a company and the analysts' page beside it; the path of the report.

    Nothing is trained, scored or evaluated: it tells what the last runs left, and what is missing. The
    language is that of `LANG_REPORT` unless given. Raises DataRefused without a history, ConfigRefused
    for a language there is none of.
    """
    language = language or report_language()
    write_model_report(company, workspace, steps)
    path = workspace.report(company.name)
    with steps.step("write the report") as done:
        material = read_material(company, workspace, language)
        text = render(material, datetime.now(UTC))
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text_atomically(path, text)
        done(bytes=len(text.encode()), language=language)
    return path


def render(material: Material, made: datetime) -> str:
    """The page's HTML; `made` is the moment it claims."""
    environment = Environment(
        loader=PackageLoader("insight.business_report", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(w=material.words, language=material.words.language)
    script = environment.get_template("script.html.j2").render()
    page, table = environment.get_template("page.html.j2"), rows(material)
    return page.render(
        **_head(material, made),
        script=Markup(script),  # noqa: S704 - our own, without data
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        evaluation=material.evaluation,
        parts=[part for part in PARTS if material.evaluation or part not in EVALUATED],
        skipped=material.evaluation.skipped if material.evaluation else {},
        tiles=tiles(material),
        alerts=alerts(material),
        calls=call_list(material),
        rows=table,
        has={n: any(getattr(r, n) for r in table) for n in ("everybody", "aim")},
        not_measured=not_measured(material),
        trends=trends(material),
        not_forecast=not_forecast(material),
        not_corrected=not_corrected(material),
        groups=group_tables(material),
        spreads=spreads(material),
        drivers=driver_part(material),
        segments=segment_tables(material),
        moves={which: move_table(material, which) for which in ("tiers", "stages")},
        worth=worth_part(material),
        complaints=complaint_part(material),
        turns=turns(material),
        data=data_part(material),
        grades=graded(material),
    )


def _head(material: Material, made: datetime) -> dict[str, Any]:
    facts, numerals, evaluation = material.facts, material.numerals, material.evaluation
    as_of = evaluation.as_of if evaluation else facts.scores.as_of if facts.scores else None
    period = ""
    if evaluation and evaluation.indicators:
        newest = max(i.period for i in evaluation.indicators)
        period = numerals.period(newest, evaluation.period)
    models = model_page(facts.workspace, facts.company.name)
    return {
        "tag": LANGUAGE_TAGS[material.words.language],
        "title": facts.company.about.title or facts.company.name,
        "name": facts.company.name,
        "currency": facts.company.about.currency,
        "period": period,
        "as_of": numerals.day(as_of) if as_of else "",
        "made": f"{numerals.day(made)} {made:%H:%M} UTC",
        "customers": numerals.count(facts.manifest.customers),
        "broken": material.broken,
        "stale": bool(evaluation and evaluation.fingerprint != facts.manifest.fingerprint),
        "fingerprint": facts.manifest.fingerprint,
        "models_page": models.name if models.is_file() else "",
        "usability_page": usability_link(facts),
        "stability": numerals.decimal(evaluation.stability, 2)
        if evaluation and evaluation.stability is not None
        else "",
    }
