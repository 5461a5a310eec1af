"""The trial: every check of the court over one company, before anything is trained."""

from collections.abc import Iterator
from dataclasses import replace

from features.config.company import Company
from features.import_history.run_import import Manifest
from features.progress import Steps
from features.settings import Workspace
from models.leakage import (
    answer_cutoffs,
    backdated_snapshots,
    comment_model_lookahead,
    duplicated_rows,
    feature_lookahead,
    identifiers,
    label_maturity,
    label_window,
    shuffled_labels,
    suspicious_features,
)
from models.leakage.audit_sample import Case
from models.leakage.findings import Finding, Verdict, merged
from models.leakage.label_windows import windows_of
from models.training_set.build_training_sets import LabelCounts


def findings_of(case: Case) -> Iterator[Finding]:
    """What every check finds, in the order in which it is told."""
    windows = windows_of(case)
    yield feature_lookahead.judge(case)
    yield label_window.judge(case)
    yield answer_cutoffs.judge(case)
    yield backdated_snapshots.judge(case)
    yield suspicious_features.judge(case, windows)
    yield shuffled_labels.judge(case, windows)
    yield duplicated_rows.judge(case)
    yield label_maturity.judge(case)
    yield comment_model_lookahead.judge(case)
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
