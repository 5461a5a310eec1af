"""A data quality finding: where it is, how severe, how many rows it affects, and the remedy."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "advice"]

#: Worst first: an error excludes rows, a warning harms the models, advice is for information.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "advice")


@dataclass(frozen=True)
class TableFinding:
    """One thing that is wrong or unusual in a table.

    `column` is empty for a finding about the whole table; `rows` of `total` rows are affected.
    `evidence` holds figures, and examples as key and time only, never a name, phone or text.
    """

    table: str
    column: str
    check: str
    severity: Severity
    rows: int
    total: int
    says: str
    remedy: str
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Table and column as one text, such as events.amount."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def share(self) -> float:
        """The share of the rows that is affected."""
        return self.rows / self.total if self.total else 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def rank_findings(findings: list[TableFinding]) -> list[TableFinding]:
    """Findings ordered by severity, then by share of affected rows, worst first."""
    return sorted(
        findings, key=lambda f: (SEVERITIES.index(f.severity), -f.share, f.place, f.check)
    )
