"""`goodwill VERB`: the console command behind the Makefile targets."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from features.disk_failures import disk_failure
from features.errors import EXIT_CODES, EnvironmentFailed, GoodwillError
from serve.cli.command_context import CommandContext, ensure_sample, make_sample
from serve.cli.init_command import init
from serve.cli.options import (
    ACCEPT_LOSS,
    CUSTOMERS,
    DESCRIBE,
    ENGINE,
    LANGUAGE,
    LOSS_REASON,
    MINUTES,
    PORT,
    REDRAW,
    REFIT,
    SEED,
    STAY,
    TOP,
    WITH_REASONS,
    command,
)
from serve.cli.service_commands import SERVICE_COMMANDS
from serve.cli.verb_group import VerbGroup

if TYPE_CHECKING:
    from features.formatting import Language

#: Old names of verbs. They still work in this release, with a note.
RENAMED_VERBS = {"court": "leakage", "population": "nonresponse"}
#: The verbs in the order of work, under the headings of `make help`.
SECTIONS = {
    "Set up": ("demo", "clean"),
    "Data": ("init", "data", "quality", "features", "leakage"),
    "Models": ("tune", "train", "retrain", "rollback"),
    "Results": ("score", "nonresponse", "reasons", "evaluate", "report"),
    "Serve": ("serve", "bento", "keys", "feedback", "replay"),
}


@click.group(
    cls=VerbGroup,
    sections=SECTIONS,
    renamed=RENAMED_VERBS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="goodwill")
def cli() -> None:
    """Predict satisfaction, NPS, churn and value of each customer from a company's tables."""
    from features.settings import disable_telemetry  # pydantic is slow to import for --help

    disable_telemetry()


def main() -> None:
    """Run the command; an error of ours, or of the disk, ends in one message and its exit code."""
    try:
        cli(prog_name="goodwill", standalone_mode=False)
    except GoodwillError as err:
        click.echo(f"goodwill: {type(err).__name__}: {err}", err=True)
        sys.exit(err.exit_code)
    except click.ClickException as err:
        err.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as err:
        if (reason := disk_failure(err)) is None:
            raise
        click.echo(f"goodwill: {EnvironmentFailed.__name__}: {reason}", err=True)
        sys.exit(EnvironmentFailed.exit_code)


def verb(name: str, *options: Callable[..., Any]) -> Callable[[Callable[..., None]], Any]:
    """Register a function as a verb with the given options."""

    def register(work: Callable[..., None]) -> Any:
        cli.add_command(made := command(name, *options)(work))
        return made

    return register


@verb("demo", CUSTOMERS, SEED, LANGUAGE, PORT, STAY)
def demo(
    context: CommandContext,
    customers: int,
    seed: int,
    language: "Language | None",
    port: int | None,
    stay: bool,
) -> None:
    """Run everything on sample data and serve the scores.

    Makes data, trains, writes the report, serves, and prints the scores of three customers.
    """
    from serve.cli.demo import run_demo

    run_demo(context, customers, seed, language, port, stay)


@verb("data", CUSTOMERS, SEED, ACCEPT_LOSS, LOSS_REASON)
def data(
    context: CommandContext,
    customers: int,
    seed: int,
    accept_loss: tuple[str, ...],
    reason: str | None,
) -> None:
    """Check the tables and store the history.

    Makes the tables of the sample company first if that is the chosen company.
    """
    from features.atomic_write import remove_path
    from features.import_history.accepted_losses import AcceptedLoss
    from features.import_history.run_import import import_history
    from insight.data_quality_report.data_quality_page import (
        data_quality_page_path,
        write_data_quality_page,
    )
    from insight.evaluation.evaluation_files import evaluation_folder

    accepted = AcceptedLoss.from_options(accept_loss, reason, context.company.tables)
    company, steps = context.company, context.steps
    with context.results() as workspace:
        if company.name == "sample":
            accepted = make_sample(context, customers, seed)
            # Its tiers belong to other customers.
            remove_path(evaluation_folder(workspace, company.name))
        manifest = import_history(company, workspace, steps, accepted=accepted)
        with steps.optional("data quality page"):
            write_data_quality_page(company, workspace, steps)
    steps.note(
        f"  {manifest.customers:,} customers, data from {manifest.data_start[:10]} to "
        f"{manifest.data_end[:10]}, fingerprint {manifest.fingerprint}"
    )
    context.report_written(
        workspace.history(company.name), data_quality_page_path(workspace, company.name)
    )


