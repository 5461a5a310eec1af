"""A refit that predicts otherwise than the judged model does not serve."""

import pytest

from models.targets.registry import TARGETS
from models.training.train import load_rows, refit_on_all, train
from models.validation.refit_agreement import RefitAgreement, compare_with_judged


@pytest.mark.parametrize(
    ("correlation", "difference", "objection"),
    [
        (0.95, 0.1, None),
        (0.6, -0.5, None),
        (0.59, 0.0, "ranks customers otherwise than the judged model: rank correlation 0.59"),
        (0.95, -0.51, "predicts another level than the judged model: -0.51 standard deviations"),
        (float("nan"), float("nan"), None),
    ],
)
def test_the_limits_are_stated(correlation, difference, objection):
    found = RefitAgreement(correlation, difference).objection
    assert (found is None) == (objection is None)
    if objection:
        assert objection in found


def test_the_refit_learns_from_all_labels_and_agrees(small_company):
    company, workspace = small_company
    rows = load_rows(company, workspace, "nps")
    judged = train(TARGETS["nps"], company, rows)
    refitted = refit_on_all(judged, rows)
    assert refitted.learnt.all()
    assert len(refitted.unseen) == len(rows.label) > judged.learnt.sum() == len(judged.unseen)
    assert refitted.labels.until > judged.labels.until
    assert refitted.labels.digest == judged.labels.digest
    assert refitted.estimator.encoder.columns == judged.estimator.encoder.columns
    assert refitted.estimator.rounds == judged.estimator.rounds == judged.recipe.rounds
    assert refitted.evaluation is judged.evaluation
    agreement = compare_with_judged(judged, refitted)
    assert agreement.objection is None
    assert compare_with_judged(judged, judged) == RefitAgreement(pytest.approx(1.0), 0.0)
