"""The column "before" of a table of results: what an earlier table says in the same row."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: The figures with a value before, and the columns that name a row, whatever table they are in.
FIGURES = ("roc_auc", "mae", "multiclass_log_loss", "error", "inside", "model",
           "corrected: mean error", "corrected: error")  # fmt: skip
NAMES = ("contestant", "company", "target", "segment", "value segment", "measure", "figure")


@dataclass(frozen=True)
class _Row:
    """A line of a Markdown file; with `columns`, a row of a table below a heading of second rank."""

    line: str
    heading: str = ""
    columns: tuple[str, ...] = ()

    @property
    def cells(self) -> list[str]:
        return [cell.strip() for cell in self.line.strip().strip("|").split("|")]

    @property
    def figure(self) -> int | None:
        """The place of the figure; None for a line that has none."""
        found = [i for i, column in enumerate(self.columns) if column in FIGURES]
        return found[0] if found else None

    @property
    def key(self) -> tuple[str, ...]:
        pairs = zip(self.columns, self.cells, strict=False)
        return (self.heading, *(cell.strip("*") for column, cell in pairs if column in NAMES))


def add_before(table: str, former: str) -> str:
    """Add the column `before` after the first figure of every table that has one.

    A row is the same as a former one below the same heading with the same names; "–" where there is
    none.
    """
    known = {
        row.key: row.cells[row.figure]
        for row in _rows(former) if row.figure is not None and not _is_rule(row.line)
    }  # fmt: skip
    lines = []
    for row in _rows(table):
        if (place := row.figure) is None:
            lines.append(row.line)
            continue
        cells = row.cells
        head = cells == list(row.columns)
        new = "before" if head else "--:" if _is_rule(row.line) else known.get(row.key, "–")
        lines.append(f"| {' | '.join([*cells[: place + 1], new, *cells[place + 1 :]])} |")
    return "\n".join(lines) + "\n"


def _rows(text: str) -> Iterator[_Row]:
    heading, columns = "", ()
    for line in text.splitlines():
        if line.startswith("## "):
            heading = re.sub(r"\W+", " ", line).strip()
        if not line.startswith("|"):
            columns = ()
        elif not columns:
            columns = tuple(_Row(line).cells)
        yield _Row(line, heading, columns)


def _is_rule(line: str) -> bool:
    return set(line) <= set("|-: ")
