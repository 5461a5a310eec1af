"""Verbs of the console command: the decorator that makes one, and the options they take."""

import re
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import click

from features.errors import GoodwillError
from serve.cli.command_context import CommandContext

COMPANY = click.option(
    "--company",
    "toml",
    type=click.Path(path_type=Path),
    default=None,
    envvar="GOODWILL_COMPANY",
    help="TOML file of the company (default: data/sample.toml).",
)
CUSTOMERS = click.option(
    "--customers",
    default=5000,
    envvar="CUSTOMERS",
    show_default=True,
    help="Number of customers of the sample company.",
)
SEED = click.option(
    "--seed",
    default=7,
    envvar="SEED",
    show_default=True,
    help="Random seed of the sample company.",
)
ENGINE = click.option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    show_default=True,
    help="Run in this process, or on the Spark cluster of GOODWILL_SPARK_MASTER.",
)
DESCRIBE = click.option(
    "--describe",
    is_flag=True,
    help="Only print the columns: meaning, unit, source, share of missing values.",
)
REFIT = click.option(
    "--refit-comments",
    is_flag=True,
    help="Train the comment score model again, even if a champion uses the present one.",
)
EVERYTHING = click.option(
    "--all", "everything", is_flag=True, help="Also remove what no retrain can make again."
)
REDRAW = click.option(
    "--redraw",
    is_flag=True,
    help="Fit the scales of value score, tiers and stars again, on today's customers.",
)
ACCEPT_LOSS = click.option(
    "--accept-loss",
    "accept_loss",
    multiple=True,
    metavar="TABLE",
    help="Import a table although rows are missing, this once (repeatable; needs --reason).",
)
LOSS_REASON = click.option(
    "--reason", default=None, help="Why the rows may be missing; recorded with --accept-loss."
)
PORT = click.option("--port", type=int, default=None, help="Port (default: GOODWILL_PORT or 3000).")
STAY = click.option("--stay/--no-stay", default=True, help="Keep serving after the answers.")
WITH_REASONS = click.option(
    "--reasons", is_flag=True, help="Also write the reasons of each score, in the same pass."
)
TOP = click.option(
    "--top",
    type=click.IntRange(1, 10),
    default=3,
    show_default=True,
    help="Number of reasons per customer and target.",
)
MINUTES = click.option(
    "--minutes",
    type=click.FloatRange(0.05, 600),
    default=10.0,
    envvar="MINUTES",
    show_default=True,
    help="Time for the search, shared between the targets.",
)
HOST = click.option(
    "--host",
    default=None,
    help="Address (default: GOODWILL_HOST or 127.0.0.1; others require API keys).",
)
SCOPE_LIST = click.option(
    "--scopes", required=True, help="Scopes of the key: score,read,feedback,operate."
)
DAYS = click.option(
    "--days", type=click.FloatRange(0, min_open=True), help="Days until the key expires."
)
RATE = click.option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    help="Rate limit in calls per second (default: GOODWILL_RATE).",
)
OVERLAP = click.option(
    "--overlap-days",
    type=click.FloatRange(0),
    default=7.0,
    show_default=True,
    help="Days until the old key expires.",
)
VERSION = click.option(
    "--version", default=None, help="Version to restore (default: the previous one)."
)
CUSTOMER = click.option("--customer", help="Id of the customer.")
REQUEST = click.option("--request", default=None, help="Only the call with this request id.")
RECORDS = click.option(
    "--records",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="File with the request body that was sent to /v1/scores/records.",
)
CLIENT = click.option("--client", default=None, help="Only calls of this API client.")
SINCE = click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    default=None,
    help="Only calls received since then, in UTC.",
)
WITHDRAWAL_REASON = click.option(
    "--reason", required=True, help="Why it is withdrawn; stored with the call."
)
BY = click.option("--by", default=None, help="Who withdraws it (default: your user name).")


#: A command that an error names, such as `goodwill retrain --reason ...` or `goodwill data`.
NAMED_COMMAND = re.compile(
    r"(`goodwill [a-z]+(?: list| withdraw)?|goodwill [a-z]+(?= --))\b(?! --company)"
)


def add_company(message: str, toml: Path | None) -> str:
    """Add the company of a run to the commands that its message names; None is the default one."""
    if toml is None:
        return message
    return NAMED_COMMAND.sub(rf"\1 --company {shlex.quote(str(toml))}", message)


def command(
    name: str,
    *options: Callable[..., Any],
    around: Callable[[], AbstractContextManager[Any]] = nullcontext,
) -> Callable[[Callable[..., None]], Any]:
    """Make a verb of a function that takes the command context and the given options.

    The function and the making of its context run inside `around()`. Commands that an error names get
    the company of this run, so that they can be copied.
    """

    def register(work: Callable[..., None]) -> click.Command:
        def run(toml: Path | None, **given: Any) -> None:
            try:
                with around():
                    context = CommandContext(toml)
                    work(context, **given)
                    context.check_parts()
            except GoodwillError as err:
                err.args = (add_company(str(err), toml),)
                raise

        run.__doc__ = work.__doc__
        for option in (*options, COMPANY):
            run = option(run)
        return click.command(name)(run)

    return register
