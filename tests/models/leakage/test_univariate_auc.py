"""The univariate AUC against independent oracles."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import rankdata, spearmanr
from sklearn.metrics import roc_auc_score

from models.leakage import univariate_auc

VALUES = arrays(np.float64, (3, 30), elements=st.sampled_from([0.0, 1.0, 2.5, -4.0, 7.0]))


@given(VALUES)
def test_ranks_are_those_of_scipy(values):
    expected = (rankdata(values, axis=1) - 1) / 29
    assert np.allclose(univariate_auc.rank_rows(values), expected)


def test_missing_values_are_lowest():
    assert univariate_auc.rank_rows(np.array([[5.0, np.nan, -9.0]])).tolist() == [[1.0, 0.0, 0.5]]


@given(VALUES, st.integers(0, 10_000))
def test_two_classes_give_the_auc_of_scikit_learn(values, seed):
    label = np.random.default_rng(seed).permutation(np.repeat([0.0, 1.0], [20, 10]))
    expected = [roc_auc_score(label, row) for row in values]
    assert np.allclose(
        univariate_auc.signed_auc(univariate_auc.rank_rows(values), label, 2), expected
    )


def test_values_give_the_rank_correlation():
    rng = np.random.default_rng(1)
    values, label = rng.normal(size=(2, 50)), rng.normal(size=50)
    expected = [(1 + spearmanr(row, label)[0]) / 2 for row in values]
    assert np.allclose(
        univariate_auc.signed_auc(univariate_auc.rank_rows(values), label, 0), expected
    )


def test_several_classes_give_the_auc_of_the_class_predicted_best():
    label = np.repeat([0.0, 1.0, 2.0], 10)
    middle = (label == 1).astype(float)
    assert univariate_auc.signed_auc(univariate_auc.rank_rows(middle[None, :]), label, 3)[
        0
    ] == pytest.approx(1.0)
    assert np.isnan(
        univariate_auc.signed_auc(
            univariate_auc.rank_rows(middle[None, :]), np.r_[label[:13], [0.0] * 17], 2
        )[0]
    )


def test_target_encoding_uses_the_other_half_of_the_customers():
    """A text of a single customer predicts nothing, however well it matches their label."""
    texts = pa.chunked_array([[f"only {i}" for i in range(40)]])
    label = np.arange(40.0) % 2
    own = univariate_auc.target_encode(texts, label, np.arange(40) // 2)
    assert len(np.unique(own)) <= 2
    shared = pa.chunked_array([["good", "bad"] * 20])
    encoded = univariate_auc.target_encode(shared, label, np.arange(40) // 2)
    assert encoded[1] > 0.8
    assert encoded[0] < 0.2


@pytest.mark.parametrize(("auc", "odds"), [(0.5, 0.0), (0.9, 2.197), (0.1, 2.197), (1.0, 3.476)])
def test_log_odds_ignore_direction_and_are_capped(auc, odds):
    assert univariate_auc.log_odds(np.array([auc]))[0] == pytest.approx(odds, abs=1e-3)


def test_the_standard_error_equals_the_spread_of_repeated_draws():
    rng = np.random.default_rng(3)
    label = np.repeat([0.0, 1.0], [270, 30])
    draws = rng.normal(size=(800, 300)) + 1.2 * label
    found = univariate_auc.signed_auc(univariate_auc.rank_rows(draws), label, 2)
    error = univariate_auc.log_odds_error(np.array([found.mean()]), label, 2)[0]
    assert error == pytest.approx(univariate_auc.log_odds(found).std(), rel=0.5)


def test_residual_correlation_given_what_is_known():
    rng = np.random.default_rng(2)
    past, hidden, noise = rng.normal(size=(3, 400))
    label = past + hidden
    ranked = univariate_auc.rank_rows(np.stack([past, hidden, noise, label]))
    found, error = univariate_auc.residual_correlation(ranked[1:3], ranked[:1], ranked[3])
    assert found[0] > 0.9
    assert abs(found[1]) < 4 * error
    assert error == pytest.approx(1 / 20, rel=0.01)
