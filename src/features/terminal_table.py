"""Tables and texts of the terminal: as wide as it is, without cutting an id, a path or a number.

What is here is printed with `crop=False`: a word that is longer than the line stays whole.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

GAP = "  "
#: The least room for a text, where an indentation leaves less.
LEAST = 20

Cell = str | Text


@dataclass(frozen=True)
class Indented:
    """A text whose lines all begin at the same column; it is broken between words only."""

    text: Text
    indent: int = len(GAP)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(options.max_width - self.indent, LEAST)
        for paragraph in self.text.split("\n", allow_blank=True):
            for line in paragraph.divide(_line_starts(paragraph.plain, room)):
                line.rstrip()
                yield Text.assemble(" " * self.indent, line, no_wrap=True, overflow="ignore")


def _line_starts(text: str, room: int) -> list[int]:
    """The places of the words that begin a new line; rich itself would cut a long word."""
    starts: list[int] = []
    used = 0
    for word in re.finditer(r"\s*\S+", text):
        if used and used + cell_len(word.group()) > room:
            starts.append(word.end() - len(word.group().lstrip()))
            used = cell_len(word.group().lstrip())
        else:
            used += cell_len(word.group())
    return starts


@dataclass(frozen=True)
class TextTable:
    """Rows of short cells, each with a text below it that is too long for a column.

    `rows` are pairs of the cells and the text; columns in `numbers` are aligned on the right.
    """

    columns: Sequence[str]
    rows: Sequence[tuple[Sequence[Cell], str]]
    numbers: Collection[str] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        head = [Text(name, "bold") for name in self.columns]
        rows = [[Text(c) if isinstance(c, str) else c for c in cells] for cells, _ in self.rows]
        widths = [max(c.cell_len for c in column) for column in zip(head, *rows, strict=True)]
        yield self._line(head, widths)
        for cells, (_, text) in zip(rows, self.rows, strict=True):
            yield self._line(cells, widths)
            if text:
                yield Indented(Text(text), 2 * len(GAP))

    def _line(self, cells: Sequence[Text], widths: Sequence[int]) -> Indented:
        aligned = []
        for name, cell, width in zip(self.columns, cells, widths, strict=True):
            room = " " * (width - cell.cell_len)
            aligned.append(Text.assemble(room, cell) if name in self.numbers else cell + room)
        return Indented(Text(GAP).join(aligned))
