import numpy as np
import pyarrow as pa
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from features.errors import DataRefused
from models.learners import baselines
from models.learners.labelled_rows import LabelledRows

NAN = float("nan")
RNG = np.random.default_rng(0)
ROWS = 400


def table(**columns):
    return pa.table({name: pa.array(values) for name, values in columns.items()})


def test_recency_is_monotone_and_missing_has_its_own_level():
    days = RNG.exponential(60, ROWS)
    gone = (RNG.random(ROWS) < days / (days + 60)).astype(float)
    days[:100], gone[:100] = NAN, np.arange(100) < 90
    rule = baselines.recency_rule("days").fit(LabelledRows(table(days=days), gone))
    answer = rule.predict(table(days=[0.0, 10.0, 100.0, 1000.0, NAN]))
    assert (np.diff(answer[:4]) > 0).all()
    assert answer[4] == pytest.approx(0.9, abs=0.02)
    assert rule.predict(table(days=pa.array([], pa.float64()))).shape == (0,)


def test_repeat_rule_repeats_the_last_period_and_missing_is_zero():
    train = LabelledRows(table(revenue=RNG.random(60)), RNG.random(60))
    rule = baselines.repeat_rule("revenue").fit(train)
    np.testing.assert_array_equal(rule.predict(table(revenue=[3.5, -2, NAN])), [3.5, -2, 0])


def test_prior_rule_predicts_the_training_average():
    features = table(a=RNG.random(80))
    y = np.arange(80) % 4 % 3
    shares = baselines.prior_rule("multiclass", 3).fit(LabelledRows(features, y)).predict(features)
    assert shares.shape == (80, 3)
    np.testing.assert_allclose(shares[0], [0.5, 0.25, 0.25], atol=0.01)
    binary = baselines.prior_rule("binary").fit(LabelledRows(features, (y == 0) * 1.0))
    assert binary.predict(features) == pytest.approx(np.full(80, 0.5))
    mean = baselines.prior_rule("regression").fit(LabelledRows(features, y, np.arange(80)))
    assert mean.predict(features)[0] == pytest.approx(np.average(y, weights=np.arange(80)))


def test_last_answer_as_classes_predicts_the_distribution_after_it():
    last = np.repeat([0.0, 100.0, 49.0, NAN], 100)
    y = np.repeat([0, 4, 2, 1], 100)
    y[::50] = 3
    rule = baselines.last_answer_rule("last", "multiclass", 5).fit(
        LabelledRows(table(last=last), y)
    )
    shares = rule.predict(table(last=[0.0, 100, 51, NAN, 75]))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert list(shares.argmax(axis=1)[:3]) == [0, 4, 2]
    prior = np.bincount(y, minlength=5) / 400
    np.testing.assert_allclose(shares[3], prior, atol=0.002)
    np.testing.assert_allclose(shares[4], prior, atol=0.002)  # no customer had answered 75
    assert shares[0, 0] == pytest.approx((98 + 20 * prior[0]) / 120, abs=0.001)


def test_last_answer_as_a_score_is_repeated():
    train = LabelledRows(table(last=RNG.random(60)), np.full(60, 70.0))
    rule = baselines.last_answer_rule("last", "regression").fit(train)
    np.testing.assert_allclose(rule.predict(table(last=[25.0, NAN])), [25, 70])


