"""No false alarm: on clean simulated companies of several sizes the court has nothing to say."""

import pytest

from features.history_store import Manifest
from features.progress import quiet
from models.leakage.check_leakage import check_leakage
from models.training_set.build_training_sets import build_features, read_counts

#: (customers, seed), twenty of them.
COMPANIES = [(n, 100 + i) for i, n in enumerate([150, 200, 250, 300, 350, 400, 500] * 3)][:20]


@pytest.mark.parametrize(("customers", "seed"), COMPANIES)
def test_a_clean_company_is_not_charged(make_company, tmp_path, customers, seed):
    company, workspace = make_company(tmp_path, customers, seed)
    counts, _ = build_features(company, workspace, quiet())
    verdict = check_leakage(company, workspace, Manifest.read(workspace, "sample"), counts, quiet())
    assert [str(charge) for charge in verdict.charges] == []
    assert len(verdict.findings) == 10


def test_the_same_data_give_the_same_verdict(small_company):
    company, workspace = small_company
    manifest = Manifest.read(workspace, company.name)
    counts, _ = read_counts(company, workspace)
    first, second = (check_leakage(company, workspace, manifest, counts, quiet()) for _ in range(2))
    assert first.to_json() == second.to_json()
    assert (workspace.company("sample") / "court.json").read_text() == first.to_json()
