"""Tables of the terminal fit its width, and cut nothing."""

from io import StringIO

import pytest
from rich.console import Console
from rich.text import Text

from features.terminal_table import Indented, TextTable


def lines_of(what: object, width: int = 40) -> list[str]:
    out = StringIO()
    Console(file=out, width=width).print(what, crop=False)
    return out.getvalue().splitlines()


def test_a_text_is_below_its_row() -> None:
    table = TextTable(
        ("id", "state", "rows"),
        [(("A-1", Text("new", "red"), "2"), "a text that is longer than the width of the terminal"),
         (("客户", "imported", "10,000"), "short")],
        numbers=("rows",),
    )  # fmt: skip
    assert lines_of(table) == [
        "  id    state       rows",
        "  A-1   new            2",
        "    a text that is longer than the width",
        "    of the terminal",
        "  客户  imported  10,000",
        "    short",
    ]


def test_a_table_without_rows_is_its_head() -> None:
    assert lines_of(TextTable(("id", "state"), [])) == ["  id  state"]


@pytest.mark.parametrize("word", ["x" * 60, "/a/path/" + "y" * 60, "客" * 40])
def test_a_long_word_stays_whole(word: str) -> None:
    assert lines_of(Indented(Text(f"see {word} now"), 4)) == ["    see", f"    {word}", "    now"]
    assert lines_of(TextTable(("id",), [((word,), "")])) == ["  id", f"  {word}"]


def test_brackets_are_no_markup() -> None:
    assert lines_of(TextTable(("[b]",), [(("[red]",), "[/] closed")])) == [
        "  [b]", "  [red]", "    [/] closed",
    ]  # fmt: skip
