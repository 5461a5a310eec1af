"""The complete satisfaction analysis recovers the known structure of a simulated appliance brand."""

import pytest

from insight.satisfaction.factor_analysis import fit_factors
from insight.satisfaction.psychometrics import cronbach_alpha, describe_items
from insight.satisfaction.rating_scales import find_reversed_items
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
def test_three_reliable_factors_are_recovered(seed):
    answers, _ = appliance_brand(seed=seed)
    found = fit_factors(answers[ITEMS])
    assert sorted(map(sorted, found.items.values())) == sorted(map(sorted, FACTORS.values()))
    for items in FACTORS.values():
        assert cronbach_alpha(answers[items]).alpha.low > 0.7


def test_a_reverse_coded_item_is_found():
    answers, _ = appliance_brand()
    answers = answers[ITEMS]
    assert find_reversed_items(answers) == {}
    assert list(find_reversed_items(answers.assign(trust=100 - answers["trust"]))) == ["trust"]
