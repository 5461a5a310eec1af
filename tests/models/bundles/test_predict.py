"""What people get of each target: outputs by eye on calibrated numbers, and on a real model."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.bundles.predict import MIXES, OUTPUTS, predict
from models.learners.survival_curve import MONTH
from models.scoring.batch import champions
from models.targets.outputs import (
    class_and_shares,
    level_and_dissatisfied,
    probability,
    segment_bounds,
    segments,
    value_and_segment,
)
from models.targets.registry import TARGETS
from support.trained_company import trained

NO_FEATURES = pa.table({"days": [1.0, float("nan")]})


def test_satisfaction_is_the_expected_level_and_the_two_lowest() -> None:
    shares = np.array([[1, 0, 0, 0, 0], [0.1, 0.2, 0.3, 0.2, 0.2]])
    answer = level_and_dissatisfied(shares, NO_FEATURES, {})
    assert answer["score"].tolist() == pytest.approx([0, 0.2 * 25 + 0.3 * 50 + 0.2 * 75 + 20])
    assert answer["dissatisfied"].tolist() == pytest.approx([1, 0.3])


def test_the_range_of_satisfaction_is_a_run_of_levels_that_holds_the_score() -> None:
    shares = np.array([[0.02, 0.03, 0.05, 0.5, 0.4], [0.0, 0.0, 0.0, 0.05, 0.95]])
    answer = level_and_dissatisfied(shares, NO_FEATURES, {"ranges": {"enough": 0.9}})
    assert answer["low"].tolist() == [75, pytest.approx(98.75)]  # down to the score itself
    assert answer["high"].tolist() == [100, 100]
    assert answer["score"].tolist() == pytest.approx([80.75, 98.75])


def test_an_older_model_cannot_tell_ranges_and_curves() -> None:
    manifest = {"population": None, "segments": BOUNDS}
    satisfied = level_and_dissatisfied(np.full((2, 5), 0.2), NO_FEATURES, manifest)
    leaving = probability(np.array([0.1, 0.9]), NO_FEATURES, manifest)
    worth = value_and_segment(np.array([5.0, 50]), NO_FEATURES, manifest)
    assert leaving["survival"].shape == (2, 13)
    for unknown in (satisfied["low"], satisfied["high"], leaving["months_left"],
                    leaving["survival"], worth["low"], worth["high"]):  # fmt: skip
        assert np.isnan(unknown).all()


def test_how_long_he_stays_starts_from_the_chance_of_leaving() -> None:
    never = {"level": [-50.0] * 12, "slope": 0.0, "anchor": 0.0, "learnt": 12}
    answer = probability(np.array([0.1, 0.9]), NO_FEATURES, {"population": None, "survival": never})
    np.testing.assert_allclose(answer["survival"], np.repeat([[0.9], [0.1]], 13, axis=1), rtol=1e-4)
    np.testing.assert_allclose(answer["months_left"], [10.8, 1.2], rtol=1e-4)


def test_the_range_of_value_is_a_multiple_of_the_level() -> None:
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
    answer = value_and_segment(np.array([130.0]), pa.table(spending), manifest)
    assert (answer["low"][0], answer["high"][0]) == (60, 240)  # the level is 20 + 100
    beyond = value_and_segment(np.array([500.0]), pa.table(spending), manifest)
    assert (beyond["low"][0], beyond["high"][0]) == (60, 500)


def test_nps_is_the_likeliest_class_and_every_share() -> None:
    manifest = {"classes": ["detractor", "passive", "promoter"]}
    answer = class_and_shares(np.array([[0.2, 0.5, 0.3], [0.6, 0.3, 0.1]]), NO_FEATURES, manifest)
    assert answer["class"].tolist() == ["passive", "detractor"]
    assert answer["promoter"].tolist() == [0.3, 0.1]


def test_churn_is_the_probability_and_whom_it_is_about() -> None:
    manifest = {"population": {"column": "days", "at_least": 0, "at_most": None}}
    answer = probability(np.array([0.1, 0.9]), NO_FEATURES, manifest)
    assert answer["probability"].tolist() == [0.1, 0.9]
    assert answer["in_population"].tolist() == [True, False]
    everyone = probability(np.array([0.1, 0.9]), NO_FEATURES, {"population": None})
    assert everyone["in_population"].tolist() == [True, True]


BOUNDS = [{"name": "top", "at_least": 100.0}, {"name": "high", "at_least": 10.0},
          {"name": "middle", "at_least": 1.0}, {"name": "low", "at_least": None}]  # fmt: skip


def test_a_segment_begins_at_its_bound() -> None:
    expected = np.array([1e9, 100, 99.999, 10, 9.999, 1, 0.999, -5])
    assert segments(expected, BOUNDS).tolist() == [
        "top", "top", "high", "high", "middle", "middle", "low", "low",
    ]  # fmt: skip
    assert value_and_segment(expected, NO_FEATURES, {"segments": BOUNDS})["expected"] is expected


def test_segments_hold_5_15_30_and_50_percent() -> None:
    expected = np.random.default_rng(2).permutation(1000).astype(float)
    names, counts = np.unique(segments(expected, segment_bounds(expected)), return_counts=True)
    assert dict(zip(names.tolist(), counts.tolist(), strict=True)) == {
        "top": 50, "high": 150, "middle": 300, "low": 500,
    }  # fmt: skip


def test_equal_values_share_a_segment() -> None:
    assert set(segments(np.zeros(10), segment_bounds(np.zeros(10))).tolist()) == {"top"}


@pytest.mark.parametrize("target", TARGETS)
def test_the_outputs_of_a_real_model_are_complete_and_in_range(target: str) -> None:
    workspace = trained()[0]
    bundle = champions(workspace.serving("sample"))[0][target]
    table = pq.read_table(workspace.features("sample") / "snapshot.parquet")
    answer = predict(bundle, table)
    assert tuple(answer) == OUTPUTS[target]
    assert {len(v) for v in answer.values()} == {table.num_rows}
    for name in ("dissatisfied", "probability", "detractor", "passive", "promoter"):
        if name in answer:
            assert answer[name].min() > 0
            assert answer[name].max() < 1
    assert answer["abstain"].dtype == bool
    customers = table["open_contracts"].to_numpy() >= 1  # others may be silent for longer than any
    assert answer["abstain"][customers].mean() < 0.02 < answer["abstain"][~customers].mean()
    if "low" in answer:
        middle = answer["score" if target == "satisfaction" else "expected"]
        assert ((answer["low"] <= middle) & (middle <= answer["high"])).all()
        assert (answer["high"] - answer["low"]).mean() > 0
    if target == "satisfaction":
        assert answer["score"].min() >= 0
        assert answer["score"].max() <= 100
    if target == "nps":
        np.testing.assert_allclose(sum(answer[c] for c in bundle.manifest["classes"]), 1)
    if target == "churn":
        open_contracts = table["open_contracts"].to_numpy()
        assert (answer["in_population"] == (open_contracts >= 1)).all()
        assert answer["survival"].shape == (table.num_rows, 13)
        assert (np.diff(answer["survival"], axis=1) <= 0).all()
        horizon = bundle.manifest["horizon_days"] / MONTH
        stay = [np.interp(horizon, np.arange(13), np.log(row)) for row in answer["survival"]]
        np.testing.assert_allclose(np.exp(stay), 1 - answer["probability"], atol=1e-9)
        assert ((answer["months_left"] > 0) & (answer["months_left"] <= 12)).all()
    if target == "value":
        np.testing.assert_array_equal(
            answer["segment"], segments(answer["expected"], bundle.manifest["segments"])
        )
    assert (target in MIXES) == (TARGETS[target].kind in {"ordinal", "multiclass"})
