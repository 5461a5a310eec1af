"""The lists of verbs in the help: whole lines of 80 columns, and a default for each option."""

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from serve.cli.main import cli
from serve.cli.verb_group import VerbGroup


def commands(group: click.Group, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every verb and group below a group, with the words that call it."""
    for name, command in group.commands.items():
        yield (*words, name), command
        if isinstance(command, click.Group):
            yield from commands(command, *words, name)


def help_of(words: tuple[str, ...]) -> str:
    done = CliRunner(env={"COLUMNS": "80"}).invoke(cli, [*words, "--help"])
    assert done.exit_code == 0
    return done.stdout


GROUPS = [(), *(words for words, command in commands(cli) if isinstance(command, click.Group))]
VERBS = [words for words, command in commands(cli) if not isinstance(command, click.Group)]


@pytest.mark.parametrize("words", GROUPS)
def test_each_verb_has_one_whole_line(words: tuple[str, ...]) -> None:
    shown = help_of(words).splitlines()
    assert max(map(len, shown)) <= 80
    listed = dict(commands(cli))
    for verb in (v for v in listed if v[:-1] == words):
        (line,) = [line for line in shown if line.startswith(f"  {verb[-1]} ")]
        first = (listed[verb].help or "").split("\n")[0]
        assert line.split(maxsplit=1)[1] == first.removesuffix(".") + "."
        assert "..." not in line


@pytest.mark.parametrize("words", VERBS)
def test_each_option_says_its_default(words: tuple[str, ...]) -> None:
    command = dict(commands(cli))[words]
    context = click.Context(command)
    for option in command.params:
        if isinstance(option, click.Option):
            stated = option.get_help_extra(context)
            assert stated.get("default") or stated.get("required"), option.name
    assert max(map(len, help_of(words).splitlines())) <= 80


def test_a_verb_that_is_longer_than_the_line_is_wrapped_and_not_cut() -> None:
    group = VerbGroup("shop", sections={"Work": ("open",)})
    sentence = " ".join(["Open the shop"] * 9) + "."
    group.add_command(click.Command("open", help=sentence))
    shown = CliRunner().invoke(group, ["--help"]).stdout
    assert " ".join(shown.split("Work:")[1].split()) == f"open {sentence}"
