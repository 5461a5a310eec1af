"""The evaluation of a company: a step of the night, read by report, HTTP and scores file."""

from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from features.config.company import Company
from features.history_store import Manifest
from features.progress import Steps
from features.settings import Workspace
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.company_settings import read_section
from insight.complaints.complaint_analysis import write_complaints
from insight.evaluation.customer_metrics import MetricCalculator
from insight.evaluation.customer_status import EvaluationParts, StatusResult, compute_status
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder, write_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation, Segment
from insight.evaluation.evaluation_settings import EvaluationSettings, read_evaluation_settings
from insight.evaluation.measure_indicators import IndicatorResults, measure_indicators
from insight.evaluation.satisfaction_drivers import summarise_drivers
from insight.evaluation.scores_file import PredictedScores, read_predicted_scores
from insight.evaluation.segment_profiles import profile_segments
from insight.evaluation.target_attainment import company_pdca_cycles
from insight.evaluation.value_score_summary import contrast_traits, summarise_value_score
from insight.satisfaction.satisfaction_settings import SatisfactionSettings


def evaluate_company(
    company: Company, workspace: Workspace, steps: Steps, redraw: bool = False
) -> list[Path]:
    """Write `evaluation.json`, `standing.parquet`, `complaints.json` and the scores' columns.

    A part that the data do not allow is skipped and told with its reason. `redraw` draws the yardsticks
    of value, tiers and stars anew. Raises ConfigRefused for settings that cannot be used, DataRefused
    without a history.
    """
    choices = read_evaluation_settings(company)
    manifest = Manifest.read(workspace, company.name)
    parts = EvaluationParts()
    scored = parts.make("scores", lambda: read_predicted_scores(workspace.scores(company.name), manifest.end))
    with steps.step("where every customer stands") as done:
        stood = parts.make(
            "standing",
            lambda: compute_status(MetricCalculator.of(company, workspace, choices), scored, parts, redraw),
        )
        done(**_headline(stood))
    with steps.step("indicators") as done:
        by_day = stood.by_day() if stood else None
        said = parts.make("indicators", lambda: measure_indicators(company, workspace, by_day))
        done(indicators=len(said.indicators) if said else 0, alerts=len(said.alerts) if said else 0)
    with steps.step("complaints and causes"):
        complaints = write_complaints(company, workspace)
    with steps.step("drivers, targets, segments"):
        told = _told(company, workspace, manifest, choices, scored, said, stood, parts)
    folder = evaluation_folder(workspace, company.name)
    path = write_evaluation(folder, told)
    for name, why in told.skipped.items():
        steps.note(f"  [yellow]–[/] no {name}: {why}")
    return [path, *([folder / STATUS_FILE] if stood else []), complaints]


def update_customer_status(company: Company, workspace: Workspace, steps: Steps) -> None:
    """Write the standing and the scores' columns, without the rest of the evaluation.

    For new scores of a night between two evaluations; where nothing can be told, it says why.
    """
    choices = read_evaluation_settings(company)
    manifest = Manifest.read(workspace, company.name)
    parts = EvaluationParts()
    with steps.step("where every customer stands") as done:
        scored = parts.make(
            "scores", lambda: read_predicted_scores(workspace.scores(company.name), manifest.end)
        )
        stood = parts.make(
            "standing", lambda: compute_status(MetricCalculator.of(company, workspace, choices), scored, parts)
        )
        done(**_headline(stood))
    for name, why in parts.skipped.items():
        steps.note(f"  [yellow]–[/] no {name}: {why}")


def _headline(stood: StatusResult | None) -> dict[str, object]:
    if stood is None:
        return {}
    moved = stood.tiers.moved if stood.tiers else None
    return {
        "customers": len(stood.table),
        "moved": f"{moved:.1%}" if moved is not None else None,
        "groups": len(stood.groups.rules) if stood.groups else None,
    }


def _told(
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    choices: EvaluationSettings,
    scored: PredictedScores | None,
    said: IndicatorResults | None,
    stood: StatusResult | None,
    parts: EvaluationParts,
) -> CompanyEvaluation:
    currency = company.info.currency
    indicators = said.indicators if said else []
    goals = read_section(company, "loop", LoopSettings).targets
    why = parts.skipped.get("indicators", "")
    not_measured = said.not_measured if said else dict.fromkeys(goals, why)
    driven = parts.make("drivers", lambda: summarise_drivers(said.asked if said else None))
    traits = stood and parts.make("traits", lambda: contrast_traits(stood.place, company, workspace))
    return CompanyEvaluation(
        company=company.name,
        made_at=datetime.now(UTC),
        as_of=manifest.end,
        fingerprint=manifest.fingerprint,
        versions=scored.versions if scored else {},
        currency=currency,
        period=read_section(company, "satisfaction", SatisfactionSettings).period,
        indicators=indicators,
        not_measured=not_measured,
        alerts=said.alerts if said else [],
        too_young=said.too_young if said else 0,
        drivers=driven,
        segments=_segments(stood, scored, choices) if stood else [],
        stability=stood.groups.stability if stood and stood.groups else None,
        tiers=stood.tiers if stood else None,
        stages=stood.stages if stood else None,
        value=summarise_value_score(stood.place, choices.stars, currency) if stood else None,
        traits=traits or [],
        cycle=company_pdca_cycles(company, workspace, indicators, not_measured),
        skipped=parts.skipped,
    )


def _segments(stood: StatusResult, scored: PredictedScores | None, choices: EvaluationSettings) -> list[Segment]:
    table = stood.table.join(scored.table) if scored else stood.table
    return profile_segments(pd.DataFrame(table), choices.tiers, stood.groups)
