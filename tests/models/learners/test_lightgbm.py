from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from features.errors import DataRefused
from models.learners import lightgbm
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params

RNG = np.random.default_rng(3)
QUICK = Params(max_rounds=40, early_stopping_rounds=10)


def features(rows, seed=0):
    rng = np.random.default_rng(seed)
    return pa.table(
        {
            "customer_id": [f"c{i}" for i in range(rows)],
            "orders 30d": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(size=rows)),
            "gap": rng.normal(size=rows),
            '行业, "x"': pa.array(rng.choice(["a", "b", "c"], rows)).dictionary_encode(),
            "constant": np.ones(rows),
        }
    )


def labels(table, kind):
    gap = table["gap"].to_numpy()
    sector = np.array(table.column(3).to_pylist())
    score = gap + (sector == "a") + np.random.default_rng(1).normal(size=len(gap)) * 0.5
    if kind == "binary":
        return (score > 0.5).astype(float)
    return np.digitize(score, [-0.3, 0.8]).astype(float) if kind == "multiclass" else score * 10


TABLE = features(600)
LATER = features(300, seed=9)
SETTINGS = {"binary": QUICK, "multiclass": replace(QUICK, n_classes=3), "regression": QUICK}


@pytest.fixture(scope="module", params=["binary", "multiclass", "regression"])
def fitted(request):
    kind = request.param
    train = LabelledRows(TABLE, labels(TABLE, kind))
    return Estimator.fit(kind, train, LabelledRows(LATER, labels(LATER, kind)), SETTINGS[kind])


@pytest.mark.parametrize("kind", SETTINGS)
def test_the_trees_are_the_same_by_row_and_by_column(kind, monkeypatch):
    known = LabelledRows(TABLE, labels(TABLE, kind))
    trees = {}
    for share in (0.0, 1.1):  # never and always by column
        monkeypatch.setattr(lightgbm, "MANY_COLUMNS", share)
        text = Estimator.fit(kind, known, None, SETTINGS[kind]).to_text()
        trees[share], _, settings = text.partition("parameters:")
        assert f"[force_col_wise: {int(share > 1)}]" in settings
    assert trees[0.0] == trees[1.1]


@pytest.mark.parametrize(
    ("kind", "loss"),
    [("binary", "binary_logloss"), ("multiclass", "multi_logloss"), ("regression", "l2")],
)
def test_the_curve_is_of_the_same_trees(kind, loss):
    known, later = (LabelledRows(t, labels(t, kind)) for t in (TABLE, LATER))
    plain = Estimator.fit(kind, known, later, SETTINGS[kind])
    curved = Estimator.fit(kind, known, later, SETTINGS[kind], with_curve=True)
    assert plain.curve is None
    assert curved.to_text() == plain.to_text()
    curve = curved.curve
    assert curve.loss == loss
    assert plain.rounds <= len(curve.train) == len(curve.validation) <= 40
    assert int(np.argmin(curve.validation)) + 1 == plain.rounds
    assert curve.train[-1] < curve.train[0]


def test_shapes_and_ranges(fitted):
    raw, predicted = fitted.raw(LATER), fitted.predict(LATER)
    wide = len(fitted.encoder.columns) + 1
    if fitted.kind == "multiclass":
        assert raw.shape == predicted.shape == (300, 3)
        np.testing.assert_allclose(predicted.sum(axis=1), 1)
        assert fitted.contributions(LATER).shape == (300, 3, wide)
    else:
        assert raw.shape == predicted.shape == (300,)
        assert fitted.contributions(LATER).shape == (300, wide)
    if fitted.kind == "binary":
        np.testing.assert_allclose(predicted, 1 / (1 + np.exp(-raw)))
    assert (fitted.classes, fitted.encoder.columns[0]) == (
        {"binary": 2, "multiclass": 3, "regression": 1}[fitted.kind],
        "orders 30d",
    )


def test_contributions_add_up_to_the_raw_score(fitted):
    total = fitted.contributions(LATER).sum(axis=-1)
    np.testing.assert_allclose(total, fitted.raw(LATER), atol=1e-6)


def test_text_round_trip_changes_nothing(fitted):
    again = Estimator.from_text(fitted.to_text(), fitted.encoder.to_json())
    assert (again.kind, again.classes, again.rounds) == (
        fitted.kind,
        fitted.classes,
        fitted.rounds,
    )
    np.testing.assert_array_equal(again.predict(LATER), fitted.predict(LATER))
    assert again.to_text() == fitted.to_text()


def test_no_rows_give_no_predictions(fitted):
    none = LATER.slice(0, 0)
    assert fitted.predict(none).shape == fitted.predict(LATER)[:0].shape
    assert fitted.contributions(none).shape == fitted.contributions(LATER)[:0].shape