@verb("quality")
def quality(context: CommandContext) -> None:
    """Report data quality, in the terminal and as an HTML page.

    The page has the remedies and the row audit, too. Imports nothing. Exit code 3 when an import
    would be refused.
    """
    from features.data_quality.terminal_summary import findings_table
    from features.errors import DataRefused
    from features.import_history.run_import import run_dry_import
    from insight.data_quality_report.data_quality_page import write_data_quality_page

    ensure_sample(context)
    with context.results() as workspace:
        found = run_dry_import(context.company, workspace, context.steps)
        path = write_data_quality_page(context.company, workspace, context.steps)
    context.steps.console.print(findings_table(found), crop=False)
    context.report_written(path, path.with_suffix(".json"))
    if found.refusals:
        raise DataRefused("an import would be refused:\n" + "\n".join(found.refusals))


@verb("features", DESCRIBE, REFIT, ENGINE)
def features(context: CommandContext, engine: str, describe: bool, refit_comments: bool) -> None:
    """Build the training sets and the snapshot of all customers."""
    if describe:
        context.describe_features()
        return
    from models.training_set.build_training_sets import build_features

    with context.results() as workspace, context.runner(engine) as runner:
        _, untrainable = build_features(
            context.company, workspace, context.steps, runner, refit_comments
        )
    for target, why in untrainable.items():
        context.steps.note(f"[yellow]–[/] {target}: cannot be trained: {why}")
    context.report_written(workspace.features(context.company.name))


@verb("leakage")
def leakage(context: CommandContext) -> None:
    """Check the training sets and the history for leakage.

    Exit code 3 for a leak; a target that would only be skipped is no leak.
    """
    from features.history_store import Manifest
    from models.leakage.check_leakage import check_leakage
    from models.leakage.findings import raise_on_leaks
    from models.training_set.build_training_sets import read_counts

    company = context.company
    with context.results() as workspace:
        manifest = Manifest.read(workspace, company.name)
        counts, _ = read_counts(company, workspace)
        report = check_leakage(company, workspace, manifest, counts, context.steps)
    context.print_table(report.table(), wrapped="looked at")
    for note in report.notes:
        context.steps.note(f"  note: {note}")
    for reason in report.doubtful_targets().values():
        context.steps.note(f"[yellow]–[/] target skipped: {reason}")
    context.report_written(workspace.company(company.name) / "leakage.json")
    raise_on_leaks(report)


@verb("tune", MINUTES)
def tune(context: CommandContext, minutes: float) -> None:
    """Search for better hyperparameters; the next training uses them.

    MLflow shows every trial.
    """
    from models.bundles.store_failures import check_database
    from models.pipeline.log_tuning import log_tuning
    from models.training.tuning import tune as search

    with context.results() as workspace:
        check_database(workspace.tracking_database)  # now, not after all the minutes
        found = search(context.company, workspace, context.steps, minutes)
        log_tuning(context.company, workspace, found, context.steps)
    for name, tuned in found.items():
        what = "better, kept" if tuned.better else "the defaults stay"
        loss, default = tuned.loss, tuned.default_loss
        context.steps.note(f"  {name}: loss {loss:.4g}, with defaults {default:.4g}: {what}")


