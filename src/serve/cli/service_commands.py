"""The verbs of those who operate the service: serve, keys, rollback, replay."""

from datetime import UTC, datetime
from pathlib import Path

import click

from features.settings import Settings, find_workspace
from serve.cli.command_context import CommandContext
from serve.cli.options import (
    COMPANY,
    DAYS,
    HOST,
    OVERLAP,
    PORT,
    RATE,
    RECORDS,
    REQUEST,
    SCOPE_LIST,
    VERSION,
)
from serve.cli.options import command
from serve.security.api_keys import Key, KeyFile


@command("serve", HOST, PORT)
def serve(run: CommandContext, host: str | None, port: int | None) -> None:
    """Serve scores over HTTP until Ctrl-C; without API keys for this machine only."""
    from serve.process.admin_api import run_admin_api
    from serve.process.server import LaunchOptions, serve_until_stopped

    settings = Settings()
    launch = LaunchOptions(
        run.company.path,
        run.workspace,
        port or settings.port,
        workers=settings.workers,
        host=host or settings.host,
    )
    beside = settings.operate_port or launch.port + 1
    run.steps.note(f"  serving {run.company.name} on {launch.url} (Ctrl-C ends): {launch.access_note()}")
    run.steps.note(f"  to operate it, from this machine: http://127.0.0.1:{beside}/status")
    with run_admin_api(run.company, run.workspace, beside):
        serve_until_stopped(launch)


@click.group()
def keys() -> None:
    """API keys of the service's clients: add, list, rotate, revoke (docs/how-to/secure-the-service.md)."""


def _key_file() -> KeyFile:
    from serve.security.key_file_watcher import key_file_path

    return KeyFile(key_file_path(find_workspace()))


def _show_once(client: str, secret: str) -> None:
    click.echo(f"the key of {client}, shown this once:", err=True)
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
    """Make a key for a client of one company and print it, once."""
    company = CommandContext(toml).company.name
    wanted = [scope.strip() for scope in scopes.split(",")]
    _show_once(name, _key_file().add(name, wanted, company, days, rate))


@keys.command("list")
def list_keys() -> None:
    """Show clients, scopes and days of every key; never a secret."""
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "client", "company", "scopes", "made", "ends", "a second", box=None)
    for key in _key_file().read():
        table.add_row(*_told(key))
    Console().print(table)


def _told(key: Key) -> tuple[str, ...]:
    ends = f"{key.expires:%Y-%m-%d}" if key.expires else "–"
    if not key.is_valid(datetime.now(UTC)):
        ends = "ended"
    rate = f"{key.rate:g}" if key.rate else "–"
    scopes = ",".join(key.scopes)
    return key.id, key.client, key.company, scopes, f"{key.created:%Y-%m-%d}", ends, rate


@keys.command("rotate")
@click.argument("name")
@OVERLAP
def rotate_key(name: str, overlap_days: float) -> None:
    """Make the next key of a client; the former one works on during the overlap."""
    _show_once(name, _key_file().rotate(name, overlap_days))


@keys.command("revoke")
@click.argument("name")
def revoke_key(name: str) -> None:
    """Take away every key of a client, or the one with this id; within about a second."""
    for key in _key_file().revoke(name):
        click.echo(f"revoked {key.id} of {key.client}", err=True)


@command("rollback", click.argument("target"), VERSION)
def rollback(run: CommandContext, target: str, version: str | None) -> None:
    """Let the version before serve again, or the one named; in the service within a second."""
    from models.bundles.rollback import roll_back

    with run.steps.step(f"roll back {target}") as done:
        rolled = roll_back(run.company, run.workspace, target, version)
        done(before=rolled.before, now=rolled.now)


@command("replay", click.option("--customer", help="Whose scores."), REQUEST, RECORDS)
def replay(run: CommandContext, customer: str | None, request: str | None, records: Path | None) -> None:
    """Make past scores again, from the audit, the kept models and the history (docs/how-to/secure-the-service.md)."""
    from serve.security.audit_replay import replay_calls

    for again in replay_calls(run.company, run.workspace, customer, request, records):
        line = again.line
        asked = f"{line.time} {line.operation} by {line.client or 'somebody without a key'}"
        run.steps.note(f"  {asked}, request {line.request_id}, as of {line.as_of[:10]}")
        for note in again.notes:
            run.steps.note(f"  [yellow]–[/] {note}")
        run.show(again.table())


@click.command("bento")
def bento() -> None:
    """Build the service as a Bento in dist/bento, to run without this project."""
    from serve.process.build_bento import build_bento

    home = find_workspace().home
    folder = build_bento(home, home / "dist" / "bento")
    pins = (folder / "src" / "requirements.txt").read_text("utf-8").splitlines()
    click.echo(f"wrote {folder.relative_to(home)}; {len(pins)} packages to install where it runs")


#: The verbs of this file, for the command to take up.
SERVICE_COMMANDS = (serve, keys, rollback, replay, bento)
