import json

import numpy as np
import pytest

from models.evaluation.bootstrap import bootstrap
from models.evaluation.grade import evaluate_model, metric_names
from models.evaluation.metrics import METRICS

RNG = np.random.default_rng(0)
N = 400
Z = RNG.normal(size=N)
CHURN = (RNG.random(N) < 1 / (1 + np.exp(-2 * Z))).astype(float)
GOOD, POOR = 1 / (1 + np.exp(-2 * Z)), np.full(N, 0.5) + 0.001 * RNG.normal(size=N)
CUSTOMERS = np.repeat(np.arange(N // 2), 2)


def test_grade_a_when_the_interval_of_the_gain_excludes_zero():
    result = evaluate_model(
        "binary", CHURN, {"model": GOOD, "rule": POOR, "linear": POOR}, None, CUSTOMERS
    )
    assert result.grade == "A"
    assert result.gain.low > 0
    assert (result.rows, result.customers, result.primary) == (N, N // 2, "roc_auc")
    assert result.reason.startswith("better than the baseline rule, beyond chance: roc_auc 0.8")


def test_grade_b_within_the_noise_and_c_when_not_better():
    slightly = POOR.copy()
    slightly[np.argmax(CHURN)] = 0.9
    assert evaluate_model("binary", CHURN, {"model": slightly, "rule": POOR}).grade == "B"
    assert evaluate_model("binary", CHURN, {"model": POOR, "rule": POOR}).grade == "C"
    assert evaluate_model("binary", CHURN, {"model": POOR, "rule": GOOD}).grade == "C"


def test_a_model_that_does_not_beat_the_linear_one_gets_at_most_b():
    contestants = {"model": GOOD, "rule": POOR, "linear": GOOD}
    draw = evaluate_model("binary", CHURN, contestants, None, CUSTOMERS)
    assert draw.gain.low > 0
    assert draw.grade == "B"
    assert draw.reason.endswith("; not better than the linear model, so at most B: "
                                "+0.000 (+0.000 to +0.000)")  # fmt: skip
    worse = evaluate_model("binary", CHURN, {"model": POOR, "rule": GOOD, "linear": GOOD})
    assert worse.grade == "C"
    assert "linear" not in worse.reason


def test_the_interval_of_a_calibration_error_holds_the_error():
    rng = np.random.default_rng(1)
    p = rng.beta(1, 5, 1000)
    y = (rng.random(1000) < p).astype(float)
    error = evaluate_model("binary", y, {"model": p, "rule": p}).metrics["model"]["ece"]
    assert error.value == METRICS["ece"].function(y, p, None)
    assert error.low <= error.value <= error.high
    plain = bootstrap(METRICS["ece"].function, y, p)
    assert plain.low > error.value * 0.9  # the bootstrap alone is biased upwards


def test_smaller_errors_are_a_positive_gain():
    y = RNG.exponential(100, N)
    result = evaluate_model("regression", y, {"model": y * 1.1, "rule": y * 0})
    assert result.grade == "A"
    assert result.gain.value == pytest.approx(0.9 * y.mean())


def test_a_single_class_is_graded_c():
    result = evaluate_model("binary", np.ones(N), {"model": GOOD, "rule": POOR})
    assert result.grade == "C"
    assert "undefined" in result.reason
    assert json.loads(result.to_json())["metrics"]["model"]["roc_auc"]["value"] is None


@pytest.mark.parametrize("kind", ["multiclass", "ordinal"])
def test_class_targets_have_their_metrics(kind):
    p = RNG.dirichlet(np.ones(5), N)
    y = (RNG.random(N)[:, None] > p.cumsum(axis=1)).sum(axis=1).clip(0, 4)
    result = evaluate_model(kind, y, {"model": p, "rule": np.full((N, 5), 0.2)})
    assert result.grade == "A"
    assert ("dissatisfied_auc" in result.metrics["model"]) == (kind == "ordinal")
    assert result.table().index[0] == "multiclass_log_loss"


def test_the_table_is_compact_and_json_is_valid():
    result = evaluate_model(
        "binary", CHURN, {"model": GOOD, "rule": POOR, "linear": POOR}, np.ones(N)
    )
    table = result.table()
    assert list(table.columns) == ["better", "model", "rule", "linear"]
    assert max(len(line) for line in table.to_string().splitlines()) < 100
    content = json.loads(result.to_json())
    assert content["grade"] == "A"
    assert set(content["metrics"]["model"]) == set(metric_names("binary"))


def test_metric_names_start_with_the_primary_metric():
    for kind in ("binary", "multiclass", "ordinal", "regression"):
        names = metric_names(kind)
        assert all(kind in METRICS[name].kinds for name in names)
    with pytest.raises(ValueError, match="regression"):
        metric_names("ranking")


def test_predictions_of_another_length_or_not_finite_are_refused():
    with pytest.raises(ValueError, match="model: 3 predictions"):
        evaluate_model("binary", CHURN, {"model": GOOD[:3], "rule": POOR})
    bad = np.where(np.arange(N) == 2, np.nan, GOOD)
    with pytest.raises(ValueError, match="1 numbers not finite"):
        evaluate_model("binary", CHURN, {"model": bad, "rule": POOR})


def test_intervals_are_rows_by_contestant_and_undefined_ones_are_none():
    rows = evaluate_model("binary", np.ones(N), {"model": GOOD, "rule": POOR}).interval_rows()
    assert [*rows[0]] == ["measure", "contestant", "value", "low", "high", "better"]
    assert rows[0] == {
        "measure": "roc_auc", "contestant": "model", "value": None, "low": None, "high": None,
        "better": "high",
    }  # fmt: skip
    brier = [row for row in rows if row["measure"] == "brier"]
    assert [row["contestant"] for row in brier] == ["model", "rule"]
    assert all(row["low"] <= row["value"] <= row["high"] for row in brier)
    assert {row["better"] for row in brier} == {"low"}
    json.dumps(rows, allow_nan=False)
