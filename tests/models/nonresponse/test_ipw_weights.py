"""Inverse probability weights: clipping, stabilisation, effective size and covariate balance."""

import numpy as np
import pyarrow as pa
import pytest

from models.nonresponse.ipw_weights import LOWEST_PROPENSITY, covariate_balance, stabilised_weights


def test_a_weight_is_the_response_rate_divided_by_the_propensity() -> None:
    answered = np.array([True, True, False, False])
    found = stabilised_weights(answered, np.array([0.5, 0.25, 0.9, 0.1]), np.ones(4))
    assert found.weight.tolist() == [1.0, 2.0, 0.0, 0.0]
    assert found.clipped == 0
    assert found.effective_size == pytest.approx(9 / 5)


def test_the_surveys_own_weights_multiply() -> None:
    found = stabilised_weights(np.array([True, False]), np.array([0.5, 0.5]), np.array([3.0, 1.0]))
    assert found.weight.tolist() == [3.0 * 0.75 / 0.5, 0.0]


def test_low_propensities_are_clipped_and_counted() -> None:
    answered = np.array([True, True, False])
    found = stabilised_weights(answered, np.array([0.001, 0.5, 0.0]), np.ones(3))
    assert found.clipped == 2
    assert found.propensity.tolist() == [LOWEST_PROPENSITY, 0.5, LOWEST_PROPENSITY]
    assert found.weight[0] == pytest.approx(2 / 3 / LOWEST_PROPENSITY)


def test_true_weights_balance_the_covariates() -> None:
    rng = np.random.default_rng(0)
    cause = rng.normal(size=20_000)
    propensity = 1 / (1 + np.exp(1 - cause))
    answered = rng.random(20_000) < propensity
    region = np.where(cause > 0, "north", "south")
    gaps = np.where(cause > 1, np.nan, cause)
    features = pa.table({"cause": cause, "region": region, "gaps": gaps, "same": np.ones(20_000)})
    weights = stabilised_weights(answered, propensity, np.ones(20_000))
    found = covariate_balance(features, np.ones(20_000), 1.0 * answered, weights.weight)
    assert set(found.columns) == {
        "cause", "region = north", "region = south", "gaps", "gaps missing"
    }  # fmt: skip
    before = dict(zip(found.columns, found.before, strict=True))
    after = dict(zip(found.columns, found.after, strict=True))
    expected = (cause[answered].mean() - cause.mean()) / cause.std()
    assert before["cause"] == pytest.approx(expected)
    assert before["cause"] > 0.4
    assert before["region = north"] == pytest.approx(-before["region = south"])
    assert max(abs(v) for v in after.values()) < 0.05
    assert found.worst(1)[0][0] == "cause"
