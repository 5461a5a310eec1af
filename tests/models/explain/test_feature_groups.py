"""The windows of one feature form one group, described by its leading column."""

import numpy as np

from models.explain.attributions import attribute_scores
from models.explain.reasons import Explainer, FeatureGroups, strongest_groups
from support.small_models import customers, small_bundle

EXPLAINER = Explainer(small_bundle("churn"))


def test_columns_of_one_feature_are_one_group() -> None:
    columns = EXPLAINER.bundle.estimator.encoder.columns
    grouped = {
        name: [columns[i] for i in places]
        for name, places in zip(EXPLAINER.groups.names, EXPLAINER.groups.members, strict=True)
    }
    assert grouped["orders"] == ["orders_90d", "orders_180d"]
    assert grouped["reply_hours"] == ["reply_hours_90d", "reply_hours_365d"]
    assert grouped["reply_hours_max"] == ["reply_hours_max_90d"]
    assert grouped["crm_region"] == ["crm_region"]


def test_a_column_not_declared_is_its_own_group() -> None:
    assert FeatureGroups.of(["mine", "orders_90d"], {}).names == ("mine", "orders_90d")


def test_effects_add_up_and_the_largest_part_with_the_sign_leads() -> None:
    groups = FeatureGroups(("orders", "csat"), (np.array([0, 2]), np.array([1])))
    parts = np.array([[3.0, -2.0, -4.0], [1.0, 0.5, 2.0]])
    totals = groups.totals(parts)
    np.testing.assert_allclose(totals, [[-1.0, -2.0], [3.0, 0.5]])
    np.testing.assert_array_equal(groups.leading(parts, totals), [[2, 1], [2, 1]])
    np.testing.assert_array_equal(strongest_groups(totals, 1), [[1], [0]])


def test_all_groups_together_are_the_score() -> None:
    found = attribute_scores(EXPLAINER.bundle, customers(seed=5))
    totals = EXPLAINER.groups.totals(found.parts)
    np.testing.assert_allclose(found.start + totals.sum(axis=1), found.score, atol=1e-9)
