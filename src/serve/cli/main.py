"""`goodwill VERB`: the console command behind every Makefile target."""

import sys
from collections.abc import Callable
from typing import Any

import click

from features.errors import GoodwillError
from features.settings import disable_telemetry
from serve.cli.command_context import CommandContext, ensure_sample, make_sample
from serve.cli.evaluation_commands import EVALUATION_COMMANDS
from serve.cli.options import (
    CUSTOMERS,
    DESCRIBE,
    ENGINE,
    MINUTES,
    PORT,
    REFIT,
    SEED,
    STAY,
    WITH_REASONS,
)
from serve.cli.service_commands import SERVICE_COMMANDS
from serve.cli.options import command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="goodwill")
def cli() -> None:
    """Goodwill: satisfaction, NPS, churn and value of every customer, from tables you have."""


def main() -> None:
    """Run the command; an error a user can mend ends in one message and its exit code."""
    disable_telemetry()
    try:
        cli(standalone_mode=False)
    except GoodwillError as err:
        click.echo(f"goodwill: {type(err).__name__}: {err}", err=True)
        sys.exit(err.exit_code)
    except click.ClickException as err:
        err.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)


def verb(name: str, *options: Callable[..., Any]) -> Callable[[Callable[..., None]], Any]:
    """Register a verb that takes a company and the options given."""

    def register(work: Callable[..., None]) -> Any:
        cli.add_command(made := command(name, *options)(work))
        return made

    return register


@verb("data", CUSTOMERS, SEED)
def data(run: CommandContext, customers: int, seed: int) -> None:
    """Make the sample company if it is the one asked for, check the tables, store the history."""
    from features.import_history.run_import import import_history
    from insight.data_quality_report.data_quality_page import write_data_quality_page
    from models.pipeline.retrain import company_lock

    with company_lock(run.company, run.workspace):
        if run.company.name == "sample":
            make_sample(run, customers, seed)
        manifest = import_history(run.company, run.workspace, run.steps)
        usability = write_data_quality_page(run.company, run.workspace, run.steps)
    run.steps.note(
        f"  {manifest.customers:,} customers, data from {manifest.data_start[:10]} to "
        f"{manifest.data_end[:10]}, fingerprint {manifest.fingerprint}"
    )
    run.wrote(run.workspace.history(run.company.name), usability)


@verb("quality")
def quality(run: CommandContext) -> None:
    """Say how usable the tables are: findings, remedies and the ledger, on the terminal and as HTML.

    Nothing is imported. Exit code 3 when an import would be refused.
    """
    from features.data_quality.terminal_summary import findings_table
    from features.errors import DataRefused
    from features.import_history.dry_run import inspect_tables
    from insight.data_quality_report.data_quality_page import write_data_quality_page
    from models.pipeline.retrain import company_lock

    ensure_sample(run)
    with company_lock(run.company, run.workspace):
        found = inspect_tables(run.company, run.workspace, run.steps)
        path = write_data_quality_page(run.company, run.workspace, run.steps)
    run.steps.console.print(findings_table(found))
    run.wrote(path, path.with_suffix(".json"))
    if found.refusals:
        raise DataRefused("an import would be refused:\n" + "\n".join(found.refusals))


@verb("features", DESCRIBE, REFIT, ENGINE)
def features(run: CommandContext, engine: str, describe: bool, refit_comments: bool) -> None:
    """Build the training set of each target and the snapshot of all customers."""
    if describe:
        run.describe_features()
        return
    from models.pipeline.retrain import company_lock
    from models.training_set.build_training_sets import build_features

    with company_lock(run.company, run.workspace), run.runner(engine) as runner:
        _, unable = build_features(run.company, run.workspace, run.steps, runner, refit_comments)
    for target, why in unable.items():
        run.steps.note(f"[yellow]–[/] {target}: cannot be trained: {why}")
    run.wrote(run.workspace.features(run.company.name))


