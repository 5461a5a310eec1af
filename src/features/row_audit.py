"""The row audit: how many rows each step of an import reads, removes or changes."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from features.settings import Workspace

Step = Literal["read", "query", "drop", "correct", "duplicates", "quarantine", "fill", "scale"]

#: The steps in the order of an import.
STEPS: tuple[Step, ...] = (
    "read", "query", "drop", "correct", "duplicates", "quarantine", "fill", "scale",
)  # fmt: skip
#: The steps that remove rows: as many as the line's `rows`.
REMOVING = ("drop", "duplicates", "quarantine")
FILE = "row_audit.json"


@dataclass(frozen=True)
class AuditLine:
    """One rule of one step: the rows of the table before and after it, and the rows it applied to.

    `rows` were read (read), produced (query), removed (drop, duplicates, quarantine) or given another
    value (correct, fill, scale: as many rows after as before). A row that breaks several rules is
    removed by the first.
    """

    table: str
    step: Step
    rule: str
    before: int
    after: int
    rows: int


class RowAudit:
    """The audit lines of a company's tables; each line starts from the rows the previous one left."""

    def __init__(self, lines: Iterable[AuditLine] = ()) -> None:
        self.lines = list(lines)

    def row_count(self, table: str) -> int:
        """Rows of a table after its last line, 0 before the first."""
        return next((line.after for line in reversed(self.lines) if line.table == table), 0)

    def add_read(self, table: str, rule: str, rows: int) -> None:
        """Add rows read from a source."""
        before = self.row_count(table)
        self.lines.append(AuditLine(table, "read", rule, before, before + rows, rows))

    def add_query(self, table: str, rule: str, rows: int) -> None:
        """Record how many rows a query made of all that were read."""
        self.lines.append(AuditLine(table, "query", rule, self.row_count(table), rows, rows))

    def add_removed(self, table: str, step: Step, rule: str, rows: int) -> None:
        """Record rows that were removed from the table."""
        before = self.row_count(table)
        self.lines.append(AuditLine(table, step, rule, before, before - rows, rows))

    def add_changed(self, table: str, step: Step, rule: str, rows: int) -> None:
        """Record rows that were given another value."""
        before = self.row_count(table)
        self.lines.append(AuditLine(table, step, rule, before, before, rows))

    def to_json(self) -> str:
        return json.dumps([asdict(line) for line in self.lines], indent=1, ensure_ascii=False)

    @classmethod
    def read(cls, path: Path) -> "RowAudit | None":
        """Read an audit from a file; None where there is no such file."""
        if not path.is_file():
            return None
        return cls(AuditLine(**line) for line in json.loads(path.read_text(encoding="utf-8")))


def read_row_audit(workspace: Workspace, company: str) -> RowAudit | None:
    """Read the audit of a company's history; None for a history that was written without one."""
    return RowAudit.read(workspace.history(company) / FILE)


def copy_row_audit(workspace: Workspace, company: str, folder: Path) -> None:
    """Copy the audit of a history to the folder of what is computed from it, if the history has one."""
    source = workspace.history(company) / FILE
    copy = folder / FILE
    copy.unlink(missing_ok=True)
    if source.is_file():
        copy.write_bytes(source.read_bytes())
