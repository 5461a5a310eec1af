import numpy as np
import pyarrow as pa
import pytest

from features.errors import DataRefused
from models.learners.labelled_rows import LabelledRows, check_labels, check_objective

ROWS = 60


def test_a_mask_takes_features_labels_and_weights_together():
    table = pa.table({"a": [1.0, 2.0, 3.0]})
    mask = np.array([True, False, True])
    taken = LabelledRows(table, np.array([0.0, 1.0, 2.0]), np.array([5.0, 6.0, 7.0])).take(mask)
    assert taken.features["a"].to_pylist() == [1, 3]
    assert (taken.y.tolist(), taken.weight.tolist()) == ([0, 2], [5, 7])
    assert LabelledRows(table, np.zeros(3)).take(mask).weight is None


def test_good_labels_pass():
    check_labels("binary", np.arange(ROWS) % 2)
    check_labels("multiclass", np.arange(ROWS) % 3, 3)
    check_labels("regression", np.linspace(-5, 5, ROWS))


@pytest.mark.parametrize(
    ("kind", "y", "classes", "message"),
    [
        ("binary", np.where(np.arange(ROWS) < 3, np.nan, 1), 1, "3 of 60 labels are missing"),
        ("regression", np.full(ROWS, np.inf), 1, "60 of 60 labels are missing or infinite"),
        ("binary", np.full(ROWS, 2.0), 1, r"60 of 60 labels are outside 0\.\.1, for example 2"),
        ("multiclass", np.full(ROWS, 0.5), 3, r"outside 0\.\.2"),
        ("binary", np.zeros(ROWS), 1, "60 of class 0, 0 of class 1"),
        ("multiclass", np.ones(ROWS), 3, "60 of class 1, 0 of class 2"),
        ("binary", np.arange(49) % 2, 1, "49 labelled rows; at least 50"),
        (
            "binary",
            np.where(np.arange(ROWS) < 3, -np.inf, 1),
            1,
            "3 of 60 labels are missing or inf",
        ),
        (
            "regression",
            np.where(np.arange(ROWS) < 2, 1e39, 1),
            1,
            "2 of 60 labels are larger than 3.4",
        ),
        (
            "multiclass",
            np.full(ROWS, -1.0),
            3,
            r"60 of 60 labels are outside 0\.\.2, for example -1",
        ),
    ],
)
def test_labels_that_lightgbm_would_silently_accept_are_refused(kind, y, classes, message):
    with pytest.raises(DataRefused, match=message):
        check_labels(kind, y, classes)


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(ValueError, match="regression"):
        check_labels("ranking", np.zeros(ROWS))


def test_negative_values_and_objectives():
    check_objective("regression", np.array([-1.0]), "l1")
    with pytest.raises(DataRefused, match="1 of 2 labels are negative"):
        check_objective("regression", np.array([-1.0, 2]), "tweedie")
    with pytest.raises(ValueError, match="only a regression"):
        check_objective("binary", np.array([0.0, 1]), "tweedie")


def test_lengths_and_weights():
    features = pa.table({"a": [1.0, 2.0]})
    with pytest.raises(DataRefused, match="2 feature rows"):
        LabelledRows(features, np.zeros(3))
    with pytest.raises(DataRefused, match="weight"):
        LabelledRows(features, np.zeros(2), np.array([1, -1.0]))
    with pytest.raises(DataRefused, match="the weights of all 2 rows are 0"):
        LabelledRows(features, np.zeros(2), np.zeros(2))
