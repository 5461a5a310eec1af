"""Verbs that tell people what was found: who answers, reasons, the evaluation, the report."""

from serve.cli.command_context import CommandContext
from serve.cli.options import ENGINE, REDRAW, TOP
from serve.cli.options import command


@command("population")
def population(run: CommandContext) -> None:
    """Say what everybody asked would have answered, and whom to ask next (docs/background/nonresponse.md)."""
    from models.nonresponse.nonresponse_results import write_population
    from models.pipeline.retrain import company_lock

    with company_lock(run.company, run.workspace):
        run.wrote(*write_population(run.company, run.workspace, run.steps))


@command("reasons", TOP, ENGINE)
def reasons(run: CommandContext, top: int, engine: str) -> None:
    """Write why every customer got his scores, in English and Chinese (docs/background/reasons.md)."""
    from models.scoring.batch_reasons import explain_customers

    with run.runner(engine) as runner:
        run.wrote(explain_customers(run.company, run.workspace, run.steps, runner, top))


@command("evaluate", REDRAW)
def evaluate(run: CommandContext, redraw: bool) -> None:
    """Work out indicators, tiers, stars, stages, segments and complaint causes of the scored customers.

    Report, HTTP and the scores file show them (docs/background/evaluation.md).
    """
    from insight.evaluation.run_evaluation import evaluate_company as work_out
    from models.pipeline.retrain import company_lock

    with company_lock(run.company, run.workspace):
        run.wrote(*work_out(run.company, run.workspace, run.steps, redraw))


@command("report")
def report(run: CommandContext) -> None:
    """Write the report as one HTML file; LANG_REPORT=zh writes it in Chinese."""
    from insight.business_report.business_report_page import write_report

    run.wrote(write_report(run.company, run.workspace, run.steps))


#: In the order of a night.
EVALUATION_COMMANDS = (population, reasons, evaluate, report)
