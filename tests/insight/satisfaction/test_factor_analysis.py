"""Factor analysis recovers the number of factors and their items."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.satisfaction.factor_analysis import fit_factors, run_parallel_analysis
from support.appliance_brand import FACTORS, ITEMS, appliance_brand


def noise(rows=300, items=6, seed=0):
    answers = np.random.default_rng(seed).integers(1, 6, (rows, items)).astype(float)
    return pd.DataFrame(answers, columns=[f"q{i}" for i in range(items)])


def test_the_appliance_brand_has_three_factors():
    answers, _ = appliance_brand()
    found = fit_factors(answers[ITEMS])
    assert found.parallel.factors == 3
    assert sorted(map(sorted, found.items.values())) == sorted(map(sorted, FACTORS.values()))


def test_factors_are_found_on_a_five_point_scale():
    """Polychoric correlations of 5-point answers, oblique rotation."""
    answers, _ = appliance_brand(seed=3)
    five = answers[ITEMS].apply(
        lambda item: pd.cut(item, [0, 65, 75, 85, 93, 100], labels=False, include_lowest=True)
    )
    found = fit_factors(five + 1.0, rotation="oblimin")
    assert sorted(map(sorted, found.items.values())) == sorted(map(sorted, FACTORS.values()))


def test_loadings_are_recovered():
    """One factor with loadings .9, .8, .7, .6: the product of two is the items' correlation."""
    rng = np.random.default_rng(5)
    true = np.array([0.9, 0.8, 0.7, 0.6])
    answers = rng.normal(size=(8000, 1)) * true + rng.normal(size=(8000, 4)) * np.sqrt(1 - true**2)
    found = fit_factors(pd.DataFrame(answers, columns=list("abcd")))
    np.testing.assert_allclose(found.loadings["factor_1"], true, atol=0.03)
    np.testing.assert_allclose(found.communality, true**2, atol=0.05)
    assert found.explained["factor_1"] == pytest.approx((true**2).mean(), abs=0.03)


def test_scores_follow_the_latent_variable_and_are_missing_without_answers():
    rng = np.random.default_rng(6)
    latent = rng.normal(size=500)
    answers = pd.DataFrame(latent[:, None] + 0.5 * rng.normal(size=(500, 4)), columns=list("abcd"))
    answers.loc[0, "a"] = np.nan
    scores = fit_factors(answers).scores["factor_1"]
    assert np.isnan(scores[0])
    assert np.corrcoef(scores[1:], latent[1:])[0, 1] > 0.95


def test_noise_rarely_has_a_factor():
    found = [run_parallel_analysis(noise(seed=seed)).factors for seed in range(40)]
    assert np.mean(np.array(found) > 0) <= 0.15


def test_no_factor_is_refused():
    with pytest.raises(DataRefused, match="no factor lies behind q0, q1"):
        fit_factors(noise(seed=1), count=0)


@pytest.mark.parametrize("table", [noise(40, 4), noise(300, 2)])
def test_too_few_rows_or_items_are_refused(table):
    with pytest.raises(
        DataRefused, match=r"complete rows of \d items; factors need 50 rows of at least 3"
    ):
        fit_factors(table)


def test_an_item_that_never_varies_is_refused():
    with pytest.raises(DataRefused, match="q1: every answer is the same"):
        fit_factors(noise().assign(q1=3.0))
