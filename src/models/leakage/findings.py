"""What the court says: charges, the sentence that lists them, and the record of what was looked at."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from features.errors import LeakFound


@dataclass(frozen=True)
class Charge:
    """One leak: its kind, the target it concerns (None: all), where it is, the figures, the remedy.

    `evidence` holds counts and measures, never a customer's values.
    """

    kind: str
    where: str
    evidence: str
    remedy: str
    target: str | None = None

    def __str__(self) -> str:
        of = f" (target {self.target})" if self.target else ""
        return f"{self.kind}: {self.where}{of}: {self.evidence}; {self.remedy}"


@dataclass(frozen=True)
class Finding:
    """What one check looked at, what it charges, and what is worth knowing but no leak."""

    check: str
    looked_at: str
    charges: tuple[Charge, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """What every check of the court found."""

    findings: tuple[Finding, ...]

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Every leak that was found, each place of a kind once."""
        found = [charge for finding in self.findings for charge in finding.charges]
        return tuple(dict.fromkeys(found))

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for finding in self.findings for note in finding.notes)

    def table(self) -> pd.DataFrame:
        """A row for each check: what it looked at and its outcome."""
        return pd.DataFrame(
            [(f.check, f.looked_at, _outcome(f)) for f in self.findings],
            columns=["check", "looked at", "outcome"],
        )

    def to_json(self) -> str:
        """The verdict with what every check looked at, made to be read by a person too."""
        content = {"passed": not self.charges, **asdict(self)}
        return json.dumps(content, indent=1, ensure_ascii=False)


def _outcome(finding: Finding) -> str:
    return f"{len(finding.charges)} charged" if finding.charges else "passed"


def refuse(verdict: Verdict) -> None:
    """Raise LeakFound with every charge, unless there is none."""
    charges = verdict.charges
    if not charges:
        return
    lines = "\n".join(f"  - {charge}" for charge in charges)
    what = "1 leak" if len(charges) == 1 else f"{len(charges)} leaks"
    raise LeakFound(
        f"{what} found, nothing was trained; mend them and run `goodwill retrain` "
        f"(`goodwill court` shows every check, docs/leak-court.md explains them):\n{lines}"
    )


def merged(charges: Sequence[Charge]) -> tuple[Charge, ...]:
    """Charges of the same kind, place and remedy about several targets told once."""
    same: dict[tuple[str, str, str], list[Charge]] = {}
    for charge in charges:
        same.setdefault((charge.kind, charge.where, charge.remedy), []).append(charge)
    return tuple(
        replace(first, target=", ".join(dict.fromkeys(c.target for c in group if c.target)) or None)
        for group in same.values()
        for first in group[:1]
    )


def some(names: Sequence[str], most: int = 5) -> str:
    """The first names, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
