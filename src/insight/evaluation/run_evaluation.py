"""Evaluate a company: a step of the nightly run, whose files the report and the service read."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from features.config.company import Company
from features.execution.worker_processes import in_background
from features.history_store import Manifest
from features.progress import Steps
from features.settings import Workspace
from insight.closed_loop.closed_loop_settings import LoopSettings
from insight.company_settings import read_section
from insight.complaints.complaint_analysis import write_complaints
from insight.evaluation.comment_topics import read_comment_topics
from insight.evaluation.compute_customer_status import EvaluationParts, StatusResult, compute_status
from insight.evaluation.customer_cohorts import measure_cohorts
from insight.evaluation.customer_metrics import MetricCalculator
from insight.evaluation.evaluation_files import STATUS_FILE, evaluation_folder, write_evaluation
from insight.evaluation.evaluation_schema import CompanyEvaluation, CustomerCounts, Segment
from insight.evaluation.evaluation_settings import EvaluationSettings, read_evaluation_settings
from insight.evaluation.measure_indicators import IndicatorResults, measure_indicators
from insight.evaluation.revenue_change import measure_revenue
from insight.evaluation.satisfaction_drivers import summarise_drivers
from insight.evaluation.scores_file import PredictedScores, read_predicted_scores
from insight.evaluation.segment_profiles import profile_segments
from insight.evaluation.target_attainment import company_pdca_cycles
from insight.evaluation.value_score_summary import summarise_traits, summarise_value_score
from insight.satisfaction.satisfaction_settings import SatisfactionSettings
from insight.value.expected_totals import read_sum_errors
from models.evaluation.sum_errors import SumErrors


def evaluate_company(
    company: Company, workspace: Workspace, steps: Steps, redraw: bool = False, cores: int = 1
) -> list[Path]:
    """Write `evaluation.json`, `customer_status.parquet`, `complaints.json` and columns of the scores.

    A part that the data do not allow is skipped with the reason. `redraw` fits the reference scales of
    value, tiers and stars again. With more than one of `cores`, complaints are analysed in a second
    process, which a script may only start below `if __name__ == "__main__"`. Raises ConfigRefused for
    settings that cannot be used, DataRefused without a history.
    """
    settings = read_evaluation_settings(company)
    manifest = Manifest.read(workspace, company.name)
    analyse = partial(write_complaints, company, workspace)  # takes as long as all the rest
    with in_background(analyse, cores) as complaints_written:
        evaluation, status = _evaluate(company, workspace, steps, manifest, settings, redraw)
        folder = evaluation_folder(workspace, company.name)
        path = write_evaluation(folder, evaluation)
        with steps.step("complaints and causes"):
            complaints = complaints_written()
    for name, why in evaluation.skipped.items():
        steps.note(f"  [yellow]–[/] no {name}: {why}")
    return [path, *([folder / STATUS_FILE] if status else []), complaints]


def _evaluate(
    company: Company,
    workspace: Workspace,
    steps: Steps,
    manifest: Manifest,
    settings: EvaluationSettings,
    redraw: bool,
) -> tuple[CompanyEvaluation, StatusResult | None]:
    """Compute customer status and indicators, and the evaluation made of them."""
    parts = EvaluationParts.of(company)
    scored = parts.compute(
        "scores", lambda: read_predicted_scores(workspace.scores(company.name), manifest.end)
    )
    with steps.step("customer status") as done:
        status = parts.compute(
            "standing",
            lambda: compute_status(
                MetricCalculator.for_company(company, workspace, settings), scored, parts, redraw
            ),
        )
        done(**_step_results(status))
    with steps.step("indicators") as done:
        by_date = status.by_date() if status else None
        measured = parts.compute(
            "indicators", lambda: measure_indicators(company, workspace, by_date)
        )
        done(
            indicators=len(measured.indicators) if measured else 0,
            alerts=len(measured.alerts) if measured else 0,
        )
    with steps.step("drivers, targets, segments"):
        evaluation = _evaluation(
            company, workspace, manifest, settings, scored, measured, status, parts
        )
    return evaluation, status


def update_customer_status(company: Company, workspace: Workspace, steps: Steps) -> None:
    """Write the customer status and its columns of the scores file, without the rest of the evaluation.

    For new scores between two evaluations; parts that cannot be computed are noted with the reason.
    """
    settings = read_evaluation_settings(company)
    manifest = Manifest.read(workspace, company.name)
    parts = EvaluationParts.of(company)
    with steps.step("customer status") as done:
        scored = parts.compute(
            "scores", lambda: read_predicted_scores(workspace.scores(company.name), manifest.end)
        )
        status = parts.compute(
            "standing",
            lambda: compute_status(
                MetricCalculator.for_company(company, workspace, settings), scored, parts
            ),
        )
        done(**_step_results(status))
    for name, why in parts.skipped.items():
        steps.note(f"  [yellow]–[/] no {name}: {why}")


def _step_results(status: StatusResult | None) -> dict[str, object]:
    if status is None:
        return {}
    moved = status.tiers.moved if status.tiers else None
    return {
        **_customer_counts(status).model_dump(),
        "moved": f"{moved:.1%}" if moved is not None else None,
        "groups": len(status.groups.rules) if status.groups else None,
    }


def _evaluation(
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    settings: EvaluationSettings,
    scored: PredictedScores | None,
    measured: IndicatorResults | None,
    status: StatusResult | None,
    parts: EvaluationParts,
) -> CompanyEvaluation:
    currency = company.info.currency
    indicators = measured.indicators if measured else []
    targets = read_section(company, "loop", LoopSettings).targets
    why = parts.skipped.get("indicators", "")
    not_measured = measured.not_measured if measured else dict.fromkeys(targets, why)
    asked, no_questions = (measured.asked, measured.no_questions) if measured else (None, why)
    drivers = parts.compute("drivers", lambda: summarise_drivers(asked, no_questions))
    traits = status and parts.compute(
        "traits", lambda: summarise_traits(status.assignment, company, workspace)
    )
    sum_errors = read_sum_errors(workspace.serving(company.name))
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
        alerts=measured.alerts if measured else [],
        too_young=measured.too_young if measured else 0,
        drivers=drivers,
        customers=_customer_counts(status) if status else None,
        segments=_segments(status, scored, settings, sum_errors) if status else [],
        stability=status.groups.stability if status and status.groups else None,
        tiers=status.tiers if status else None,
        stages=status.stages if status else None,
        value=summarise_value_score(status.assignment, settings.stars, currency)
        if status
        else None,
        traits=traits or [],
        cycle=company_pdca_cycles(company, workspace, indicators, not_measured),
        **_of_history(company, workspace, parts),
        skipped=parts.skipped,
    )


def _of_history(company: Company, workspace: Workspace, parts: EvaluationParts) -> dict[str, Any]:
    """Revenue, cohorts and topics of comments, which need no scores."""
    revenue = parts.compute("revenue", lambda: measure_revenue(company, workspace))
    cohorts = parts.compute("cohorts", lambda: measure_cohorts(company, workspace))
    comments = parts.compute("comments", lambda: read_comment_topics(company, workspace))
    return {"revenue": revenue, "cohorts": cohorts or [], "comments": comments or []}


def _customer_counts(status: StatusResult) -> CustomerCounts:
    states = status.assignment.today.state
    count = {} if states is None else states.value_counts().to_dict()
    return CustomerCounts(
        customers=int(count.get("customer", 0)),
        left=int(count.get("left", 0)),
        unknown=int(count.get("unknown", 0)),
    )


def _segments(
    status: StatusResult,
    scored: PredictedScores | None,
    settings: EvaluationSettings,
    errors: SumErrors | None,
) -> list[Segment]:
    table = status.table.join(scored.table) if scored else status.table
    return profile_segments(pd.DataFrame(table), settings.tiers, status.groups, errors)
