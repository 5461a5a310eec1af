import numpy as np
import pytest

from models.evaluation.bootstrap import bootstrap, paired_difference
from models.evaluation.metrics import mae, roc_auc


def mean(y, prediction, weight=None):
    return float(np.average(prediction, weights=weight))


def test_the_interval_of_a_mean_agrees_with_the_normal_approximation():
    x = np.random.default_rng(0).normal(size=400)
    interval = bootstrap(mean, x, x, n=2000)
    half = 1.96 * x.std() / 20
    assert interval.value == pytest.approx(x.mean())
    assert interval.low == pytest.approx(x.mean() - half, abs=0.01)
    assert interval.high == pytest.approx(x.mean() + half, abs=0.01)


def test_customers_are_resampled_as_a_whole():
    x = np.repeat(np.random.default_rng(0).normal(size=40), 25)
    groups = np.repeat([f"c{i}" for i in range(40)], 25)
    rows, customers = bootstrap(mean, x, x), bootstrap(mean, x, x, groups=groups)
    # 25 copies of a customer add no information: the interval is 5 times as wide.
    ratio = (customers.high - customers.low) / (rows.high - rows.low)
    assert 4 < ratio < 6


def test_intervals_are_reproducible_and_use_weights():
    rng = np.random.default_rng(1)
    y, p, w = rng.integers(0, 2, 80).astype(float), rng.random(80), rng.random(80)
    assert bootstrap(roc_auc, y, p, w, seed=4) == bootstrap(roc_auc, y, p, w, seed=4)
    assert bootstrap(roc_auc, y, p, w).value == roc_auc(y, p, w)
    assert bootstrap(roc_auc, y, p, w, seed=4) != bootstrap(roc_auc, y, p, w, seed=5)


def test_a_paired_difference_is_tighter_than_two_intervals():
    rng = np.random.default_rng(2)
    y = rng.normal(size=500) * 100
    first, second = y + rng.normal(size=500) * 50, y + rng.normal(size=500)
    second = first + 1.0 + 0 * second
    gap = paired_difference(mean, y, second, first)
    assert (gap.low, gap.high) == (pytest.approx(1), pytest.approx(1))
    assert paired_difference(mae, y, first, first).value == 0


def test_undefined_resamples_are_ignored_and_undefined_metrics_stay_nan():
    y, p = np.array([0.0, 0, 0, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    interval = bootstrap(roc_auc, y, p)
    assert (interval.value, interval.low, interval.high) == (1, 1, 1)
    nothing = bootstrap(roc_auc, y * 0, p)
    assert all(np.isnan([nothing.value, nothing.low, nothing.high]))
    assert np.isnan(bootstrap(roc_auc, np.empty(0), np.empty(0)).value)
