"""Results of the leakage checks: findings, the leak report, and the error that stops training."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import pandas as pd

from features.errors import LeakFound


@dataclass(frozen=True)
class LeakFinding:
    """One leak: its kind, where it is, the evidence, the remedy and the target (None: all targets).

    `evidence` holds counts and measures, never a customer's values. With `skips_target` it is a doubt
    about one target and no proof: that target is not trained, the others are.
    """

    kind: str
    where: str
    evidence: str
    remedy: str
    target: str | None = None
    skips_target: bool = False

    def __str__(self) -> str:
        of = f" (target {self.target})" if self.target else ""
        return f"{self.kind}: {self.where}{of}: {self.evidence}; {self.remedy}"


@dataclass(frozen=True)
class LeakCheckResult:
    """What one check looked at, the leaks it found, and notes that stop nothing."""

    check: str
    looked_at: str
    findings: tuple[LeakFinding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeakReport:
    """The results of all leakage checks."""

    checks: tuple[LeakCheckResult, ...]

    @property
    def findings(self) -> tuple[LeakFinding, ...]:
        """Every leak found, without duplicates."""
        found = [finding for check in self.checks for finding in check.findings]
        return tuple(dict.fromkeys(found))

    @property
    def leaks(self) -> tuple[LeakFinding, ...]:
        """The findings that stop training of every target."""
        return tuple(f for f in self.findings if not f.skips_target)

    def doubtful_targets(self) -> dict[str, str]:
        """The targets that must be skipped, with the finding behind each."""
        return {f.target: str(f) for f in self.findings if f.skips_target and f.target}

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for check in self.checks for note in check.notes)

    def table(self) -> pd.DataFrame:
        """One row per check: its name, what it looked at, its outcome."""
        return pd.DataFrame(
            [(c.check, c.looked_at, _outcome(c)) for c in self.checks],
            columns=["check", "looked at", "outcome"],
        )

    def to_json(self) -> str:
        """The report as indented JSON."""
        content = {"passed": not self.leaks, **asdict(self)}
        return json.dumps(content, indent=1, ensure_ascii=False)


def _outcome(check: LeakCheckResult) -> str:
    return f"{len(check.findings)} found" if check.findings else "passed"


def raise_on_leaks(report: LeakReport) -> None:
    """Raise LeakFound with every leak of the report that stops training, if there is one."""
    findings = report.leaks
    if not findings:
        return
    lines = "\n".join(f"  - {finding}" for finding in findings)
    what = "1 leak" if len(findings) == 1 else f"{len(findings)} leaks"
    raise LeakFound(
        f"{what} found, nothing was trained; fix them and run `goodwill retrain` "
        "(`goodwill leakage` shows every check, docs/background/leakage-check.md explains them):\n"
        f"{lines}"
    )


def merge_findings(findings: Sequence[LeakFinding]) -> tuple[LeakFinding, ...]:
    """Merge leaks of several targets that share kind, place and remedy into one each.

    Findings that skip a target stay apart, one a target.
    """
    same: dict[tuple[str | None, ...], list[LeakFinding]] = {}
    for finding in findings:
        apart = finding.target if finding.skips_target else None
        same.setdefault((finding.kind, finding.where, finding.remedy, apart), []).append(finding)
    return tuple(
        replace(
            group[0], target=", ".join(dict.fromkeys(f.target for f in group if f.target)) or None
        )
        for group in same.values()
    )


def list_names(names: Sequence[str], most: int = 5) -> str:
    """The first `most` names as text, and how many more there are."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
