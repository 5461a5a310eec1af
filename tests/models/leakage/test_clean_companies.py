"""No false alarms: on clean simulated companies of several sizes no check finds a leak."""

import pytest

from features.history_store import Manifest
from features.progress import silent_steps
from models.leakage.check_leakage import check_leakage
from models.training_set.build_training_sets import build_features, read_counts

#: (customers, seed), twenty of them.
COMPANIES = [(n, 100 + i) for i, n in enumerate([150, 200, 250, 300, 350, 400, 500] * 3)][:20]
FAST = 1


@pytest.mark.parametrize(
    ("customers", "seed"),
    [*COMPANIES[:FAST], *(pytest.param(*c, marks=pytest.mark.slow) for c in COMPANIES[FAST:])],
)
def test_a_clean_company_has_no_findings(make_company, tmp_path, customers, seed):
    company, workspace = make_company(tmp_path, customers, seed)
    counts, _ = build_features(company, workspace, silent_steps())
    report = check_leakage(
        company, workspace, Manifest.read(workspace, "sample"), counts, silent_steps()
    )
    assert [str(finding) for finding in report.findings] == []
    assert len(report.checks) == 10


@pytest.mark.slow
def test_the_same_data_give_the_same_report(small_company):
    company, workspace = small_company
    manifest = Manifest.read(workspace, company.name)
    counts, _ = read_counts(company, workspace)
    first, second = (
        check_leakage(company, workspace, manifest, counts, silent_steps()) for _ in range(2)
    )
    assert first.to_json() == second.to_json()
    assert (workspace.company("sample") / "leakage.json").read_text() == first.to_json()
