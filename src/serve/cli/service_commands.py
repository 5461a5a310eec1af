"""Verbs for operating the service: serve, keys, feedback, rollback, replay, bento, clean."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from serve.cli.command_context import CommandContext
from serve.cli.feedback_commands import feedback
from serve.cli.options import (
    COMPANY,
    DAYS,
    EVERYTHING,
    HOST,
    OVERLAP,
    PORT,
    RATE,
    RECORDS,
    REPLAYED_CUSTOMER,
    REQUEST,
    SCOPE_LIST,
    VERSION,
    command,
)
from serve.cli.verb_group import VerbGroup

if TYPE_CHECKING:
    from serve.security.api_keys import Key, KeyFile

log = logging.getLogger("goodwill.launch")


@contextlib.contextmanager
def _errors_as_log_lines() -> Iterator[None]:
    """Log all that happens in the block, errors of ours included; they end the process."""
    from pydantic import ValidationError

    from features.errors import ConfigRefused, GoodwillError
    from serve.observability.log_lines import configure_logging

    configure_logging()
    try:
        yield
    except GoodwillError as error:
        log.critical("%s: %s", type(error).__name__, error)
        sys.exit(error.exit_code)
    except ValidationError as error:  # of the settings, which are the first to be read
        for wrong in error.errors():
            name = f"GOODWILL_{wrong['loc'][0]}".upper()
            log.critical("%s is %r: %s", name, wrong["input"], wrong["msg"])
        sys.exit(ConfigRefused.exit_code)


@command("serve", HOST, PORT, around=_errors_as_log_lines)
def serve(context: CommandContext, host: str | None, port: int | None) -> None:
    """Serve scores over HTTP until Ctrl-C.

    Without API keys, for this machine only. Ctrl-C or SIGTERM drain the service for
    GOODWILL_DRAIN_SECONDS; a second one skips that. The log is JSON, or text on a terminal.
    """
    from features.settings import Settings
    from serve.process.admin_api import run_admin_api
    from serve.process.server import LaunchOptions, serve_until_stopped

    settings = Settings()
    launch = LaunchOptions(
        context.company.path,
        context.workspace,
        port or settings.port,
        workers=settings.workers,
        host=host or settings.host,
        drain_seconds=settings.drain_seconds,
    )
    launch.check()  # before anything is announced
    admin_port = settings.operate_port or launch.port + 1
    with run_admin_api(context.company, context.workspace, admin_port):
        name = context.company.name
        log.info("serving %s on %s (Ctrl-C ends): %s", name, launch.url, launch.access_note())
        log.info("admin API, from this machine only: http://127.0.0.1:%d/status", admin_port)
        serve_until_stopped(launch)


@click.group(cls=VerbGroup)
def keys() -> None:
    """Manage API keys: add, list, rotate, revoke."""


def _key_file() -> "KeyFile":
    from features.settings import find_workspace
    from serve.security.api_keys import KeyFile
    from serve.security.key_file_watcher import key_file_path

    return KeyFile(key_file_path(find_workspace()))


def _show_once(client: str, secret: str) -> None:
    click.echo(f"API key of {client}, shown only once:", err=True)
    click.echo(secret)


@keys.command("add")
@click.argument("name")
@SCOPE_LIST
@DAYS
@RATE
@COMPANY
def add_key(
    name: str, scopes: str, days: float | None, rate: float | None, toml: Path | None
) -> None:
    """Create an API key for a client and print it, once."""
    company = CommandContext(toml).company.name
    wanted = [scope.strip() for scope in scopes.split(",")]
    _show_once(name, _key_file().add(name, wanted, company, days, rate))


@keys.command("list")
def list_keys() -> None:
    """List the keys, without their secrets."""
    from rich.console import Console

    from features.terminal_table import TextTable

    columns = ("id", "client", "company", "created", "expires")
    rows = [_key_row(key) for key in _key_file().read()]
    Console(highlight=False).print(TextTable(columns, rows), crop=False)


def _key_row(key: "Key") -> tuple[tuple[str, ...], str]:
    """The cells of a key, and below them its scopes, as `--scopes` takes them, and its rate."""
    expires = f"{key.expires:%Y-%m-%d}" if key.expires else "never"
    if not key.is_valid(datetime.now(UTC)):
        expires = "expired"
    cells = (key.id, key.client, key.company, f"{key.created:%Y-%m-%d}", expires)
    rate = f"; {key.rate:g} calls per second" if key.rate else ""
    return cells, f"scopes {','.join(key.scopes)}{rate}"


@keys.command("rotate")
@click.argument("name")
@OVERLAP
def rotate_key(name: str, overlap_days: float) -> None:
    """Create the next key of a client.

    The old one stays valid during the overlap.
    """
    _show_once(name, _key_file().rotate(name, overlap_days))


@keys.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """Revoke all keys of a client, or one key by its id.

    Takes effect within about a second.
    """
    for key in _key_file().revoke(name):
        click.echo(f"revoked {key.id} of {key.client}", err=True)


@command("rollback", click.argument("target"), VERSION)
def rollback(context: CommandContext, target: str, version: str | None) -> None:
    """Roll back a target to its previous version.

    Takes effect in the service within about a second.
    """
    from models.bundles.rollback import roll_back

    with context.steps.step(f"roll back {target}") as done:
        rolled = roll_back(context.company, context.workspace, target, version)
        done(before=rolled.before, now=rolled.now)
    context.steps.note(
        f"  scores, tiers and report on disk are still those of version {rolled.before}; a retrain that "
        "runs now makes them anew, and so do `goodwill score --reasons`, `evaluate` and `report`"
    )


@command("replay", REPLAYED_CUSTOMER, REQUEST, RECORDS)
def replay(
    context: CommandContext, customer: str | None, request: str | None, records: Path | None
) -> None:
    """Reproduce past scores from the audit log.

    Uses the stored models and the history.
    """
    from features.terminal_table import TextTable
    from serve.security.audit_replay import replay_calls

    for replayed in replay_calls(context.company, context.workspace, customer, request, records):
        line = replayed.line
        asked = f"{line.time} {line.operation} by {line.client or 'a caller without a key'}"
        context.steps.note(f"  {asked}, request {line.request_id}, as of {line.as_of[:10]}")
        for note in replayed.notes:
            context.steps.note(f"  [yellow]–[/] {note}")
        if rows := replayed.rows():
            table = TextTable(("customer", "target", "version"), rows)
            context.steps.console.print(table, crop=False)


@click.command("clean")
@EVERYTHING
def clean(everything: bool) -> None:
    """Remove all results, and keep what no retrain can make again.

    Feedback, keys, audit log and company files always stay.
    """
    from features.clean_up import clean_up
    from features.settings import find_workspace

    workspace = find_workspace()
    kept = clean_up(workspace, everything)
    click.echo("removed the results in data/ and mlruns/; kept feedback, keys and audit log")
    for path in kept:
        click.echo(f"  kept {path.relative_to(workspace.home)}")


@click.command("bento")
def bento() -> None:
    """Build the service as a Bento in dist/bento.

    It runs without this project.
    """
    from features.settings import find_workspace
    from serve.process.build_bento import build_bento

    home = find_workspace().home
    folder = build_bento(home, home / "dist" / "bento")
    pins = (folder / "src" / "requirements.txt").read_text("utf-8").splitlines()
    click.echo(
        f"wrote {folder.relative_to(home)}; {len(pins)} packages to install on the target machine"
    )


SERVICE_COMMANDS = (serve, keys, feedback, rollback, replay, bento, clean)
