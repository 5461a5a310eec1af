"""Descriptives, correlations and reliability of survey items, against closed forms and scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal

from features.errors import DataRefused
from insight.satisfaction.psychometrics import (
    _bivariate_normal_cdf,
    correlate_items,
    cronbach_alpha,
    describe_items,
    partial_correlations,
    polychoric_correlation,
)


def latent(rho, rows=4000, seed=0):
    return np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], rows).T


def test_descriptives_match_a_hand_calculation():
    table = describe_items(pd.DataFrame({"q": [1.0, 2.0, 2.0, 5.0, np.nan]})).loc["q"]
    assert table[["answers", "missing", "mean", "median"]].tolist() == [4, 1, 2.5, 2.0]
    assert table["sd"] == pytest.approx(np.sqrt(3))
    assert (table["floor"], table["ceiling"]) == (0.25, 0.25)


@pytest.mark.parametrize("rho", [-0.95, -0.3, 0.0, 0.6, 0.9])
def test_the_bivariate_normal_cdf_matches_scipy(rho):
    h, k = np.array([-1.2, 0.0, 0.7]), np.array([-0.4, 1.5])
    ours = _bivariate_normal_cdf(h[:, None], k[None, :], rho)
    theirs = [[multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([a, b]) for b in k] for a in h]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("agree", [60, 75, 90, 30])
def test_median_splits_match_sheppards_formula(agree):
    """Both cut at the median: rho = sin(pi / 2 (share that agrees - share that does not))."""
    first = np.repeat([0.0, 1.0], 100)
    second = np.r_[
        np.repeat([0.0, 1.0], [agree, 100 - agree]), np.repeat([1.0, 0.0], [agree, 100 - agree])
    ]
    expected = np.sin(np.pi / 2 * (2 * agree - 100) / 100)
    assert polychoric_correlation(first, second) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("rho", [0.7, -0.4])
def test_few_uneven_options_do_not_shrink_the_correlation(rho):
    x, y = latent(rho)
    first, second = np.digitize(x, [-1.5, 0.5]) + 1.0, np.digitize(y, [-1.8, -1.2, -0.8, 0.2]) + 1.0
    assert polychoric_correlation(first, second) == pytest.approx(rho, abs=0.04)
    assert abs(np.corrcoef(first, second)[0, 1]) < abs(rho) - 0.06


@pytest.mark.parametrize("method", ["spearman", "kendall"])
def test_rank_correlations_match_pandas(method):
    table = pd.DataFrame(np.digitize(latent(0.5), [-1, 0, 1]).T.astype(float), columns=["a", "b"])
    assert correlate_items(table, method).loc["a", "b"] == table["a"].corr(
        table["b"], method=method
    )


def test_an_indefinite_matrix_is_made_positive_definite():
    """a agrees with b and b with c, but a and c disagree on the rows that answer both."""
    rng = np.random.default_rng(4)
    x = rng.integers(1, 6, 300).astype(float)
    table = pd.DataFrame({"a": x, "b": x, "c": x})
    table.loc[:99, "c"] = np.nan
    table.loc[100:199, "a"] = np.nan
    table.loc[200:, "b"] = np.nan
    table.loc[200:, "c"] = 6 - table.loc[200:, "a"]
    found = correlate_items(table)
    assert np.linalg.eigvalsh(found.to_numpy())[0] > -1e-9
    np.testing.assert_allclose(np.diag(found), 1.0)


def test_partial_correlation_matches_the_textbook_formula():
    r = pd.DataFrame([[1, 0.6, 0.5], [0.6, 1, 0.4], [0.5, 0.4, 1]], list("abc"), list("abc"))
    expected = (0.6 - 0.5 * 0.4) / np.sqrt((1 - 0.25) * (1 - 0.16))
    assert partial_correlations(r).loc["a", "b"] == pytest.approx(expected)


def test_a_linearly_dependent_item_has_no_partial_correlation():
    r = pd.DataFrame(np.ones((2, 2)), list("ab"), list("ab"))
    with pytest.raises(DataRefused, match="an item follows from the others"):
        partial_correlations(r)


def parallel_items(rows, seed):
    """Four items with equal true-score and noise variance: alpha is 4 * .5 / (1 + 3 * .5) = .8."""
    rng = np.random.default_rng(seed)
    table = rng.normal(size=(rows, 1)) + rng.normal(size=(rows, 4))
    return pd.DataFrame(table, columns=list("abcd"))


def test_alpha_of_parallel_items_matches_spearman_brown():
    found = cronbach_alpha(parallel_items(20_000, 0))
    assert found.alpha.value == pytest.approx(0.8, abs=0.005)
    assert found.without["a"] == pytest.approx(0.75, abs=0.01)


def test_alpha_matches_pingouin():
    """Values of pingouin 0.7.0 for the same table."""
    found = cronbach_alpha(parallel_items(40, 7).round(2))
    assert found.alpha.value == pytest.approx(0.78683225, abs=1e-6)
    assert (found.alpha.low, found.alpha.high) == pytest.approx((0.654, 0.877), abs=1e-3)


def test_the_interval_of_alpha_covers_95_percent():
    found = [cronbach_alpha(parallel_items(60, seed)).alpha for seed in range(300)]
    assert 0.92 <= np.mean([one.low <= 0.8 <= one.high for one in found]) <= 0.98


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"a": [1.0] * 40, "b": range(40)}), "a: every answer is the same"),
        (pd.DataFrame({"a": range(9), "b": range(9)}), "9 complete rows of 2 items"),
        (pd.DataFrame({"a": range(40)}), "40 complete rows of 1 items"),
    ],
)
def test_too_few_answers_for_reliability_are_refused(table, message):
    with pytest.raises(DataRefused, match=message):
        cronbach_alpha(table)


def test_too_few_common_answers_and_too_many_options_are_refused():
    table = pd.DataFrame({"a": np.arange(60.0), "b": np.r_[np.arange(29.0), np.full(31, np.nan)]})
    with pytest.raises(DataRefused, match="29 rows answer both a and b"):
        correlate_items(table)
    with pytest.raises(DataRefused, match=r"60 different answers; .* take spearman"):
        correlate_items(pd.DataFrame({"a": np.arange(60.0), "b": np.arange(60.0)}))