def everything(rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    sector = rng.choice(["a", "b", "c"], rows)
    features = pa.table(
        {
            "customer_id": [str(i) for i in range(rows)],
            "x": np.where(rng.random(rows) < 0.2, NAN, x),
            "flat": np.ones(rows),
            "sector": pa.array(sector).dictionary_encode(),
        }
    )
    return features, np.nan_to_num(features["x"].to_numpy()) + 2 * (sector == "b")


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_linear_model_recovers_linear_data(kind):
    (features, score), (later, truth) = everything(ROWS, 1), everything(200, 2)
    cut = {"binary": [1.0], "multiclass": [0.0, 1.5], "regression": []}[kind]
    y = np.digitize(score, cut).astype(float) if cut else score
    rule = baselines.linear_model(kind, 3 if kind == "multiclass" else 1)
    answer = rule.fit(LabelledRows(features, y, np.ones(ROWS))).predict(later)
    if kind == "regression":
        assert np.corrcoef(answer, truth)[0, 1] > 0.99
        assert rule.fit(LabelledRows(features, y)).predict(later.slice(0, 0)).shape == (0,)
    elif kind == "binary":
        assert roc_auc_score(truth > 1, answer) > 0.97
    else:
        assert answer.shape == (200, 3)
        assert (answer.argmax(axis=1) == np.digitize(truth, cut)).mean() > 0.85
        assert rule.fit(LabelledRows(features, y)).predict(later.slice(0, 0)).shape == (0, 3)


def test_linear_model_equals_scikit_learn_on_standardized_columns():
    x = RNG.normal(5, 3, ROWS).clip(-9, 19)
    y = (x + RNG.normal(size=ROWS) * 3 > 5).astype(float)
    answer = baselines.linear_model("binary").fit(LabelledRows(table(x=x), y)).predict(table(x=x))
    z = ((x - x.mean()) / x.std())[:, None]
    theirs = LogisticRegression().fit(z, y).predict_proba(z)[:, 1]
    np.testing.assert_allclose(answer, theirs, atol=1e-3)


def test_linear_model_with_unknown_categories_and_with_categories_only():
    sector = pa.array(["a", "b"] * 30).dictionary_encode()
    y = np.tile([0.0, 1.0], 30)
    rule = baselines.linear_model("binary").fit(LabelledRows(pa.table({"s": sector}), y))
    answer = rule.predict(pa.table({"s": pa.array(["a", "b", "new", None])}))
    assert answer[0] < 0.2 < answer[2] == answer[3] < 0.8 < answer[1]


def test_missing_columns_and_bad_labels_are_refused():
    features = table(a=RNG.random(60))
    with pytest.raises(DataRefused, match=r"recency needs the columns \['days'\]"):
        baselines.recency_rule("days").fit(LabelledRows(features, np.arange(60) % 2))
    with pytest.raises(DataRefused, match="60 of class 0"):
        baselines.prior_rule("binary").fit(LabelledRows(features, np.zeros(60)))


def test_the_best_single_column_is_the_one_whose_groups_differ_most():
    """One of three columns decides: its groups have shares of 1/10 and 9/10."""
    n = 2000
    plan = np.where(np.arange(n) % 2 == 0, "basic", "gold")
    y = ((np.arange(n) // 2) % 10 < np.where(plan == "gold", 9, 1)).astype(float)
    rng = np.random.default_rng(0)
    features = pa.table({"noise": rng.random(n), "plan": plan, "word": rng.choice(["a", "b"], n)})
    fitted = baselines.best_column_rule().fit(LabelledRows(features, y))
    asked = pa.table({"noise": [0.5, 0.5, 0.5], "plan": ["gold", "basic", None], "word": ["a"] * 3})
    gold, basic, missing = fitted.predict(asked)
    smoothed = (1000 * 0.9 + baselines.SMOOTHING * y.mean()) / (1000 + baselines.SMOOTHING)
    assert gold == pytest.approx(smoothed, abs=0.002)
    assert basic < 0.12
    assert missing == pytest.approx(y.mean(), abs=0.01)


def test_the_best_single_column_follows_a_number_in_tenths_and_its_missing_values():
    n = 3000
    days = np.where(np.arange(n) % 3 == 0, np.nan, np.arange(n) / n)
    y = np.where(np.isnan(days), 1.0, days > 0.8)
    fitted = baselines.best_column_rule().fit(LabelledRows(pa.table({"days": days}), y))
    low, high, missing = fitted.predict(pa.table({"days": [0.3, 0.95, float("nan")]}))
    assert low < 0.05 < 0.9 < high
    assert missing > 0.95


def test_without_a_column_that_varies_the_rule_is_the_average():
    y = np.array([0.0, 1.0, 1.0, 1.0] * 25)
    fitted = baselines.best_column_rule().fit(LabelledRows(pa.table({"same": np.ones(100)}), y))
    assert fitted.predict(pa.table({"same": [1.0]}))[0] == pytest.approx(0.75, abs=0.01)