def test_a_single_row_gets_the_same_prediction_as_in_a_batch(fitted):
    np.testing.assert_array_equal(fitted.predict(LATER.slice(7, 1))[0], fitted.predict(LATER)[7])


def test_the_trees_find_the_signal():
    model = Estimator.fit("binary", LabelledRows(TABLE, labels(TABLE, "binary")), None, QUICK)
    assert roc_auc_score(labels(LATER, "binary"), model.predict(LATER)) > 0.85
    assert next(iter(model.importance())) == "gap"
    assert "constant" not in model.encoder.columns


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_the_model_text_does_not_depend_on_the_threads(kind):
    train = LabelledRows(TABLE, labels(TABLE, kind), RNG.random(600) + 0.5)
    texts = {
        Estimator.fit(kind, train, None, replace(QUICK, threads=n, max_rounds=8)).to_text()
        for n in (1, 2)
    }
    assert len(texts) == 1
    other = Estimator.fit(kind, train, None, replace(QUICK, seed=8, max_rounds=8)).to_text()
    assert other not in texts


def test_refit_keeps_columns_and_rounds(fitted):
    both = pa.concat_tables([TABLE, LATER])
    data = LabelledRows(both, labels(both, fitted.kind))
    again = fitted.refit(data, SETTINGS[fitted.kind])
    assert again.rounds == fitted.rounds <= 40
    assert again.encoder.columns == fitted.encoder.columns
    assert fitted.refit(data, SETTINGS[fitted.kind], rounds=3).rounds == 3


def test_early_stopping_stops_on_noise():
    noise = LabelledRows(TABLE, np.random.default_rng(5).integers(0, 2, 600))
    held = LabelledRows(LATER, np.random.default_rng(6).integers(0, 2, 300))
    assert Estimator.fit("binary", noise, held, replace(QUICK, max_rounds=500)).rounds < 100


@pytest.mark.parametrize("objective", ["l1", "huber", "tweedie"])
def test_other_objectives(objective):
    y = np.exp(labels(TABLE, "regression") / 10)
    params = replace(QUICK, objective=objective, leaves=31, feature_fraction=1.0)
    model = Estimator.fit("regression", LabelledRows(TABLE, y), None, params)
    assert model.kind == "regression"
    assert np.corrcoef(model.predict(TABLE), y)[0, 1] > 0.7


def test_features_that_never_vary_are_refused():
    flat = pa.table({"a": [1.0] * 60})
    with pytest.raises(DataRefused, match="none of the 1 feature columns varies"):
        Estimator.fit("binary", LabelledRows(flat, np.arange(60) % 2), None, QUICK)


def test_bad_labels_are_refused_in_both_tables():
    y = labels(TABLE, "binary")
    with pytest.raises(DataRefused, match="600 of class 0"):
        Estimator.fit("binary", LabelledRows(TABLE, y * 0), None, QUICK)
    later = LabelledRows(LATER, np.full(300, np.nan))
    with pytest.raises(DataRefused, match="300 of 300 labels are missing"):
        Estimator.fit("binary", LabelledRows(TABLE, y), later, QUICK)


def test_an_encoder_with_swapped_columns_is_refused(fitted):
    columns = fitted.encoder.columns
    swapped = replace(fitted.encoder, columns=(columns[1], columns[0], *columns[2:]))
    with pytest.raises(DataRefused, match="name different columns"):
        Estimator.from_text(fitted.to_text(), swapped.to_json())


def test_an_excluded_column_is_not_read_by_fit_and_refit():
    data = LabelledRows(TABLE, labels(TABLE, "binary"))
    grown = Estimator.fit("binary", data, None, QUICK, without=("orders 30d",))
    assert grown.encoder.columns == ("gap", '行业, "x"')
    assert grown.refit(data, QUICK).encoder.columns == grown.encoder.columns
    other = LATER.set_column(1, "orders 30d", pa.array(np.full(300, 1e9)))
    np.testing.assert_array_equal(grown.predict(LATER), grown.predict(other))
    with pytest.raises(DataRefused, match="none of the 1 feature columns varies"):
        Estimator.fit("binary", data, None, QUICK, without=("orders 30d", "gap", '行业, "x"'))


def test_refit_trains_a_given_number_of_rounds():
    data = LabelledRows(TABLE, labels(TABLE, "binary"))
    grown = Estimator.fit("binary", data, LabelledRows(LATER, labels(LATER, "binary")), QUICK)
    assert grown.refit(data, QUICK).rounds == grown.rounds
    assert grown.refit(data, QUICK, rounds=7).rounds == 7
