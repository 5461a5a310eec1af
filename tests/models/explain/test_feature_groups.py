"""The windows of one feature are one factor, told by the column that has most of it."""

import numpy as np

from models.explain.attributions import attribute_scores
from models.explain.feature_groups import FeatureGroups, strongest_groups
from models.explain.reasons import Explainer
from support.small_models import customers, small_bundle

REASONER = Explainer(small_bundle("churn"))


def test_columns_of_one_feature_are_one_factor() -> None:
    columns = REASONER.bundle.estimator.encoder.columns
    grouped = {
        name: [columns[i] for i in places]
        for name, places in zip(REASONER.factors.names, REASONER.factors.members, strict=True)
    }
    assert grouped["orders"] == ["orders_90d", "orders_180d"]
    assert grouped["reply_hours"] == ["reply_hours_90d", "reply_hours_365d"]
    assert grouped["reply_hours_max"] == ["reply_hours_max_90d"]
    assert grouped["crm_region"] == ["crm_region"]


def test_a_column_nobody_declared_is_a_factor_of_its_own() -> None:
    assert FeatureGroups.of(["mine", "orders_90d"], {}).names == ("mine", "orders_90d")


def test_effects_add_up_and_the_largest_part_of_the_sign_speaks() -> None:
    factors = FeatureGroups(("orders", "csat"), (np.array([0, 2]), np.array([1])))
    parts = np.array([[3.0, -2.0, -4.0], [1.0, 0.5, 2.0]])
    totals = factors.totals(parts)
    np.testing.assert_allclose(totals, [[-1.0, -2.0], [3.0, 0.5]])
    np.testing.assert_array_equal(factors.speakers(parts, totals), [[2, 1], [2, 1]])
    np.testing.assert_array_equal(strongest_groups(totals, 1), [[1], [0]])


def test_all_factors_together_are_the_score() -> None:
    found = attribute_scores(REASONER.bundle, customers(seed=5))
    totals = REASONER.factors.totals(found.parts)
    np.testing.assert_allclose(found.start + totals.sum(axis=1), found.score, atol=1e-9)
