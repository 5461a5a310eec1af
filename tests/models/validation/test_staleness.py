"""Older models lose where the data drifted, and nowhere else."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from features.config.company import TargetConfig
from features.history.history_table import DAY
from models.evaluation.bootstrap import Interval
from models.evaluation.metrics import roc_auc
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from models.targets.registry import TARGETS
from models.targets.spend_level import SpendLevel
from models.training.train import TrainingRows
from models.training_set.splits import split_calendar
from models.validation.staleness import AGES, MONTH, ModelAge, Staleness, measure_staleness

CUSTOMERS, HORIZON = 300, 30


def world(months, turned=0, seed=0):
    """Monthly rows in which the outcome follows `a`, and `b` in the last `turned` months."""
    rng = np.random.default_rng(seed)
    month = np.repeat(np.arange(months), CUSTOMERS)
    a, b = rng.normal(size=(2, len(month)))
    score = np.where(month >= months - turned, b, a)
    label = (rng.random(len(month)) < 1 / (1 + np.exp(-3 * score))).astype(float)
    cutoff = np.round(month * MONTH).astype(np.int64) * DAY
    customer = np.tile(np.arange(CUSTOMERS), months)
    return TrainingRows(pa.table({"a": a, "b": b}), label, np.ones(len(label)), customer, cutoff)


def trained_on(rows, target="churn", spend=None):
    split = split_calendar(rows.cutoff, HORIZON)
    seen, test = rows.take(split.refit), rows.take(split.test)
    params = Params(min_data_in_leaf=20, max_rounds=90)
    y = seen.label / (spend.of(seen.features) if spend else 1.0)
    kind = "regression" if spend else "binary"
    return SimpleNamespace(
        target=TARGETS[target], config=TargetConfig(horizon_days=HORIZON), spend=spend, split=split,
        estimator=Estimator.fit(kind, LabelledRows(seen.features, y, seen.weight), None, params),
        typical=None, params=params, test=test, predictions={"rule": np.full(len(test.label), 0.5)},
    )  # fmt: skip


def test_models_stay_good_without_drift():
    rows = world(20)
    found = measure_staleness(trained_on(rows), rows)
    assert [age.months for age in found.ages] == list(AGES)
    assert found.lasts == 12
    assert found.describe() == "as good as a fresh model for 12 months and more, within the noise"
    assert all(0.8 < age.kept < 1.2 for age in found.ages)
    assert found.rule == 0.5


def test_drift_shows_at_the_age_before_it():
    rows = world(20, turned=8)
    found = measure_staleness(trained_on(rows), rows)
    by = {age.months: age for age in found.ages}
    assert found.lasts is not None
    assert found.lasts <= 3
    assert by[9].worse
    assert by[12].worse
    assert by[12].model.value == pytest.approx(0.5, abs=0.1)
    assert by[12].kept < 0.3
    assert "worse " in found.describe()


def test_each_age_is_trained_on_labels_mature_at_its_time():
    rows = world(20)
    trained = trained_on(rows)
    found = measure_staleness(trained, rows)
    start = trained.test.cutoff[0]
    for age in found.ages:
        mature = rows.cutoff + HORIZON * DAY <= start - round(age.months * MONTH) * DAY
        assert age.rows == mature.sum()
    assert (found.ages[0].loss, found.ages[0].kept) == (Interval(0.0, 0.0, 0.0), 1.0)
    shipped = roc_auc(trained.test.label, trained.estimator.predict(trained.test.features))
    assert found.ages[0].model.value == pytest.approx(shipped, abs=0.03)


def test_a_short_history_has_few_or_no_ages():
    rows = world(6)
    found = measure_staleness(trained_on(rows), rows)
    assert [age.months for age in found.ages] == [0, 1, 3]
    rows = world(2)
    found = measure_staleness(trained_on(rows), rows)
    assert found.lasts is None
    assert found.describe() == "the history is too short to train an older model"


def test_staleness_of_values_is_in_money():
    rows = world(8)
    spend = SpendLevel(HORIZON, 100.0)
    columns = {n: np.full(len(rows.label), 50.0) for n in ("tenure_days", f"revenue_{HORIZON}d",
               "revenue_365d", "revenue_all")}  # fmt: skip
    features = pa.table({**{n: rows.features[n] for n in "ab"}, **columns})
    rows = TrainingRows(features, 1000 * rows.label, rows.weight, rows.customer, rows.cutoff)
    found = measure_staleness(trained_on(rows, "value", spend), rows)
    assert found.measure == "mae"
    assert 100 < found.ages[0].model.value < found.rule
    assert found.ages[1].loss.low < found.ages[1].loss.high


def curve(*worse):
    ages = [
        ModelAge(m, 10, Interval(0.7, 0.6, 0.8), Interval(0.1, 0.01 if bad else -0.1, 0.2), 0.9)
        for m, bad in zip(AGES, (False, *worse), strict=False)
    ]
    return Staleness("roc_auc", 0.5, tuple(ages))


@pytest.mark.parametrize(
    ("worse", "lasts"),
    [
        ((False, False, False, False, False), 12),
        ((True, False, False, False, False), 12),  # a single one is ignored
        ((False, False, True, True, True), 3),
        ((False, False, False, False, True), 9),
        ((True, True, True, True, True), 0),
        ((True,), 0),
        ((), None),
    ],
)
def test_how_long_a_model_lasts(worse, lasts):
    assert curve(*worse).lasts == lasts
