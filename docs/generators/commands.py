"""The page of the `goodwill` command: every verb with its options."""

import inspect

import click
from markdown import table

from features.errors import EXIT_CODES
from serve.cli.main import cli


def page() -> str:
    """The page as Markdown."""
    parts = [
        "# Commands\n",
        f"{cli.help}\n",
        "Every verb takes `--help`. Exit codes:\n",
        _exit_codes(),
    ]
    return "\n".join([*parts, *_verbs(cli, "goodwill")])


def _verbs(group: click.Group, prefix: str) -> list[str]:
    parts = []
    for name in group.list_commands(click.Context(group)):
        command = group.commands[name]
        called = f"{prefix} {name}"
        arguments = " ".join(
            f"[{p.name.upper()}]" if not p.required else (p.name or "").upper()
            for p in command.params
            if isinstance(p, click.Argument)
        )
        parts += [f"## `{called} {arguments}".rstrip() + "`\n", f"{_unwrapped(command.help)}\n"]
        options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
        if options:
            rows = [_row(option, click.Context(command)) for option in options]
            parts.append(table(("option", "default", "what"), rows))
        if isinstance(command, click.Group):
            parts += _verbs(command, called)
    return parts


def _row(option: click.Option, context: click.Context) -> tuple[str, str, str]:
    names = ", ".join(f"`{n}`" for n in [*option.opts, *option.secondary_opts])
    stated = option.get_help_extra(context)
    return names, stated.get("default") or stated["required"], option.help or ""


def _unwrapped(text: str | None) -> str:
    return inspect.cleandoc((text or "").replace("\b", ""))


def _exit_codes() -> str:
    return table(("code", "meaning"), [(str(c), why) for c, why in EXIT_CODES.items()])
