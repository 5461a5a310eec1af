"""The nightly run of a company: retrain, evaluate, report, and publish all of it together."""

from functools import partial
from pathlib import Path

from features.atomic_write import remove_path
from features.config.company import Company
from features.formatting import Language
from features.import_history.accepted_losses import AcceptedLoss
from features.progress import Steps
from features.result_sets import published_path
from features.settings import Settings, Workspace
from models.pipeline.train_target import Outcome
from serve.cli.command_context import CommandContext


def run_nightly(
    context: CommandContext,
    accepted: AcceptedLoss | None = None,
    language: Language | None = None,
) -> tuple[list[Outcome], list[Path]]:
    """Retrain, evaluate and report; return the outcome of each target and the files for people.

    The settings of evaluation and report are checked first; the report's language is that of
    `LANG_REPORT` unless given. A part of evaluation or report that fails is
    left out, and the rest is published; the context raises PartMissing for it at the end.
    """
    from insight.business_report.translations import LANGUAGES, report_language
    from insight.evaluation.evaluation_settings import read_evaluation_settings
    from models.pipeline.repair_after_kill import follow_published_pointers
    from models.pipeline.retrain import run_chain

    company, steps = context.company, context.steps
    read_evaluation_settings(company)
    chosen = language or report_language()
    again = partial(_score_again, context, chosen)
    with context.results(follow_published_pointers, again) as workspace:
        outcomes = run_chain(company, workspace, steps, accepted)
        with steps.optional("data quality page"):
            from insight.data_quality_report.data_quality_page import write_data_quality_page

            write_data_quality_page(company, workspace, steps)
        if not any(o.version for o in outcomes):
            return outcomes, []
        _evaluate_and_report(company, workspace, steps, chosen)
    reports = [workspace.report(company.name, n) for n in LANGUAGES]
    made = (workspace.scores(company.name), *reports)
    return outcomes, [path for path in map(published_path, made) if path.exists()]


def _score_again(
    context: CommandContext, language: Language, workspace: Workspace, targets: list[str]
) -> None:
    """Models were rolled back during the night: let everything be of those that serve."""
    from models.scoring.checkpointed_batch import score_and_explain

    company, steps = context.company, context.steps
    steps.note(f"[yellow]–[/] rolled back meanwhile: {', '.join(targets)}; scoring again")
    score_and_explain(company, workspace, steps)
    _evaluate_and_report(company, workspace, steps, language)


def _evaluate_and_report(
    company: Company, workspace: Workspace, steps: Steps, language: Language
) -> None:
    _evaluate(company, workspace, steps)
    with steps.optional("report"):
        from insight.business_report.business_report_page import write_report

        write_report(company, workspace, steps, language)


def _evaluate(company: Company, workspace: Workspace, steps: Steps) -> None:
    """Evaluate; without an evaluation, that of the night before does not stay next to new scores."""
    from insight.evaluation.evaluation_files import (
        EVALUATION_FILE,
        STATUS_FILE,
        evaluation_folder,
    )
    from insight.evaluation.run_evaluation import evaluate_company

    with steps.optional("evaluation"):
        evaluate_company(company, workspace, steps, cores=Settings().threads)
    if "evaluation" in steps.missing:
        for name in (EVALUATION_FILE, STATUS_FILE):
            remove_path(evaluation_folder(workspace, company.name) / name)
