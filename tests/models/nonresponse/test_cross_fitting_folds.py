"""Cross-fitting: no model has seen the customer it speaks of."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataRefused
from models.evaluation.metrics import roc_auc
from models.nonresponse.cross_fitting_folds import FOLDS
from models.learners.cross_fitting import draw_folds
from models.learners.cross_fitting import cross_fit


@given(st.lists(st.integers(0, 40), min_size=1, max_size=200))
def test_a_customer_is_in_one_fold(customers: list[int]) -> None:
    customer = np.array(customers)
    fold = draw_folds(customer)
    assert fold.min() >= 0
    assert fold.max() < FOLDS
    assert all(len(set(fold[customer == c])) == 1 for c in set(customers))
    sizes = [len(set(customer[fold == f])) for f in range(FOLDS)]
    assert max(sizes) - min(sizes) <= 1


def test_what_a_customer_is_known_by_does_not_help() -> None:
    """Each customer's answers are all alike and told by his number: only one who saw him knows."""
    rng = np.random.default_rng(0)
    customer = np.repeat(np.arange(400), 5)
    label = rng.integers(0, 2, 400).astype(float)[customer]
    features = pa.table({"number": customer.astype(float)})
    fold = draw_folds(customer)
    made = cross_fit("binary", features, label, np.ones(2000, bool), fold)
    assert roc_auc(label, made.unseen) < 0.56
    assert roc_auc(label, made.of(features)) > 0.7


def test_classes_are_told_apart_by_what_holds_for_others_too() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=3000)
    level = np.digitize(x + 0.3 * rng.normal(size=3000), (-0.5, 0.5)).astype(float)
    learn = rng.random(3000) < 0.5
    made = cross_fit("multiclass", pa.table({"x": x}), level, learn, draw_folds(np.arange(3000)), 3)
    assert made.unseen.shape == (3000, 3)
    assert np.allclose(made.unseen.sum(axis=1), 1)
    assert (made.unseen.argmax(axis=1) == level)[~learn].mean() > 0.75


def test_too_few_rows_are_refused() -> None:
    features = pa.table({"x": np.arange(40.0)})
    label = np.arange(40) % 2.0
    with pytest.raises(DataRefused, match="at least 50 are needed"):
        cross_fit("binary", features, label, np.ones(40, bool), draw_folds(np.arange(40)))
