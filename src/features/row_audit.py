"""What became of every row on its way from a company's files to its history: the ledger."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from features.settings import Workspace

Step = Literal["read", "query", "drop", "correct", "duplicates", "quarantine", "fill", "scale"]

#: Steps in which rows leave: as many as the line's `rows`.
REMOVING = ("drop", "duplicates", "quarantine")
FILE = "ledger.json"


@dataclass(frozen=True)
class Change:
    """A line of the ledger: a rule, the rows of the table before and after it, the rows it met.

    `rows` came in (read), left (drop, duplicates, quarantine) or got another value (correct, fill,
    scale: as many rows after as before). A query may join and group: its `rows` are those it made.
    A row that breaks several rules leaves under the first.
    """

    table: str
    step: Step
    rule: str
    before: int
    after: int
    rows: int


class RowAudit:
    """The lines of a company's tables, each beginning with the rows the former one left."""

    def __init__(self, lines: Iterable[Change] = ()) -> None:
        self.lines = list(lines)

    def now(self, table: str) -> int:
        """Rows of a table after its last line, 0 before the first."""
        return next((line.after for line in reversed(self.lines) if line.table == table), 0)

    def came(self, table: str, rule: str, rows: int) -> None:
        """Rows read from a source."""
        before = self.now(table)
        self.lines.append(Change(table, "read", rule, before, before + rows, rows))

    def became(self, table: str, rule: str, rows: int) -> None:
        """A query made so many rows of all that were read."""
        self.lines.append(Change(table, "query", rule, self.now(table), rows, rows))

    def left(self, table: str, step: Step, rule: str, rows: int) -> None:
        """Rows that are no longer in the table."""
        before = self.now(table)
        self.lines.append(Change(table, step, rule, before, before - rows, rows))

    def changed(self, table: str, step: Step, rule: str, rows: int) -> None:
        """Rows that got another value."""
        before = self.now(table)
        self.lines.append(Change(table, step, rule, before, before, rows))

    def to_json(self) -> str:
        return json.dumps([asdict(line) for line in self.lines], indent=1, ensure_ascii=False)

    @classmethod
    def read(cls, path: Path) -> "RowAudit | None":
        """The ledger in a file, None where there is no such file."""
        if not path.is_file():
            return None
        return cls(Change(**line) for line in json.loads(path.read_text(encoding="utf-8")))


def ledger_of(workspace: Workspace, company: str) -> RowAudit | None:
    """The ledger of a company's history; None for a history that was written without one."""
    return RowAudit.read(workspace.history(company) / FILE)


def keep_beside(workspace: Workspace, company: str, folder: Path) -> None:
    """Copy the ledger of a history to what is made of it; none where the history has none."""
    ledger = workspace.history(company) / FILE
    copy = folder / FILE
    copy.unlink(missing_ok=True)
    if ledger.is_file():
        copy.write_bytes(ledger.read_bytes())
