import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as oracle

from models.evaluation import metrics

NAN = float("nan")
Y = np.array([0.0, 0, 1, 1, 0, 1])
P = np.array([0.1, 0.4, 0.4, 0.8, 0.3, 0.9])


@st.composite
def binary(draw):
    """Labels with both classes, predictions with ties, weights."""
    n = draw(st.integers(4, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    y = rng.integers(0, 2, n).astype(float)
    y[:2] = 0, 1
    levels = draw(st.integers(2, 12))
    return y, rng.integers(1, levels + 1, n) / (levels + 1), rng.random(n) + 0.1


def exactly(value):
    """Equal up to rounding: 1e-12, relative to the value where it exceeds 1."""
    return pytest.approx(value, rel=1e-12, abs=1e-12)


@given(binary())
def test_binary_metrics_equal_scikit_learn(rows):
    y, p, w = rows
    for ours, theirs in (
        (metrics.roc_auc, oracle.roc_auc_score),
        (metrics.pr_auc, oracle.average_precision_score),
        (metrics.log_loss, oracle.log_loss),
        (metrics.brier, oracle.brier_score_loss),
    ):
        assert ours(y, p) == exactly(theirs(y, p))
        assert ours(y, p, w) == exactly(theirs(y, p, sample_weight=w))


@given(binary())
def test_an_integer_weight_counts_as_that_many_rows(rows):
    y, p, w = rows
    times = np.ceil(w * 3).astype(int)
    for name in ("roc_auc", "pr_auc", "log_loss", "brier", "ece", "lift_10", "capture_10", "mae"):
        function = metrics.METRICS[name].function
        repeated = function(np.repeat(y, times), np.repeat(p, times))
        assert function(y, p, times.astype(float)) == pytest.approx(repeated), name


@given(binary(), st.integers(0, 100))
def test_the_order_of_the_rows_does_not_matter(rows, seed):
    y, p, w = rows
    mixed = np.random.default_rng(seed).permutation(len(y))
    for name in ("roc_auc", "pr_auc", "ece", "lift_10", "spearman"):
        function = metrics.METRICS[name].function
        expected = function(y, p, w)
        assert function(y[mixed], p[mixed], w[mixed]) == pytest.approx(expected, nan_ok=True)


def test_auc_counts_pairs():
    pairs = [(a, b) for a in P[Y == 1] for b in P[Y == 0]]
    right = sum((a > b) + (a == b) / 2 for a, b in pairs)
    assert metrics.roc_auc(Y, P) == pytest.approx(right / len(pairs))


def test_capture_and_lift_by_hand():
    y = np.array([0.0] * 18 + [30, 70])
    p = np.arange(20) / 20
    assert metrics.capture(y, p) == pytest.approx(1.0)
    assert metrics.lift(y, p) == pytest.approx(10.0)
    assert metrics.capture(y, -p) == 0
    assert metrics.capture(y, np.zeros(20)) == pytest.approx(0.1)  # all tied: 10% of the total
    p[[18, 0]] = 0.0, 0.98  # the row with 30 is no longer in the top two
    assert metrics.capture(y, p) == pytest.approx(0.7)


def test_calibration_error_by_hand():
    y = np.array([0.0] * 8 + [1, 1])
    assert metrics.expected_calibration_error(y, np.full(10, 0.2)) == pytest.approx(0)
    assert metrics.expected_calibration_error(y, np.full(10, 0.5)) == pytest.approx(0.3)
    y = np.repeat([0.0, 1.0], 15)
    assert metrics.expected_calibration_error(y, np.repeat([0.1, 0.7], 15)) == pytest.approx(0.2)


@given(st.integers(0, 1000), st.integers(2, 5), st.integers(0, 200))
@settings(deadline=None)  # scikit-learn is slow the first time
def test_class_metrics_equal_scikit_learn(seed, k, more):
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(k), rng.integers(0, k, more)])
    p, w = rng.dirichlet(np.ones(k), len(y)), rng.random(len(y)) + 0.1
    loss = oracle.log_loss(y, p, sample_weight=w)
    assert metrics.multiclass_log_loss(y, p, w) == exactly(loss)
    correct = oracle.accuracy_score(y, p.argmax(axis=1), sample_weight=w)
    assert metrics.accuracy(y, p, w) == exactly(correct)
    each = [oracle.roc_auc_score(y == c, p[:, c], sample_weight=w) for c in range(k)]
    assert metrics.macro_auc(y, p, w) == exactly(np.mean(each))
    level = np.floor(p @ np.arange(k) + 0.5).astype(int)
    kappa = oracle.cohen_kappa_score(y, level, weights="quadratic", sample_weight=w)
    assert metrics.quadratic_kappa(y, p, w) == exactly(kappa)


@given(st.integers(0, 1000), st.integers(2, 5))
def test_class_ece_is_the_mean_over_classes(seed, k):
    rng = np.random.default_rng(seed)
    y, p, w = rng.integers(0, k, 30), rng.dirichlet(np.ones(k), 30), rng.random(30) + 0.1
    each = [metrics.expected_calibration_error(1.0 * (y == c), p[:, c], w) for c in range(k)]
    assert metrics.class_ece(y, p, w) == pytest.approx(np.mean(each))


@given(st.integers(0, 1000), st.integers(1, 200), st.floats(1e-3, 1e6))
def test_value_metrics_equal_scikit_learn(seed, rows, scale):
    rng = np.random.default_rng(seed)
    y, p = scale * rng.integers(0, 9, rows).astype(float), scale * rng.integers(0, 9, rows) / 2
    w = rng.random(rows) + 0.1
    assert metrics.mae(y, p, w) == exactly(oracle.mean_absolute_error(y, p, sample_weight=w))
    assert metrics.rmse(y, p, w) == exactly(oracle.root_mean_squared_error(y, p, sample_weight=w))


@given(st.integers(0, 1000))
def test_spearman_equals_scipy(seed):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 9, 30).astype(float), rng.integers(0, 9, 30) / 2
    assert metrics.spearman(y, p, rng.random(30)) == pytest.approx(stats.spearmanr(y, p).statistic)


def test_satisfaction_metrics_by_hand():
    p = np.array([[0, 0, 0, 0, 1.0], [0.5, 0, 0, 0, 0.5], [0, 1, 0, 0, 0]])
    y = np.array([3.0, 2, 0])
    assert metrics.score_mae(y, p) == pytest.approx((25 + 0 + 25) / 3)
    assert metrics.dissatisfied_auc(y, p) == 1
    assert metrics.score_spearman(y, p) == pytest.approx(1)


def test_undefined_metrics_are_nan():
    one, p = np.ones(4), np.linspace(0.1, 0.4, 4)
    assert np.isnan(metrics.roc_auc(one, p))
    assert np.isnan(metrics.pr_auc(one, p))
    assert np.isnan(metrics.capture(one * 0, p))
    assert np.isnan(metrics.spearman(one, p))
    assert np.isnan(metrics.macro_auc(one, np.full((4, 3), 1 / 3)))
    assert np.isnan(metrics.quadratic_kappa(one, np.tile([0, 1.0, 0], (4, 1))))
    for metric in metrics.METRICS.values():
        classes = not {"binary", "regression"} & set(metric.kinds)
        assert np.isnan(metric.function(np.empty(0), np.empty((0, 3) if classes else 0), None))


def test_every_kind_has_its_primary_metric():
    for kind, name in metrics.PRIMARY.items():
        assert kind in metrics.METRICS[name].kinds
