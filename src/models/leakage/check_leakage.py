"""The leakage check: all checks of a company's training sets, run before anything is trained."""

from collections.abc import Iterator
from dataclasses import replace

from features.atomic_write import write_text_atomically
from features.config.company import Company
from features.history_store import Manifest
from features.progress import Steps
from features.settings import Workspace
from models.leakage.audit_sample import AuditSample
from models.leakage.backdated_snapshots import check_backdated_snapshots
from models.leakage.duplicated_rows import check_duplicates
from models.leakage.feature_lookahead import check_comment_model, check_feature_lookahead
from models.leakage.findings import LeakCheckResult, LeakReport, merge_findings
from models.leakage.identifiers import check_identifiers
from models.leakage.label_copies import check_label_copies, sample_snapshot_rows
from models.leakage.label_maturity import check_label_maturity
from models.leakage.label_window_check import check_answer_cutoffs, check_label_windows
from models.leakage.sampled_windows import build_label_windows
from models.leakage.shuffled_labels import check_shuffled_labels
from models.leakage.suspicious_features import check_suspicious_features
from models.training_set.build_training_sets import LabelCounts


def _run_checks(sample: AuditSample) -> Iterator[LeakCheckResult]:
    """The result of every check that the company's tables allow, in report order."""
    if sample.company.snapshot:
        yield check_label_copies(sample)
        yield check_shuffled_labels(sample, sample_snapshot_rows(sample))
        yield check_duplicates(sample)
        yield check_identifiers(sample)
        return
    windows = build_label_windows(sample)
    yield check_feature_lookahead(sample)
    yield check_label_windows(sample)
    yield check_answer_cutoffs(sample)
    yield check_backdated_snapshots(sample)
    yield check_suspicious_features(sample, windows)
    yield check_shuffled_labels(sample, windows)
    yield check_duplicates(sample)
    yield check_label_maturity(sample)
    yield check_comment_model(sample)
    yield check_identifiers(sample)


def check_leakage(
    company: Company,
    workspace: Workspace,
    manifest: Manifest,
    counts: dict[str, LabelCounts],
    steps: Steps,
) -> LeakReport:
    """Look for leaks in the training sets of the targets in `counts` and in their source data.

    Deterministic: the same data give the same report. Also writes it to `leakage.json` in the
    company's folder.
    """
    with steps.step("leakage check") as done:
        sample = AuditSample.for_targets(company, workspace, manifest, list(counts))
        checks = tuple(
            replace(check, findings=merge_findings(check.findings)) for check in _run_checks(sample)
        )
        sample.connection.close()
        report = LeakReport(checks)
        path = workspace.company(company.name) / "leakage.json"
        write_text_atomically(path, report.to_json())
        done(checks=len(checks), customers=len(sample.customers), leaks=len(report.findings))
    return report
