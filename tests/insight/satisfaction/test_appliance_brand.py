"""The golden case: what is known of a simulated appliance brand is found by the whole analysis."""

import numpy as np
import pytest

from insight.satisfaction.factor_analysis import fit_factors
from insight.satisfaction.psychometrics import cronbach_alpha, describe_items
from insight.satisfaction.rating_scales import SurveyScale, to_one_scale
from support.appliance_brand import FACTORS, ITEMS, appliance_brand


def test_the_brand_has_mean_80_and_standard_deviation_10_with_most_answers_from_70_to_90():
    answers, group = appliance_brand()
    overall = describe_items(answers).loc["overall"]
    assert (overall["mean"], overall["sd"]) == pytest.approx((80, 10), abs=0.1)
    assert answers["overall"].between(70, 90).mean() > 0.5
    assert [answers["overall"][group == g].mean() for g in range(3)] == pytest.approx(
        [89, 80, 66], abs=3
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_three_factors_with_their_items_are_recovered_each_reliable(seed):
    answers, _ = appliance_brand(seed=seed)
    found = fit_factors(answers[ITEMS])
    assert sorted(map(sorted, found.items.values())) == sorted(map(sorted, FACTORS.values()))
    for items in FACTORS.values():
        assert cronbach_alpha(answers[items]).alpha.low > 0.7


def test_a_reverse_coded_item_of_the_brand_is_turned_and_changes_nothing():
    answers, _ = appliance_brand()
    answers = answers[ITEMS]
    turned = answers.assign(trust=100 - answers["trust"])
    mapped, found = to_one_scale(turned, dict.fromkeys(ITEMS, SurveyScale(0, 100)))
    assert list(found) == ["trust"]
    np.testing.assert_allclose(mapped, answers)
