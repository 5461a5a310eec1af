"""What LightGBM takes without a word: refused here, or handled in a way that is told."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.config.company import load_company
from features.errors import DataRefused
from models.bundles.champions import load_champion
from models.learners.calibration import Calibrator
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.training.train import load_rows, split_rows, train
from support.trained_company import trained

RNG = np.random.default_rng(0)
N = 400
A, B = RNG.normal(size=(2, N))
TABLE = pa.table({"a": A, "b": B, "same": np.ones(N), "plan": pa.array(np.where(A > 0, "x", "y"))})
QUICK = Params(max_rounds=30, n_classes=3)


def test_a_class_without_rows_gets_almost_no_chance_and_the_others_all_of_it():
    y = (A > 0).astype(float)  # of the classes 0, 1 and 2 the last one never comes
    model = Estimator.fit("multiclass", LabelledRows(TABLE, y), None, QUICK)
    said = model.predict(TABLE)
    assert said.shape == (N, 3)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert said[:, 2].max() < 1e-6
    assert Calibrator.fit("multiclass", said, y).method == "identity"


def test_a_validation_of_one_class_trains_a_model_that_still_tells_apart():
    y = (A > 0).astype(float)
    one = LabelledRows(TABLE.slice(0, 100), np.zeros(100))
    model = Estimator.fit("binary", LabelledRows(TABLE, y), one, QUICK)
    assert model.rounds >= 1
    assert np.isfinite(model.predict(TABLE)).all()
    assert Calibrator.fit("binary", model.predict(TABLE), np.zeros(N)).method == "identity"


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_feature_is_refused_in_training_and_in_scoring(value):
    y = (A > 0).astype(float)
    spoilt = TABLE.set_column(1, "b", pa.array(np.where(np.arange(N) < 3, value, B)))
    with pytest.raises(DataRefused, match=r"infinite values, by feature column: \{'b': 3\}"):
        Estimator.fit("binary", LabelledRows(spoilt, y), None, QUICK)
    model = Estimator.fit("binary", LabelledRows(TABLE, y), None, QUICK)
    with pytest.raises(DataRefused, match=r"\{'b': 3\}"):
        model.predict(spoilt)


def test_constant_columns_are_not_read_at_all():
    model = Estimator.fit("binary", LabelledRows(TABLE, (A > 0).astype(float)), None, QUICK)
    assert model.encoder.columns == ("a", "b", "plan")
    without = model.predict(TABLE.drop(["same"]))
    np.testing.assert_array_equal(model.predict(TABLE), without)


def test_a_category_never_seen_is_scored_as_a_missing_one():
    model = Estimator.fit("binary", LabelledRows(TABLE, (A > 0).astype(float)), None, QUICK)
    place = TABLE.column_names.index("plan")
    new = TABLE.set_column(place, "plan", pa.array(["never seen"] * N))
    missing = TABLE.set_column(place, "plan", pa.nulls(N, pa.string()))
    np.testing.assert_array_equal(model.predict(new), model.predict(missing))


@pytest.fixture(scope="module")
def churn():
    """The trained company's churn rows, and what training needs beside them."""
    workspace = trained()[0]
    company = load_company(workspace.data / "sample.toml")
    return company, load_rows(company, workspace, "churn"), workspace


@pytest.mark.parametrize("part", ["fit", "valid", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0])
def test_a_label_that_is_none_is_refused_wherever_it_lies(churn, part, value):
    company, rows, _ = churn
    place = np.flatnonzero(
        getattr(split_rows(TARGETS["churn"], company.target("churn"), rows), part)
    )[0]
    label = np.where(np.arange(len(rows.label)) == place, value, rows.label)
    with pytest.raises(DataRefused, match=r"1 of .* labels are (missing or infinite|outside)"):
        train(TARGETS["churn"], company, replace(rows, label=label))


@pytest.mark.parametrize("target", TARGETS)
def test_a_bundle_given_its_columns_in_another_order_answers_the_same(churn, target):
    workspace = churn[2]
    bundle = load_champion(workspace.serving("sample"), target)
    assert bundle is not None
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet").slice(0, 100)
    shuffled = table.select(np.random.default_rng(1).permutation(table.column_names).tolist())
    np.testing.assert_array_equal(bundle.calibrated(shuffled), bundle.calibrated(table))


@pytest.mark.parametrize("target", TARGETS)
def test_a_bundle_given_other_names_or_types_refuses(churn, target):
    workspace = churn[2]
    bundle = load_champion(workspace.serving("sample"), target)
    assert bundle is not None
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet").slice(0, 100)
    name = bundle.estimator.encoder.columns[0]
    renamed = table.rename_columns([f"{n}_new" if n == name else n for n in table.column_names])
    with pytest.raises(DataRefused, match=f"-{name}"):
        bundle.calibrated(renamed)
    category = next(iter(bundle.estimator.encoder.categories))
    numbers = table.set_column(table.column_names.index(category), category, pa.array(np.ones(100)))
    with pytest.raises(DataRefused, match=f"{category} held categories"):
        bundle.calibrated(numbers)
