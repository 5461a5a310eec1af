"""Verbs that explain and evaluate scores: nonresponse, reasons, evaluate, report."""

from serve.cli.command_context import CommandContext
from serve.cli.options import ENGINE, REDRAW, TOP, command


@command("nonresponse")
def nonresponse(context: CommandContext) -> None:
    """Estimate non-response-corrected NPS and CSAT.

    Also suggests whom to survey next.
    """
    from models.nonresponse.nonresponse_results import write_nonresponse_results
    from models.pipeline.retrain import company_lock

    with company_lock(context.company, context.workspace):
        paths = write_nonresponse_results(context.company, context.workspace, context.steps)
        context.report_written(*paths)


@command("reasons", TOP, ENGINE)
def reasons(context: CommandContext, top: int, engine: str) -> None:
    """Explain each customer's scores, in English and Chinese."""
    from models.scoring.batch_reasons import explain_customers

    with context.runner(engine) as runner:
        context.report_written(
            explain_customers(context.company, context.workspace, context.steps, runner, top)
        )


@command("evaluate", REDRAW)
def evaluate(context: CommandContext, redraw: bool) -> None:
    """Evaluate the scored customers.

    Indicators, tiers, stars, stages, segments and complaint causes, for report and service.
    """
    from insight.evaluation.run_evaluation import evaluate_company
    from models.pipeline.retrain import company_lock

    with company_lock(context.company, context.workspace):
        context.report_written(
            *evaluate_company(context.company, context.workspace, context.steps, redraw)
        )


@command("report")
def report(context: CommandContext) -> None:
    """Write the report as one HTML file.

    In Chinese with LANG_REPORT=zh.
    """
    from insight.business_report.business_report_page import write_report

    context.report_written(write_report(context.company, context.workspace, context.steps))
