"""The trial: every check of the court over one company, before anything is trained."""

from collections.abc import Iterator
from dataclasses import replace

from features.company import Company
from features.progress import Steps
from features.settings import Workspace
from features.storage import Manifest
from models.court import (
    answers,
    control,
    copies,
    identifiers,
    label_window,
    late_tone,
    lookahead,
    ripeness,
    snapshots,
    suspects,
)
from models.court.case import Case
from models.court.charge import Finding, Verdict, merged
from models.court.windows import windows_of
from models.dataset import LabelCounts


def findings_of(case: Case) -> Iterator[Finding]:
    """What every check finds, in the order in which it is told."""
    windows = windows_of(case)
    yield lookahead.judge(case)
    yield label_window.judge(case)
    yield answers.judge(case)
    yield snapshots.judge(case)
    yield suspects.judge(case, windows)
    yield control.judge(case, windows)
    yield copies.judge(case)
    yield ripeness.judge(case)
    yield late_tone.judge(case)
    yield identifiers.judge(case)


def hear(
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    counts: dict[str, LabelCounts],
    steps: Steps,
) -> Verdict:
    """Look for leaks in the training sets of the targets in `counts` and in what they are made of.

    The same data give the same verdict; it is written as `court.json` in the company's folder.
    """
    with steps.step("leak court") as done:
        case = Case.of(company, workspace, manifest, list(counts))
        findings = tuple(_told_once(finding) for finding in findings_of(case))
        case.con.close()
        verdict = Verdict(findings)
        path = workspace.company(company.name) / "court.json"
        path.write_text(verdict.to_json(), encoding="utf-8")
        done(checks=len(findings), customers=len(case.customers), charges=len(verdict.charges))
    return verdict


def _told_once(finding: Finding) -> Finding:
    return replace(finding, charges=merged(finding.charges))
