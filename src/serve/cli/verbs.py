"""How a verb of the console command is made: the company it is about and the options it takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from serve.cli.command_context import CommandContext
from serve.cli.options import COMPANY


def command(name: str, *options: Callable[..., Any]) -> Callable[[Callable[..., None]], Any]:
    """Make a verb of a function that takes a company's run and the options given."""

    def register(work: Callable[..., None]) -> click.Command:
        def run(toml: Path | None, **given: Any) -> None:
            work(CommandContext(toml), **given)

        run.__doc__ = work.__doc__
        for option in (*options, COMPANY):
            run = option(run)
        return click.command(name)(run)

    return register
