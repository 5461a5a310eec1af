"""Reliability and calibration error by hand, and against simulated outcomes."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.calibration import calibration_curve

from models.evaluation.calibration_error import (
    ENOUGH_ROWS,
    calibration_error,
    calibration_error_by_segment,
    reliability_bins,
    weight_bins,
)
from models.evaluation.metrics import class_ece, expected_calibration_error


def drawn(p, seed):
    return (np.random.default_rng(seed).random(len(p)) < p).astype(float)


def classes_of(rows, seed):
    """Class probabilities and classes drawn from them."""
    rng = np.random.default_rng(seed)
    p = rng.dirichlet([1.0, 2.0, 3.0], rows)
    return (rng.random((rows, 1)) > np.cumsum(p, axis=1)[:, :-1]).sum(axis=1).astype(float), p


def test_two_bins_by_hand():
    table = reliability_bins(np.array([0.0, 1, 1, 1]), np.array([0.1, 0.3, 0.7, 0.9]), bins=2)
    assert table["predicted"].to_list() == pytest.approx([0.2, 0.8])
    assert table["observed"].to_list() == [0.5, 1.0]
    assert table["rows"].to_list() == [2, 2]


def test_bins_equal_those_of_scikit_learn_without_ties():
    p = np.random.default_rng(0).random(1000)
    y = drawn(p, 1)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    table = reliability_bins(y, p)
    np.testing.assert_allclose(table["predicted"], predicted, atol=1e-12)
    np.testing.assert_allclose(table["observed"], observed, atol=1e-12)


def test_wilson_intervals_depend_on_rows_and_not_on_the_scale_of_weights():
    y, p = np.tile([0.0, 0, 0, 1], 50), np.full(200, 0.25)
    table = reliability_bins(y, p)
    known = stats.binomtest(50, 200).proportion_ci(method="wilson")
    assert (table["low"][0], table["high"][0]) == pytest.approx((known.low, known.high), abs=1e-4)
    heavy = reliability_bins(y, p, np.full(200, 9.0))
    np.testing.assert_allclose(heavy, table)


@given(st.lists(st.sampled_from([0.1, 0.2, 0.5, 0.9]), min_size=1, max_size=60), st.integers(1, 12))
def test_every_row_is_in_one_bin_and_ties_share_it(scores, bins):
    p = np.array(scores)
    place = weight_bins(p, np.ones(len(p)), bins)
    assert place.min() >= 0
    assert place.max() < bins
    assert all(len(np.unique(place[p == score])) == 1 for score in p)
    assert (np.diff(place[np.argsort(p, kind="stable")]) >= 0).all()


@settings(max_examples=30, deadline=None)  # 500 simulations each
@given(st.integers(0, 30), st.booleans())
def test_the_error_equals_the_ece_metric(seed, weighted):
    y, p = classes_of(120, seed)
    w = np.random.default_rng(seed).uniform(0.5, 2, 120) if weighted else None
    assert calibration_error(y, p, w).error == pytest.approx(class_ece(y, p, w))
    case = (y == 2).astype(float)
    ece = expected_calibration_error(case, p[:, 2], w)
    assert calibration_error(case, p[:, 2], w).error == pytest.approx(ece)


@pytest.mark.slow
def test_perfect_probabilities_are_within_chance_in_95_percent():
    p = np.random.default_rng(9).beta(1, 5, 400)
    found = [calibration_error(drawn(p, seed), p) for seed in range(200)]
    beyond = sum(one.beyond_chance for one in found)
    assert stats.binomtest(beyond, 200, 0.05).pvalue > 0.001
    assert np.mean([one.error for one in found]) == pytest.approx(found[0].chance, rel=0.05)


def test_perfect_class_probabilities_show_the_expected_error():
    found = [calibration_error(*classes_of(300, seed)) for seed in range(60)]
    assert np.mean([f.error for f in found]) == pytest.approx(found[0].chance, rel=0.06)
    assert sum(f.beyond_chance for f in found) <= 9


def test_biased_probabilities_are_beyond_chance():
    p = np.random.default_rng(9).uniform(0.1, 0.5, 2000)
    wrong = calibration_error(drawn(p + 0.1, 1), p)
    assert wrong.error == pytest.approx(0.1, abs=0.02)
    assert wrong.beyond_chance
    assert wrong.surprise == pytest.approx(1 / 501)


def test_the_excess_of_perfect_probabilities_is_about_nothing_and_its_interval_holds_it():
    p = np.random.default_rng(9).beta(1, 5, 1000)
    found = [calibration_error(drawn(p, seed), p) for seed in range(25)]
    excess = np.array([one.excess for one in found])
    assert abs(excess.mean()) < 2.5 * excess.std() / 5
    assert all(one.excess_low <= one.excess <= one.excess_high for one in found)
    assert np.mean([one.excess_low <= 0 <= one.excess_high for one in found]) >= 0.92
    assert all(one.interval.low <= one.error <= one.interval.high for one in found)


def test_a_gap_far_beyond_chance_is_the_excess():
    p = np.random.default_rng(9).uniform(0.1, 0.5, 20_000)
    wrong = calibration_error(drawn(p + 0.1, 1), p)
    assert wrong.excess == pytest.approx(0.1 - wrong.chance, abs=0.01)
    assert wrong.excess_low > 0.08
    assert "The excess over chance is 9." in wrong.describe()


def test_rows_of_one_customer_that_err_together_make_chance_larger():
    p = np.random.default_rng(9).uniform(0.1, 0.5, 500)
    y = drawn(p, 1)
    alone = calibration_error(y, p)
    four = calibration_error(y.repeat(4), p.repeat(4), groups=np.arange(500).repeat(4))
    # Four copies of a customer tell no more than one: the same error, and the same chance.
    assert four.error == pytest.approx(alone.error, rel=0.05)
    assert four.chance == pytest.approx(alone.chance, rel=0.05)
    apart = calibration_error(y.repeat(4), p.repeat(4))
    assert apart.chance == pytest.approx(alone.chance / 2, rel=0.1)


def test_chance_is_reproducible_and_larger_on_fewer_rows():
    p = np.random.default_rng(9).random(2000)
    y = drawn(p, 1)
    assert calibration_error(y, p, seed=3) == calibration_error(y, p, seed=3)
    few, many = calibration_error(y[:200], p[:200]), calibration_error(y, p)
    assert few.chance > 2 * many.chance


def test_large_segments_are_evaluated_and_the_biased_one_is_found():
    rows = 2 * ENOUGH_ROWS + 10
    region = np.array(["north"] * ENOUGH_ROWS + ["south"] * ENOUGH_ROWS + ["far"] * 10)
    p = np.random.default_rng(9).uniform(0.1, 0.4, rows)
    y = drawn(np.where(region == "south", p + 0.3, p), 1)
    features = pa.table({"crm_region": pa.array(region).dictionary_encode()})
    north, south = calibration_error_by_segment(features, y, p)
    assert (north.name, north.rows, north.beyond_chance) == ("region: north", ENOUGH_ROWS, False)
    assert (south.name, south.rows, south.beyond_chance) == ("region: south", ENOUGH_ROWS, True)
