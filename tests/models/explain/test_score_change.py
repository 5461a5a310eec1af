"""The change of a score is split completely into data, model and calibration."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from features.errors import DataRefused
from models.explain.output_scale import OutputScale
from models.explain.score_change import AVERAGE, SPEND, ScoreChange, split_score_change
from models.learners.labelled_rows import LabelledRows
from models.learners.lightgbm import Estimator, Params
from support.small_models import SCORES, customers, small_bundle

BEFORE, AFTER = customers(seed=11).slice(0, 40), customers(seed=12).slice(0, 40)
OTHER = {"churn": "platt", "nps": "vector", "satisfaction": "identity", "value": "scale"}


def whole(change: ScoreChange) -> np.ndarray:
    return change.data.sum(axis=1) + change.model.sum(axis=1) + change.calibration


def seen(bundle, table) -> np.ndarray:
    return OutputScale.of(bundle).of_calibrated(bundle.calibrated(table))


@pytest.mark.parametrize(("target", "method"), SCORES)
def test_before_and_all_parts_are_after(target: str, method: str) -> None:
    old, new = small_bundle(target, method), small_bundle(target, OTHER[target], seed=2)
    found = split_score_change(old, new, BEFORE, AFTER)
    np.testing.assert_allclose(found.before, seen(old, BEFORE), atol=1e-9)
    np.testing.assert_allclose(found.after, seen(new, AFTER), atol=1e-9)
    np.testing.assert_allclose(found.before + whole(found), found.after, rtol=0, atol=1e-6)


@pytest.mark.parametrize("target", ["churn", "nps", "value"])
def test_each_part_is_the_mean_over_the_orders(target: str) -> None:
    """Replace the three one after the other in all six orders and compare the totals."""
    old, new = small_bundle(target), small_bundle(target, OTHER[target], seed=2)
    expected = dict.fromkeys(("data", "model", "calibration"), 0.0)
    for order in permutations(expected):
        state = {"data": BEFORE, "model": old, "calibration": old.calibrator}
        last = seen(old, BEFORE)
        for name in order:
            state[name] = {"data": AFTER, "model": new, "calibration": new.calibrator}[name]
            now = seen(replace(state["model"], calibrator=state["calibration"]), state["data"])
            expected[name] = expected[name] + (now - last) / 6
            last = now
    found = split_score_change(old, new, BEFORE, AFTER)
    np.testing.assert_allclose(found.data.sum(axis=1), expected["data"], atol=1e-6)
    np.testing.assert_allclose(found.model.sum(axis=1), expected["model"], atol=1e-6)
    np.testing.assert_allclose(found.calibration, expected["calibration"], atol=1e-6)


def test_what_did_not_change_has_no_part() -> None:
    old, new = small_bundle("churn"), small_bundle("churn", "platt")
    same_rows = split_score_change(old, new, BEFORE, BEFORE)
    assert not same_rows.data.any()
    assert not same_rows.model.any()  # the same trees
    assert np.abs(same_rows.calibration).max() > 1
    same_model = split_score_change(old, old, BEFORE, AFTER)
    assert not same_model.model.any()
    assert not same_model.calibration.any()
    assert np.abs(same_model.data).max() > 1


def test_the_reverse_change_has_opposite_parts() -> None:
    old, new = small_bundle("nps"), small_bundle("nps", "vector", seed=2)
    forth, back = (
        split_score_change(old, new, BEFORE, AFTER),
        split_score_change(new, old, AFTER, BEFORE),
    )
    places = [back.columns.index(c) for c in forth.columns]
    np.testing.assert_allclose(forth.data, -back.data[:, places], atol=1e-4)
    np.testing.assert_allclose(forth.model, -back.model[:, places], atol=1e-4)


def test_a_new_spend_level_is_a_separate_part() -> None:
    old = small_bundle("value")
    richer = BEFORE
    for name in ("revenue_90d", "revenue_365d", "revenue_all"):
        place = richer.schema.get_field_index(name)
        richer = richer.set_column(place, name, [3 * BEFORE[name].to_numpy()])
    found = split_score_change(old, old, BEFORE, richer)
    level = found.data[:, found.columns.index(SPEND)]
    assert (level[BEFORE["orders_90d"].to_numpy() > 0] > 0).all()
    assert not found.data[:, found.columns.index(AVERAGE)].any()


def test_another_objective_is_one_part() -> None:
    old = small_bundle("value")
    table = customers(seed=3)
    y = np.ones(table.num_rows) + table["visits_90d"].to_numpy()
    params = Params(max_rounds=5, objective="tweedie")
    estimator = Estimator.fit("regression", LabelledRows(table, y), None, params)
    found = split_score_change(old, replace(old, estimator=estimator), BEFORE, AFTER)
    assert not found.model[:, :-1].any()
    np.testing.assert_allclose(found.before + whole(found), found.after, atol=1e-6)


def test_only_models_of_one_target_and_the_same_customers_are_compared() -> None:
    with pytest.raises(DataRefused, match="churn with 2 classes and nps with 3"):
        split_score_change(small_bundle("churn"), small_bundle("nps"), BEFORE, AFTER)
    with pytest.raises(DataRefused, match="40 rows before and 3 after are not of the same"):
        split_score_change(small_bundle("churn"), small_bundle("churn"), BEFORE, AFTER.slice(0, 3))
