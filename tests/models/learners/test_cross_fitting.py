"""Out-of-fold predictions come from models that were not trained on the customer."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataRefused
from models.evaluation.metrics import roc_auc
from models.learners.cross_fitting import (
    FOLDS,
    RANDOM_FOLDS,
    assign_folds,
    cross_fit,
    draw_folds,
    predict_out_of_fold,
)
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params

#: Deep trees on all columns: they overfit to every customer.
MEMORY = Params(
    learning_rate=0.5, leaves=63, min_data_in_leaf=1, feature_fraction=1, bagging_fraction=1, l2=0
)
ROUNDS = 60


@settings(max_examples=50)
@given(st.lists(st.integers(0, 2**40), min_size=1, max_size=50))
def test_the_fold_of_a_customer_does_not_depend_on_the_others(customers: list[int]) -> None:
    numbers = np.array(customers, np.int64)
    fold = assign_folds(numbers)
    assert set(fold.tolist()) <= set(range(FOLDS))
    alone = [int(assign_folds(np.array([c]))[0]) for c in customers]
    assert fold.tolist() == alone  # with any other customers
    assert assign_folds(numbers[::-1]).tolist() == alone[::-1]


def test_folds_have_similar_sizes() -> None:
    counts = np.bincount(assign_folds(np.arange(30_000)))
    assert counts.tolist() == pytest.approx([10_000] * FOLDS, rel=0.03)


def one_by_heart(kind: str) -> tuple[LabelledRows, np.ndarray]:
    """240 customers with six rows each; the label is one coin toss per customer.

    Only their number distinguishes a customer, so that nothing can be predicted for another one.
    """
    customer = np.repeat(np.arange(240), 6)
    coin = np.random.default_rng(5).integers(0, 2, 240).astype(float)
    y = coin[customer] * (100.0 if kind == "regression" else 1.0)
    return LabelledRows(pa.table({"number": customer.astype(float)}), y, np.ones(len(y))), customer


def right(prediction: np.ndarray, y: np.ndarray) -> float:
    """The share of rows predicted on the correct side of 0.5."""
    return float(((prediction > y.max() / 2) == (y > 0)).mean())


@pytest.fixture(scope="module", params=["binary", "regression"])
def learnt(request: pytest.FixtureRequest) -> tuple[Estimator, LabelledRows, np.ndarray]:
    data, customer = one_by_heart(request.param)
    grown = Estimator.fit(request.param, data, None, replace(MEMORY, max_rounds=ROUNDS))
    return grown, data, customer


def test_overfitting_does_not_help_out_of_fold(
    learnt: tuple[Estimator, LabelledRows, np.ndarray],
) -> None:
    first, data, customer = learnt
    assert right(first.predict(data.features), data.y) == 1  # the model has overfitted
    made = predict_out_of_fold(first, data, customer, MEMORY, ROUNDS)
    assert 0.4 < right(made, data.y) < 0.6  # 240 coin tosses: 0.5 ± 0.03
    assert made.shape == data.y.shape


def test_folds_by_row_would_leak_the_label_of_the_customer(
    learnt: tuple[Estimator, LabelledRows, np.ndarray],
) -> None:
    first, data, customer = learnt
    rows = np.arange(
        len(customer)
    )  # each row is its own customer: the leak that folds by customer prevent
    assert right(predict_out_of_fold(first, data, rows, MEMORY, ROUNDS), data.y) > 0.85


def test_each_fold_equals_a_refit_on_the_others_and_is_reproducible(
    learnt: tuple[Estimator, LabelledRows, np.ndarray],
) -> None:
    first, data, customer = learnt
    made = predict_out_of_fold(first, data, customer, MEMORY, 20)
    held = assign_folds(customer) == 1
    other = first.refit(data.take(~held), MEMORY, 20)
    assert other.rounds == 20
    np.testing.assert_array_equal(made[held], other.predict(data.take(held).features))
    np.testing.assert_array_equal(made, predict_out_of_fold(first, data, customer, MEMORY, 20))


def test_class_predictions_have_one_column_per_class() -> None:
    rng = np.random.default_rng(6)
    table = pa.table({"a": rng.normal(size=400)})
    y = np.digitize(table["a"].to_numpy(), [-0.4, 0.4]).astype(float)
    data, params = LabelledRows(table, y), Params(max_rounds=20, n_classes=3)
    first = Estimator.fit("multiclass", data, None, params)
    made = predict_out_of_fold(first, data, np.arange(400), params, 20)
    assert made.shape == (400, 3)
    np.testing.assert_allclose(made.sum(axis=1), 1)
    assert (made.argmax(axis=1) == y).mean() > 0.8


def test_customers_of_a_single_fold_are_refused() -> None:
    data, customer = one_by_heart("binary")
    alone = data.take(customer == 3)
    first = Estimator.fit("binary", data, None, MEMORY, ())
    with pytest.raises(DataRefused, match="1 customers are too few"):
        predict_out_of_fold(first, alone, customer[customer == 3], MEMORY, ROUNDS)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=200))
def test_random_folds_keep_customers_together_and_have_equal_size(customers: list[int]) -> None:
    customer = np.array(customers)
    fold = draw_folds(customer)
    assert fold.min() >= 0
    assert fold.max() < RANDOM_FOLDS
    assert all(len(set(fold[customer == c])) == 1 for c in set(customers))
    sizes = [len(set(customer[fold == f])) for f in range(RANDOM_FOLDS)]
    assert max(sizes) - min(sizes) <= 1


def test_out_of_fold_predictions_cannot_use_the_customers_identity() -> None:
    """Labels depend on the customer number only, so a model must have been trained on the customer."""
    rng = np.random.default_rng(0)
    customer = np.repeat(np.arange(400), 5)
    label = rng.integers(0, 2, 400).astype(float)[customer]
    features = pa.table({"number": customer.astype(float)})
    fold = draw_folds(customer)
    fitted = cross_fit("binary", features, label, np.ones(2000, bool), fold)
    assert roc_auc(label, fitted.out_of_fold) < 0.56
    assert roc_auc(label, fitted.predict(features)) > 0.7


def test_classes_are_predicted_for_rows_without_labels() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=3000)
    level = np.digitize(x + 0.3 * rng.normal(size=3000), (-0.5, 0.5)).astype(float)
    learn = rng.random(3000) < 0.5
    fitted = cross_fit(
        "multiclass", pa.table({"x": x}), level, learn, draw_folds(np.arange(3000)), 3
    )
    assert fitted.out_of_fold.shape == (3000, 3)
    assert np.allclose(fitted.out_of_fold.sum(axis=1), 1)
    assert (fitted.out_of_fold.argmax(axis=1) == level)[~learn].mean() > 0.75


def test_too_few_rows_to_cross_fit_are_refused() -> None:
    features = pa.table({"x": np.arange(40.0)})
    label = np.arange(40) % 2.0
    with pytest.raises(DataRefused, match="at least 50 are needed"):
        cross_fit("binary", features, label, np.ones(40, bool), draw_folds(np.arange(40)))
