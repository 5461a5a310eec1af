"""Verbs for feedback from the CRM: list the stored calls, withdraw one."""

import getpass
import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from serve.cli.command_context import CommandContext
from serve.cli.options import BY, CLIENT, CUSTOMER, SINCE, WITHDRAWAL_REASON, command
from serve.cli.verb_group import VerbGroup

if TYPE_CHECKING:
    from features.ingest.feedback_calls import FeedbackCall

COLUMNS = ("id", "received", "client", "events", "customers", "kinds")


@click.group(cls=VerbGroup)
def feedback() -> None:
    """Look after feedback from the CRM: list, withdraw."""


@command("list", CUSTOMER, CLIENT, SINCE)
def list_feedback(
    context: CommandContext, customer: str | None, client: str | None, since: datetime | None
) -> None:
    """List the stored calls and what became of their events.

    As of the last import; the oldest first, times in UTC.
    """
    from rich.console import Console

    from features.ingest.feedback_calls import read_calls
    from features.terminal_table import TextTable

    calls = read_calls(context.workspace.feedback(context.company.name))
    chosen = [
        call
        for call in sorted(calls, key=lambda call: (call.received_at, call.id))
        if (customer is None or customer in {e["customer_id"] for e in call.events})
        and (client is None or client == call.client)
        and (since is None or call.received_at >= since.replace(tzinfo=UTC))
    ]
    rows = list(_rows(context, chosen, _id_length(calls)))
    if rows:
        table = TextTable(COLUMNS, rows, numbers=("events", "customers"))
        Console(highlight=False).print(table, crop=False)
    click.echo(f"{len(chosen):,} of {len(calls):,} calls", err=True)


def _rows(
    context: CommandContext, calls: Sequence["FeedbackCall"], id_length: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    """The cells of each call, and below them its request and what became of its events."""
    from features.ingest.applied_feedback import describe_state, read_call_outcomes

    outcomes = read_call_outcomes(context.workspace.history(context.company.name))
    for call in calls:
        cells = (
            call.id[:id_length],
            f"{call.received_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            call.client or "–",
            f"{len(call.events):,}",
            f"{len({event['customer_id'] for event in call.events}):,}",
            ", ".join(sorted({str(event["kind"]) for event in call.events})),
        )
        state = describe_state(call, outcomes.get(call.id))
        yield cells, f"request {call.request_id}: {state}" if call.request_id else state


def _id_length(calls: Sequence["FeedbackCall"]) -> int:
    """The length at which the ids of all calls differ."""
    from features.ingest.feedback_calls import SHORT_ID

    length = SHORT_ID
    while len({call.id[:length] for call in calls}) < len(calls):
        length += 1
    return length


@command("withdraw", click.argument("call_id"), WITHDRAWAL_REASON, BY)
def withdraw_feedback(context: CommandContext, call_id: str, reason: str, by: str | None) -> None:
    """Withdraw a call: the next import leaves its events out.

    The call stays stored, with who withdrew it, when and why. CALL_ID is its id, or the beginning.
    """
    from features.ingest.feedback_calls import withdraw_call

    # No lock: a call is withdrawn by one new file, which an import that runs now reads or does not.
    folder = context.workspace.feedback(context.company.name)
    call = withdraw_call(folder, call_id, reason, by or _user())
    click.echo(
        f"withdrew {call.short_id} of {call.client or 'a caller without a key'}, received "
        f"{call.received_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {len(call.events):,} events; the next "
        "import (`goodwill data`, `retrain`) leaves them out",
        err=True,
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return f"user {os.getuid()}"


feedback.add_command(list_feedback)
feedback.add_command(withdraw_feedback)
