"""Lists of verbs in `--help`: under headings, in the order of work, each with one whole line."""

from collections.abc import Mapping
from typing import Any

import click

#: Longer than any first sentence: click would cut it and add "...".
WHOLE = 1000


class VerbGroup(click.Group):
    """Verbs under headings; `renamed` maps old names, which still work with a note, to new ones."""

    def __init__(
        self,
        *given: Any,
        sections: Mapping[str, tuple[str, ...]] | None = None,
        renamed: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(*given, **settings)
        self.sections = sections or {}
        self.renamed = renamed or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [verb for verbs in self.sections.values() for verb in verbs] or list(self.commands)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if new := self.renamed.get(cmd_name):
            click.echo(
                f"goodwill: `{cmd_name}` is now `{new}`; the next release drops the old name",
                err=True,
            )
        return super().get_command(ctx, new or cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, self.commands))
        for heading, verbs in (self.sections or {"Commands": tuple(self.commands)}).items():
            lines = [(v.ljust(width), self.commands[v].get_short_help_str(WHOLE)) for v in verbs]
            with formatter.section(heading):
                formatter.write_dl(lines)