@verb("train")
def train(context: CommandContext) -> None:
    """Train each target; promote models that beat their champion.

    Each model is evaluated and registered.
    """
    from models.pipeline.repair_after_kill import follow_published_pointers
    from models.pipeline.retrain import check_gate, train_all
    from models.training_set.build_training_sets import read_counts

    with context.results(then=follow_published_pointers) as workspace:
        counts, untrainable = read_counts(context.company, workspace)
        outcomes = train_all(context.company, workspace, context.steps, counts, untrainable)
    context.report_written(
        context.workspace.tracking_database, context.workspace.serving(context.company.name)
    )
    check_gate(outcomes)


@verb("retrain", LANGUAGE, ACCEPT_LOSS, LOSS_REASON)
def retrain(
    context: CommandContext,
    language: "Language | None",
    accept_loss: tuple[str, ...],
    reason: str | None,
) -> None:
    """Run everything from the import to the report.

    Import, features, leakage check, training, scores, evaluation, report.

    All results are published together at the end.
    """
    from features.import_history.accepted_losses import AcceptedLoss
    from models.pipeline.retrain import check_gate
    from serve.cli.nightly import run_nightly

    accepted = AcceptedLoss.from_options(accept_loss, reason, context.company.tables)
    ensure_sample(context)
    outcomes, paths = run_nightly(context, accepted, language)
    context.report_written(*paths)
    check_gate(outcomes)


retrain.epilog = "\b\nExit codes:\n" + "\n".join(f"{c}  {why}" for c, why in EXIT_CODES.items())


@verb("score", WITH_REASONS, ENGINE)
def score(context: CommandContext, engine: str, reasons: bool) -> None:
    """Score each customer; with --reasons, explain the scores, too.

    Writes Parquet files. With --reasons, a run that was killed continues from its checkpoint.
    """
    from insight.evaluation.run_evaluation import update_customer_status
    from models.scoring.batch_reasons import explain_customers
    from models.scoring.batch_scores import score_customers
    from models.scoring.checkpointed_batch import score_and_explain

    company, steps = context.company, context.steps
    with context.results() as workspace:
        if reasons and engine == "local":
            paths = list(score_and_explain(company, workspace, steps))
        else:
            with context.runner(engine) as runner:
                paths = [score_customers(company, workspace, steps, runner)]
                if reasons:
                    paths.append(explain_customers(company, workspace, steps, runner))
        update_customer_status(company, workspace, steps)
    context.report_written(*paths)


@verb("nonresponse")
def nonresponse(context: CommandContext) -> None:
    """Estimate non-response-corrected NPS and CSAT.

    Also suggests whom to survey next.
    """
    from models.nonresponse.nonresponse_results import write_nonresponse_results

    with context.results() as workspace:
        paths = write_nonresponse_results(context.company, workspace, context.steps)
    context.report_written(*paths)


@verb("reasons", TOP, ENGINE)
def reasons(context: CommandContext, top: int, engine: str) -> None:
    """Explain each customer's scores, in English and Chinese."""
    from models.scoring.batch_reasons import explain_customers

    with context.results() as workspace, context.runner(engine) as runner:
        path = explain_customers(context.company, workspace, context.steps, runner, top)
    context.report_written(path)


@verb("evaluate", REDRAW)
def evaluate(context: CommandContext, redraw: bool) -> None:
    """Evaluate the scored customers: indicators, tiers, segments.

    Also stars, stages and complaint causes. Report and service show them.
    """
    from features.settings import Settings
    from insight.evaluation.run_evaluation import evaluate_company

    cores = Settings().threads
    with context.results() as workspace:
        paths = evaluate_company(context.company, workspace, context.steps, redraw, cores)
    context.report_written(*paths)


@verb("report", LANGUAGE)
def report(context: CommandContext, language: "Language | None") -> None:
    """Write the report as two HTML files: page one and the details.

    report.html is in English, report.zh.html in Chinese; each links to the other.
    """
    from insight.business_report.business_report_page import write_report

    with context.results() as workspace:
        paths = write_report(context.company, workspace, context.steps, language)
    context.report_written(*paths)


cli.add_command(init)
for _verb in SERVICE_COMMANDS:
    cli.add_command(_verb)
