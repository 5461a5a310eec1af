"""The nightly run of a company: retrain, evaluate, report."""

from pathlib import Path

from features.errors import GoodwillError
from features.import_history.accepted_losses import AcceptedLoss
from models.pipeline.train_target import Outcome
from serve.cli.command_context import CommandContext


def run_nightly(
    context: CommandContext, accepted: AcceptedLoss | None = None
) -> tuple[list[Outcome], list[Path]]:
    """Retrain, evaluate and report; return the outcome of each target and the files for people.

    The settings of the evaluation are checked first. When the evaluation fails on the data, the
    report is written all the same, and the error is raised at the end.
    """
    from insight.business_report.business_report_page import write_report
    from insight.data_quality_report.data_quality_page import write_data_quality_page
    from insight.evaluation.evaluation_settings import read_evaluation_settings
    from insight.evaluation.run_evaluation import evaluate_company
    from models.pipeline.retrain import company_lock, retrain

    company, workspace, steps = context.company, context.workspace, context.steps
    read_evaluation_settings(company)
    outcomes = retrain(company, workspace, steps, accepted=accepted)
    write_data_quality_page(company, workspace, steps)
    if not any(o.version for o in outcomes):
        return outcomes, []
    refused: GoodwillError | None = None
    try:
        with company_lock(company, workspace):
            evaluate_company(company, workspace, steps)
    except GoodwillError as err:
        refused = err
    report = write_report(company, workspace, steps)
    if refused:
        raise refused
    return outcomes, [workspace.scores(company.name), report]
