"""The tutorial "your own data" shows what `goodwill init` says about the messy folder."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from serve.cli import main

PROJECT = Path(__file__).parents[2]
PAGE = (PROJECT / "docs/tutorial/your-own-data.md").read_text(encoding="utf-8")


def test_the_lines_of_the_tutorial_are_those_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODWILL_HOME", str(tmp_path))
    command = re.search(r"goodwill (init --from .+)", PAGE)
    assert command is not None
    words = command[1].replace("tests/", f"{PROJECT}/tests/").split()
    done = CliRunner().invoke(main.cli, words)
    assert done.exception is None, done.output
    said = " ".join(done.stderr.split())
    shown = [b for b in re.findall(r"```\n(.*?)```", PAGE, re.DOTALL) if "not used" in b]
    written = (tmp_path / "data" / "dealer.toml").read_text(encoding="utf-8")
    comments = [line for line in re.findall(r"^# .+$", PAGE, re.MULTILINE) if ": " in line]
    assert len(shown) == 1
    assert all(" ".join(line.split()) in said for line in shown[0].splitlines())
    assert len(comments) == 3
    assert all(comment in written for comment in comments)