@verb("court")
def court(run: CommandContext) -> None:
    """Look for leaks in the training sets and the history; exit code 3 if there is one."""
    from features.history_store import Manifest
    from models.leakage.check_leakage import check_leakage
    from models.leakage.findings import raise_on_leaks
    from models.pipeline.retrain import company_lock
    from models.training_set.build_training_sets import read_counts

    with company_lock(run.company, run.workspace):
        manifest = Manifest.read(run.workspace, run.company.name)
        counts, _ = read_counts(run.company, run.workspace)
        report = check_leakage(run.company, run.workspace, manifest, counts, run.steps)
    run.show(report.table())
    for note in report.notes:
        run.steps.note(f"  note: {note}")
    run.wrote(run.workspace.company(run.company.name) / "leakage.json")
    raise_on_leaks(report)


@verb("train")
def train(run: CommandContext) -> None:
    """Train, judge and register every target; promote what is better than the champion."""
    from models.pipeline.retrain import check_gate, company_lock, train_all
    from models.training_set.build_training_sets import read_counts

    with company_lock(run.company, run.workspace):
        counts, unable = read_counts(run.company, run.workspace)
        outcomes = train_all(run.company, run.workspace, run.steps, counts, unable)
    run.wrote(run.workspace.mlruns / "mlflow.db", run.workspace.serving(run.company.name))
    check_gate(outcomes)


@verb("tune", MINUTES)
def tune(run: CommandContext, minutes: float) -> None:
    """Search better parameters for this company's models; `goodwill train` then uses them."""
    from models.pipeline.retrain import company_lock
    from models.training.tuning import tune as search

    with company_lock(run.company, run.workspace):
        found = search(run.company, run.workspace, run.steps, minutes)
    for name, tuned in found.items():
        what = "better than the defaults, kept" if tuned.better else "the defaults stay"
        run.steps.note(f"  {name}: {tuned.loss:.4g} against {tuned.default_loss:.4g}: {what}")


@verb("retrain")
def retrain(run: CommandContext) -> None:
    """The whole chain: check, features, train, promote or keep, score, evaluate, report.

    Exit codes: 0 promoted or kept, 3 data refused, 4 authenticator failed, 5 already running.
    """
    from models.pipeline.retrain import check_gate
    from serve.cli.nightly import run_nightly

    ensure_sample(run)
    outcomes, paths = run_nightly(run)
    run.wrote(*paths)
    check_gate(outcomes)


@verb("score", WITH_REASONS, ENGINE)
def score(run: CommandContext, engine: str, reasons: bool) -> None:
    """Write the scores of every customer, one Parquet row each; with --reasons, why they are so.

    With reasons it goes on where a killed run stopped.
    """
    from insight.evaluation.run_evaluation import update_customer_status
    from models.pipeline.retrain import company_lock
    from models.scoring.batch_scores import score_customers
    from models.scoring.batch_reasons import explain_customers
    from models.scoring.checkpointed_batch import score_and_explain

    if reasons and engine == "local":
        with company_lock(run.company, run.workspace):  # two would share the unfinished blocks
            run.wrote(*score_and_explain(run.company, run.workspace, run.steps))
            update_customer_status(run.company, run.workspace, run.steps)
        return
    with run.runner(engine) as runner:
        run.wrote(score_customers(run.company, run.workspace, run.steps, runner))
        if reasons:
            run.wrote(explain_customers(run.company, run.workspace, run.steps, runner))
    update_customer_status(run.company, run.workspace, run.steps)


@verb("demo", CUSTOMERS, SEED, PORT, STAY)
def demo(run: CommandContext, customers: int, seed: int, port: int | None, stay: bool) -> None:
    """From nothing to scores over HTTP: data, features, models, scores, report, three answers."""
    from serve.cli.demo import run_demo

    run_demo(run, customers, seed, port, stay)


for _verb in (*EVALUATION_COMMANDS, *SERVICE_COMMANDS):
    cli.add_command(_verb)
