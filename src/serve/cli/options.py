"""Verbs of the console command: the decorator that makes one, and the options they take."""

import re
import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, get_args

import click
from click.types import OptionHelpExtra

from features.errors import GoodwillError
from features.formatting import Language
from serve.cli.command_context import CommandContext


class Option(click.Option):
    """An option whose help ends with its default: a value, or in words (`without`) what holds then."""

    def __init__(self, *given: Any, without: str = "", **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.show_default = without or True

    def get_help_extra(self, ctx: click.Context) -> OptionHelpExtra:
        extra = super().get_help_extra(ctx)
        if isinstance(self.show_default, str):  # click puts it in brackets
            extra["default"] = self.show_default
        return extra


option = partial(click.option, cls=Option)

COMPANY = option(
    "--company",
    "toml",
    type=click.Path(path_type=Path),
    envvar="GOODWILL_COMPANY",
    without="GOODWILL_COMPANY or data/sample.toml",
    help="TOML file of the company.",
)
CUSTOMERS = option(
    "--customers",
    default=5000,
    envvar="CUSTOMERS",
    help="Number of customers of the sample company.",
)
SEED = option("--seed", default=7, envvar="SEED", help="Random seed of the sample company.")
ENGINE = option(
    "--engine",
    type=click.Choice(["local", "spark"]),
    default="local",
    help="Run in this process, or on the Spark cluster of GOODWILL_SPARK_MASTER.",
)
DESCRIBE = option(
    "--describe",
    is_flag=True,
    without="off",
    help="Only print the columns: meaning, unit, source, share of missing values.",
)
REFIT = option(
    "--refit-comments",
    is_flag=True,
    without="off",
    help="Train the comment score model again, even if a champion uses the present one.",
)
EVERYTHING = option(
    "--all",
    "everything",
    is_flag=True,
    without="off",
    help="Also remove what no retrain can make again.",
)
REDRAW = option(
    "--redraw",
    is_flag=True,
    without="off",
    help="Fit the scales of value score, tiers and stars again, on today's customers.",
)
LANGUAGE = option(
    "--lang",
    "language",
    type=click.Choice(get_args(Language)),
    without="LANG_REPORT or en",
    help="Language of the report; other languages that are there are written again, too.",
)
ACCEPT_LOSS = option(
    "--accept-loss",
    "accept_loss",
    multiple=True,
    metavar="TABLE",
    without="no table",
    help="Import a table although rows are missing, this once (repeatable; needs --reason).",
)
LOSS_REASON = option(
    "--reason",
    without="none",
    help="Why the rows may be missing; recorded with --accept-loss.",
)
PORT = option(
    "--port",
    type=click.IntRange(1, 65535),
    without="GOODWILL_PORT or 3000",
    help="Port of the service.",
)
STAY = option("--stay/--no-stay", default=True, help="Keep serving after the scores.")
WITH_REASONS = option(
    "--reasons",
    is_flag=True,
    without="off",
    help="Also write the reasons of each score, in the same pass.",
)
TOP = option(
    "--top",
    type=click.IntRange(1, 10),
    default=3,
    help="Number of reasons per customer and target.",
)
MINUTES = option(
    "--minutes",
    type=click.FloatRange(0.05, 600),
    default=10.0,
    envvar="MINUTES",
    help="Time for the search, shared between the targets.",
)
HOST = option(
    "--host",
    without="GOODWILL_HOST or 127.0.0.1",
    help="Address of the service; without API keys, only this machine's own.",
)
SCOPE_LIST = option(
    "--scopes", required=True, help="Scopes of the key, of score,read,feedback,operate."
)
DAYS = option(
    "--days",
    type=click.FloatRange(0, min_open=True),
    without="never",
    help="Days until the key expires.",
)
RATE = option(
    "--rate",
    type=click.FloatRange(0, min_open=True),
    without="GOODWILL_RATE or 500",
    help="Rate limit in calls per second.",
)
OVERLAP = option(
    "--overlap-days", type=click.FloatRange(0), default=7.0, help="Days until the old key expires."
)
VERSION = option("--version", without="the previous one", help="Version to restore.")
REPLAYED_CUSTOMER = option(
    "--customer", without="none, give --records", help="Id of the customer whose calls to replay."
)
REQUEST = option("--request", without="all calls", help="Only the call with this request id.")
RECORDS = option(
    "--records",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    without="none, give --customer",
    help="File with the request body that was sent to /v1/scores/records.",
)
CUSTOMER = option(
    "--customer", without="all customers", help="Only calls with events of this customer."
)
CLIENT = option("--client", without="all clients", help="Only calls of this API client.")
SINCE = option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    metavar="TIME",
    without="all times",
    help="Only calls received since then, in UTC, such as 2025-06-01 or 2025-06-01T09:00:00.",
)
WITHDRAWAL_REASON = option(
    "--reason", required=True, help="Why it is withdrawn; stored with the call."
)
BY = option("--by", without="your user name", help="Who withdraws it.")


FROM = option(
    "--from",
    "source",
    required=True,
    metavar="FOLDER|postgres://...",
    help="Folder of your files, or the address of a PostgreSQL database.",
)
NAME = option(
    "--name",
    without="that of the folder or database",
    help="Name of the company and of its file.",
)
YES = option(
    "--yes",
    is_flag=True,
    without="off",
    help="Ask nothing: of two readings take the safer one, and say so.",
)
FORCE = option("--force", is_flag=True, without="off", help="Replace a company file that exists.")


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
        for add in (*reversed(options), COMPANY):
            run = add(run)
        return click.command(name)(run)

    return register
