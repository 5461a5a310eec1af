"""A broken text must be refused here: LightGBM would abort the test process."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataRefused
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.learners.lightgbm_text import check_model_text


def _estimator():
    rng = np.random.default_rng(0)
    sector = rng.choice(list("abcdefgh"), 400)
    table = pa.table({"x": rng.normal(size=400), "c": pa.array(sector).dictionary_encode()})
    y = (table["x"].to_numpy() + 2 * np.isin(sector, list("aceg")) > 1).astype(float)
    return Estimator.fit("binary", LabelledRows(table, y), None, Params(max_rounds=4, leaves=6))


MODEL = _estimator()
TEXT = MODEL.to_text()
END = TEXT.index("end of trees") + len("end of trees")


def test_an_intact_text_passes():
    assert "num_cat=1" in TEXT
    assert check_model_text(TEXT, 2)["num_class"] == "1"


@given(st.integers(0, END))
def test_every_truncation_is_refused(length):
    with pytest.raises(DataRefused):
        Estimator.from_text(TEXT[:length], MODEL.encoder.to_json())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tree\n", "tee\n", "should start with 'tree'"),
        ("end of trees", "end of tree", "cut off"),
        ("max_feature_idx=1", "max_feature_idx=2", "reads 3 columns"),
        ("max_feature_idx=1", "max_feature_idx=x", "'x'; it should be a whole number"),
        ("num_class=1", "num_class=3", "whole rounds"),
        ("Tree=1\n", "Tree=7\n", "no tree 1"),
        ("num_leaves=6", "num_leaves=9", "5 split_feature; it should have 8"),
        ("split_feature=1", "split_feature=7", "points outside itself"),
        ("left_child=1", "left_child=8", "points outside itself"),
        ("left_child=1", "left_child=x", "something other than numbers"),
        ("split_gain=", "split_gain ", "not name=value"),
        ("leaf_value=-", "leaf_value=x", "leaf_value holds something other than numbers"),
        ("label_index", "label-index", "LightGBM cannot read"),
        ("num_cat=1", "num_cat=2", "1 categorical splits; it should have 2"),
        ("cat_boundaries=0 1", "cat_boundaries=0 9", "1 cat_threshold; it should have 9"),
        ("Tree=0\n", "Tree=0\n\n", "bytes of trees"),
    ],
)
def test_corrupted_texts_are_refused(old, new, message):
    assert old in TEXT
    with pytest.raises(DataRefused, match=message):
        Estimator.from_text(TEXT.replace(old, new, 1), MODEL.encoder.to_json())


def test_an_encoder_with_another_number_of_columns_is_refused():
    with pytest.raises(DataRefused, match=r"2 columns and encoder\.json has 5"):
        check_model_text(TEXT, 5)
