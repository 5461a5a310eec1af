"""Outputs of each target: hand-computed on calibrated numbers, and from a real model."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.bundles.champions import load_champions
from models.bundles.predict import OUTPUTS, predict
from models.learners.survival_curve import MONTH
from models.targets.outputs import (
    assign_segments,
    churn_outputs,
    class_outputs,
    satisfaction_outputs,
    segment_bounds,
    value_outputs,
    with_typical,
)
from support.trained_company import SAMPLE_TARGETS, trained

NO_FEATURES = pa.table({"days": [1.0, float("nan")]})


def test_satisfaction_outputs_the_expected_level_and_the_share_of_the_two_lowest() -> None:
    shares = np.array([[1, 0, 0, 0, 0], [0.1, 0.2, 0.3, 0.2, 0.2]])
    outputs = satisfaction_outputs(shares, NO_FEATURES, {})
    assert outputs["score"].tolist() == pytest.approx([0, 0.2 * 25 + 0.3 * 50 + 0.2 * 75 + 20])
    assert outputs["dissatisfied"].tolist() == pytest.approx([1, 0.3])


def test_the_satisfaction_interval_is_a_run_of_levels_around_the_score() -> None:
    shares = np.array([[0.02, 0.03, 0.05, 0.5, 0.4], [0.0, 0.0, 0.0, 0.05, 0.95]])
    outputs = satisfaction_outputs(shares, NO_FEATURES, {"ranges": {"enough": 0.9}})
    assert outputs["low"].tolist() == [75, pytest.approx(98.75)]  # down to the score itself
    assert outputs["high"].tolist() == [100, 100]
    assert outputs["score"].tolist() == pytest.approx([80.75, 98.75])


def test_a_model_without_intervals_and_survival_outputs_nan() -> None:
    manifest = {"population": None, "segments": BOUNDS}
    satisfied = satisfaction_outputs(np.full((2, 5), 0.2), NO_FEATURES, manifest)
    leaving = churn_outputs(np.array([0.1, 0.9]), NO_FEATURES, manifest)
    worth = value_outputs(np.array([5.0, 50]), NO_FEATURES, manifest)
    assert leaving["survival"].shape == (2, 13)
    for unknown in (satisfied["low"], satisfied["high"], leaving["months_left"],
                    leaving["survival"], worth["low"], worth["high"]):  # fmt: skip
        assert np.isnan(unknown).all()


def test_survival_starts_from_the_churn_probability() -> None:
    never = {"level": [-50.0] * 12, "slope": 0.0, "anchor": 0.0, "learnt": 12}
    outputs = churn_outputs(
        np.array([0.1, 0.9]), NO_FEATURES, {"population": None, "survival": never}
    )
    np.testing.assert_allclose(
        outputs["survival"], np.repeat([[0.9], [0.1]], 13, axis=1), rtol=1e-4
    )
    np.testing.assert_allclose(outputs["months_left"], [10.8, 1.2], rtol=1e-4)


def test_the_value_interval_is_a_multiple_of_the_spending_level() -> None:
    spending = {
        "tenure_days": [900.0],
        "revenue_90d": [100.0],
        "revenue_365d": [0.0],
        "revenue_all": [0.0],
    }
    one_leaf = {"feature": [-1], "threshold": [0.0], "left": [-1], "right": [-1]}
    manifest = {
        "segments": BOUNDS,
        "spend_level": {"horizon_days": 90, "floor": 20.0},
        "ranges": {"cells": one_leaf, "columns": ["tenure_days"], "low": [0.5], "high": [2.0]},
    }
    outputs = value_outputs(np.array([130.0]), pa.table(spending), manifest)
    assert (outputs["low"][0], outputs["high"][0]) == (60, 240)  # the level is 20 + 100
    beyond = value_outputs(np.array([500.0]), pa.table(spending), manifest)
    assert (beyond["low"][0], beyond["high"][0]) == (60, 500)


def test_nps_outputs_the_most_probable_class_and_each_probability() -> None:
    manifest = {"classes": ["detractor", "passive", "promoter"]}
    outputs = class_outputs(np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]]), NO_FEATURES, manifest)
    assert outputs["class"].tolist() == ["passive", "detractor"]
    assert outputs["promoter"].tolist() == [0.3, 0.1]


def test_churn_outputs_the_probability_and_the_population() -> None:
    manifest = {"population": {"column": "days", "at_least": 0, "at_most": None}}
    outputs = churn_outputs(np.array([0.1, 0.9]), NO_FEATURES, manifest)
    np.testing.assert_array_equal(outputs["probability"], [0.1, np.nan])
    assert outputs["in_population"].tolist() == [True, False]
    everyone = churn_outputs(np.array([0.1, 0.9]), NO_FEATURES, {"population": None})
    assert everyone["in_population"].tolist() == [True, True]


def test_the_interval_of_a_value_contains_its_median_too() -> None:
    outputs = with_typical(
        {
            "expected": np.array([5.0, 5]),
            "low": np.array([1.0, np.nan]),
            "high": np.array([9.0, np.nan]),
        },
        np.array([0.5, 2.0]),
    )
    assert outputs["low"].tolist() == [0.5, pytest.approx(np.nan, nan_ok=True)]
    assert outputs["high"][0] == 9
    assert outputs["typical"].tolist() == [0.5, 2.0]


BOUNDS = [{"name": "top", "at_least": 100.0}, {"name": "high", "at_least": 10.0},
          {"name": "middle", "at_least": 1.0}, {"name": "low", "at_least": None}]  # fmt: skip


def test_a_segment_includes_its_lower_bound() -> None:
    expected = np.array([1e9, 100, 99.999, 10, 9.999, 1, 0.999, -5])
    assert assign_segments(expected, BOUNDS).tolist() == [
        "top", "top", "high", "high", "middle", "middle", "low", "low",
    ]  # fmt: skip
    assert value_outputs(expected, NO_FEATURES, {"segments": BOUNDS})["expected"] is expected


def test_segments_hold_5_15_30_and_50_percent() -> None:
    expected = np.random.default_rng(2).permutation(1000).astype(float)
    names, counts = np.unique(
        assign_segments(expected, segment_bounds(expected)), return_counts=True
    )
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "top": 50, "high": 150, "middle": 300, "low": 500,
    }  # fmt: skip


def test_equal_values_share_a_segment() -> None:
    assert set(assign_segments(np.zeros(10), segment_bounds(np.zeros(10))).tolist()) == {"low"}


def test_ties_are_in_the_lower_segment_and_nothing_expected_is_low():
    """Of 100 customers, 90 are expected to bring nothing: three quarters of them were "high" once."""
    expected = np.r_[np.zeros(90), np.full(7, 5.0), [6.0, 7.0, 8.0]]
    found = assign_segments(expected, segment_bounds(expected)).tolist()
    assert found == ["low"] * 90 + ["high"] * 7 + ["top"] * 3
    former = [{"name": n, "at_least": 0.0} for n in ("top", "high", "middle")]
    bounds = [*former, {"name": "low", "at_least": None}]
    assert assign_segments(np.array([0.0, -1.0, 2.0]), bounds).tolist() == ["low", "low", "top"]


@given(st.lists(st.integers(-3, 12), min_size=1, max_size=200))
def test_no_segment_is_larger_than_its_share(values):
    expected = np.array(values, float)
    found = assign_segments(expected, segment_bounds(expected))
    for upper, share in ((["top"], 0.05), (["top", "high"], 0.2), (["top", "high", "middle"], 0.5)):
        assert np.isin(found, upper).sum() <= max(1, share * len(expected) + 1e-9)
    for value in np.unique(expected):
        assert len(set(found[expected == value])) == 1


@pytest.mark.parametrize("target", SAMPLE_TARGETS)
def test_the_outputs_of_a_real_model_are_complete_and_in_range(target: str) -> None:
    workspace = trained()[0]
    bundle = load_champions(workspace.serving("sample"))[0][target]
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet")
    outputs = predict(bundle, table)
    assert tuple(outputs) == OUTPUTS[target]
    assert {len(v) for v in outputs.values()} == {table.num_rows}
    for name in ("dissatisfied", "probability", "detractor", "passive", "promoter"):
        if name in outputs:
            scored = outputs[name][outputs.get("in_population", np.ones(table.num_rows, bool))]
            assert scored.min() > 0
            assert scored.max() < 1
    assert outputs["abstain"].dtype == bool
    customers = table["open_contracts"].to_numpy() >= 1
    assert outputs["abstain"][customers].mean() < 0.02
    if target != "value":  # which learns from everybody; others are silent for longer than any
        assert outputs["abstain"][~customers].mean() > 0.02
    if "low" in outputs:
        middle = outputs["score" if target == "satisfaction" else "expected"]
        assert ((outputs["low"] <= middle) & (middle <= outputs["high"])).all()
        assert (outputs["high"] - outputs["low"]).mean() > 0
    if target == "value":
        assert (
            (outputs["low"] <= outputs["typical"]) & (outputs["typical"] <= outputs["high"])
        ).all()
        assert outputs["expected"].min() >= 0
        assert outputs["expected"].sum() > outputs["typical"].sum()
    if target == "satisfaction":
        assert outputs["score"].min() >= 0
        assert outputs["score"].max() <= 100
    if target == "nps":
        np.testing.assert_allclose(sum(outputs[c] for c in bundle.manifest.classes), 1)
    if target == "churn":
        open_contracts = table["open_contracts"].to_numpy()
        inside = outputs["in_population"]
        assert (inside == (open_contracts >= 1)).all()
        assert outputs["survival"].shape == (table.num_rows, 13)
        for name in ("probability", "months_left", "survival"):  # no figure of who is no customer
            assert np.isnan(outputs[name][~inside]).all()
        survival, months = outputs["survival"][inside], outputs["months_left"][inside]
        assert (np.diff(survival, axis=1) <= 0).all()
        horizon = bundle.manifest.horizon_days / MONTH
        stay = [np.interp(horizon, np.arange(13), np.log(row)) for row in survival]
        np.testing.assert_allclose(np.exp(stay), 1 - outputs["probability"][inside], atol=1e-9)
        assert ((months > 0) & (months <= 12)).all()
    if target == "value":
        np.testing.assert_array_equal(
            outputs["segment"], assign_segments(outputs["expected"], bundle.manifest.segments)
        )
