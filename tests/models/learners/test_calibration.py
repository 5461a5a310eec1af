import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataRefused
from models.evaluation.metrics import expected_calibration_error, log_loss, multiclass_log_loss
from models.learners.calibration import Calibrator


def overconfident(rows, seed=0):
    """True log odds, overconfident predictions (twice the log odds), outcomes."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(size=rows) - 0.5
    y = (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(float)
    return 1 / (1 + np.exp(-2 * odds)), y


def overconfident_classes(rows, k=4, seed=0):
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.ones(k), rows)
    y = (rng.random(rows)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, k - 1)
    sure = true**2.5
    return sure / sure.sum(axis=1, keepdims=True), y.astype(float)


@pytest.mark.parametrize("rows", [800, 6000])
def test_overconfidence_is_corrected(rows):
    calibrator = Calibrator.fit("binary", *overconfident(rows))
    assert calibrator.method == "platt"  # isotonic steps would create ties, even with many rows
    p, y = overconfident(20_000, seed=1)
    assert log_loss(y, calibrator.apply(p)) < log_loss(y, p) - 0.02
    assert expected_calibration_error(y, calibrator.apply(p)) < 0.03


def test_platt_recovers_a_known_slope():
    calibrator = Calibrator.fit("binary", *overconfident(2000))
    assert calibrator.parameters["slope"][0] == pytest.approx(0.5, abs=0.1)
    assert calibrator.parameters["shift"][0] == pytest.approx(0.0, abs=0.15)


def test_classes_are_calibrated_and_sum_to_one():
    calibrator = Calibrator.fit("multiclass", *overconfident_classes(1500))
    assert calibrator.method == "vector"
    np.testing.assert_allclose(calibrator.parameters["slope"], 0.4, atol=0.1)
    p, y = overconfident_classes(5000, seed=1)
    better = calibrator.apply(p)
    np.testing.assert_allclose(better.sum(axis=1), 1)
    assert multiclass_log_loss(y, better) < multiclass_log_loss(y, p) - 0.1


def test_calibrated_predictions_stay_unchanged():
    rng = np.random.default_rng(3)
    kept = 0
    for _ in range(10):
        p = rng.random(400)
        kept += Calibrator.fit("binary", p, (rng.random(400) < p) * 1.0).method == "identity"
    assert kept >= 5


def test_a_reversed_ranking_is_not_inverted():
    p, y = overconfident(800)
    assert Calibrator.fit("binary", 1 - p, y).method == "identity"


def test_a_class_with_too_few_rows_is_not_calibrated():
    p, y = overconfident(200)
    y[:] = 0
    y[:9] = 1
    assert Calibrator.fit("binary", p, y).method == "identity"
    classes, outcome = overconfident_classes(200)
    assert Calibrator.fit("multiclass", classes, np.minimum(outcome, 2)).method == "identity"


def test_values_are_scaled_to_the_actual_mean():
    rng = np.random.default_rng(0)
    p = np.exp(rng.normal(size=500))
    y = p * 3 * np.exp(rng.normal(size=500) * 0.3)
    calibrator = Calibrator.fit("regression", p, y)
    assert calibrator.method == "scale"
    assert calibrator.apply(p).mean() == pytest.approx(y.mean())
    assert Calibrator.fit("regression", p, -y).method == "identity"
    assert Calibrator.fit("regression", p[:20], y[:20]).method == "identity"


def test_weights_count():
    p, y = overconfident(1000)
    w = np.where(y == 1, 3.0, 1.0)
    plain, heavy = Calibrator.fit("binary", p, y), Calibrator.fit("binary", p, y, w)
    assert heavy.apply(p).mean() > plain.apply(p).mean() + 0.1


#: As stored in models of older versions; isotonic calibration is no longer fitted.
STEPS = Calibrator("binary", "isotonic", {"x": [0.1, 0.4, 0.8], "y": [0.05, 0.05, 0.6]})
CALIBRATORS = [Calibrator("binary"), Calibrator.fit("binary", *overconfident(800)), STEPS]


def test_isotonic_calibration_of_older_models_still_applies():
    answer = STEPS.apply(np.array([0.0, 0.1, 0.3, 0.6, 0.8, 1.0]))
    np.testing.assert_allclose(answer, [0.05, 0.05, 0.05, 0.325, 0.6, 0.6])


def test_calibration_does_not_create_ties():
    p = np.sort(np.random.default_rng(4).uniform(0.001, 0.999, 2000))
    assert (np.diff(CALIBRATORS[1].apply(p)) > 0).all()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30), st.sampled_from(CALIBRATORS))
def test_calibration_is_monotone_and_strictly_between_0_and_1(p, calibrator):
    answer = calibrator.apply(np.sort(p))
    assert (np.diff(answer) >= 0).all()
    assert ((answer > 0) & (answer < 1)).all()


VECTOR = Calibrator.fit("ordinal", *overconfident_classes(1500, k=5))


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.sampled_from([VECTOR, Calibrator("ordinal")]))
def test_calibrated_class_probabilities_sum_to_one(seed, calibrator):
    p = np.random.default_rng(seed).dirichlet(np.full(5, 0.05), 20)
    answer = calibrator.apply(p)
    assert ((answer > 0) & (answer < 1)).all()
    np.testing.assert_allclose(answer.sum(axis=1), 1)


@pytest.mark.parametrize(
    "calibrator", [*CALIBRATORS, VECTOR, Calibrator("regression", "scale", {"factor": [2.0]})]
)
def test_json_round_trip(calibrator):
    assert Calibrator.from_json(calibrator.to_json()) == calibrator


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"kind": "binary"}',
        '{"kind": "binary", "method": "magic", "parameters": null}',
        '{"kind": "binary", "method": "platt", "parameters": {"slope": [1]}}',
    ],
)
def test_other_json_is_refused(text):
    with pytest.raises(DataRefused, match=r"calibrator\.json"):
        Calibrator.from_json(text)


def test_predictions_that_are_not_numbers_are_refused():
    with pytest.raises(DataRefused, match="1 not finite"):
        Calibrator.fit("binary", np.array([0.5, np.nan]), np.array([0, 1]))
