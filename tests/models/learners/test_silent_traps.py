"""Input that LightGBM silently accepts: refused here, or handled in a documented way."""

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


def test_a_class_without_rows_gets_almost_no_probability():
    y = (A > 0).astype(float)  # class 2 does not occur
    model = Estimator.fit("multiclass", LabelledRows(TABLE, y), None, QUICK)
    said = model.predict(TABLE)
    assert said.shape == (N, 3)
    np.testing.assert_allclose(said.sum(axis=1), 1)
    assert said[:, 2].max() < 1e-6
    assert Calibrator.fit("multiclass", said, y).method == "identity"


def test_validation_rows_of_one_class_still_train_a_useful_model():
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


def test_constant_columns_are_not_read():
    model = Estimator.fit("binary", LabelledRows(TABLE, (A > 0).astype(float)), None, QUICK)
    assert model.encoder.columns == ("a", "b", "plan")
    without = model.predict(TABLE.drop(["same"]))
    np.testing.assert_array_equal(model.predict(TABLE), without)


def test_an_unknown_category_is_scored_like_a_missing_one():
    model = Estimator.fit("binary", LabelledRows(TABLE, (A > 0).astype(float)), None, QUICK)
    place = TABLE.column_names.index("plan")
    new = TABLE.set_column(place, "plan", pa.array(["never seen"] * N))
    missing = TABLE.set_column(place, "plan", pa.nulls(N, pa.string()))
    np.testing.assert_array_equal(model.predict(new), model.predict(missing))


@pytest.fixture(scope="module")
def churn():
    """The churn rows of the trained company, with company and workspace."""
    workspace = trained()[0]
    company = load_company(workspace.data / "sample.toml")
    return company, load_rows(company, workspace, "churn"), workspace


@pytest.mark.parametrize("part", ["fit", "valid", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0])
def test_an_invalid_label_is_refused_in_every_part_of_the_data(churn, part, value):
    company, rows, _ = churn
    place = np.flatnonzero(
        getattr(split_rows(TARGETS["churn"], company.target("churn"), rows), part)
    )[0]
    label = np.where(np.arange(len(rows.label)) == place, value, rows.label)
    with pytest.raises(DataRefused, match=r"1 of .* labels are (missing or infinite|outside)"):
        train(TARGETS["churn"], company, replace(rows, label=label))


@pytest.mark.parametrize("target", TARGETS)
def test_the_order_of_columns_does_not_change_predictions(churn, target):
    workspace = churn[2]
    bundle = load_champion(workspace.serving("sample"), target)
    assert bundle is not None
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet").slice(0, 100)
    shuffled = table.select(np.random.default_rng(1).permutation(table.column_names).tolist())
    np.testing.assert_array_equal(bundle.calibrated(shuffled), bundle.calibrated(table))


@pytest.mark.parametrize("target", TARGETS)
def test_other_column_names_or_types_are_refused(churn, target):
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
