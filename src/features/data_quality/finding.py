"""What a check says about a table: where, how bad, how many rows, and what to do."""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "advice"]

#: From the worst: an error keeps rows out, a warning spoils what is learnt, advice is worth a look.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "advice")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong or odd in a table.

    `column` is empty when the whole table is meant; `rows` of `total` are concerned. `evidence`
    holds figures, and examples by key and time alone, never by name, phone or text.
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
        """Table and column as people write them: events.amount."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def share(self) -> float:
        """The share of the rows that is concerned."""
        return self.rows / self.total if self.total else 0.0

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def ranked(findings: list[Finding]) -> list[Finding]:
    """The worst first; within a severity the larger share first."""
    return sorted(
        findings, key=lambda f: (SEVERITIES.index(f.severity), -f.share, f.place, f.check)
    )
