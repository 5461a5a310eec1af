"""Prediction intervals: by hand on few numbers, and by their coverage of new rows."""

import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.tree import DecisionTreeRegressor

from models.learners.prediction_intervals import (
    MAX_GROUPS,
    MIN_GROUP_ROWS,
    LeafGroups,
    LevelIntervals,
    ValueIntervals,
    central_interval,
    recency_weight,
    shortest_level_run,
)


@pytest.mark.parametrize(
    ("outcome", "low", "high"),
    [
        (
            np.arange(1.0, 101),
            5,
            95,
        ),  # 5 is the fifth; 91 of 100 (0.9 of 101, rounded up) from there
        (np.r_[np.zeros(50), np.arange(1.0, 51)], 0, 41),  # nothing lies below: 50 zeros, then 41
        (np.r_[np.zeros(95), np.full(5, 9.0)], 0, 0),  # more than 90% spend nothing
        (np.r_[np.full(10, -7.0), np.arange(90.0)], -7, 80),  # more returned than bought
        (np.arange(10.0), 0, 9),  # too few to exclude any
        (np.array([3.0]), 3, 3),
    ],
)
def test_central_interval_by_hand(outcome: np.ndarray, low: float, high: float) -> None:
    shuffled = np.random.default_rng(0).permutation(outcome)
    assert central_interval(shuffled) == (low, high)


@given(arrays(np.float64, st.integers(1, 300), elements=st.sampled_from([0, 0, 0, 1, 2, 5, 9.5])))
def test_central_interval_covers_90_percent_with_ties(outcome: np.ndarray) -> None:
    low, high = central_interval(outcome)
    assert ((outcome >= low) & (outcome <= high)).mean() >= 0.9
    assert (outcome < low).mean() <= 0.05


@given(
    arrays(np.float64, 40, elements=st.sampled_from([0, 0, 1, 2, 5, 9.5])),
    arrays(np.int64, 40, elements=st.integers(1, 4)),
)
def test_a_row_with_a_whole_weight_counts_as_so_many_rows(
    outcome: np.ndarray, times: np.ndarray
) -> None:
    """But for the one row more of conformal prediction, which weighs as a mean row."""
    low, high = central_interval(outcome, times.astype(float))
    covered = np.repeat((outcome >= low) & (outcome <= high), times)
    assert covered.mean() >= 0.9
    assert np.repeat(outcome < low, times).mean() <= 0.05
    assert central_interval(outcome, np.full(40, 7.0)) == central_interval(outcome)


def test_later_cutoffs_weigh_more() -> None:
    days = np.array([0, 365, 730], np.int64) * 86_400_000_000
    assert recency_weight(days).tolist() == [0.25, 0.5, 1.0]
    outcome = np.r_[np.zeros(300), np.full(100, 50.0)]  # the later ones spend
    weight = np.r_[np.full(300, 0.05), np.ones(100)]
    assert central_interval(outcome, weight) == (0, 50)
    assert central_interval(np.r_[np.zeros(380), np.full(20, 50.0)]) == (0, 0)


def customers(rows: int, seed: int) -> tuple[pa.Table, np.ndarray, np.ndarray, np.ndarray]:
    """Features, predicted multiple, level and outcome; the young spend less and vary more."""
    rng = np.random.default_rng(seed)
    tenure = rng.uniform(0, 2000, rows)
    level = np.exp(rng.normal(5, 1, rows))
    multiple = rng.uniform(0.5, 1.5, rows)
    usual, spread = np.where(tenure < 400, 0.4, 1.0), np.where(tenure < 400, 0.6, 0.1)
    y = level * multiple * usual * np.exp(spread * rng.normal(size=rows))
    return pa.table({"tenure_days": tenure}), multiple, level, y


@pytest.fixture(scope="module")
def learnt() -> ValueIntervals:
    return ValueIntervals.fit(*customers(40_000, seed=1), *each_once(40_000))


def each_once(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Customer and cutoff of rows that are all of other customers, at one cutoff."""
    return np.arange(rows), np.zeros(rows, np.int64)


def test_groups_that_spend_nothing_are_told_apart() -> None:
    tenure = np.repeat([100.0, 1000.0], 2000)
    rng = np.random.default_rng(1)
    y = np.where((tenure < 400) & (rng.random(4000) < 0.97), 0.0, rng.uniform(5, 10, 4000))
    table, ones = pa.table({"tenure_days": tenure}), np.ones(4000)
    ranges = ValueIntervals.fit(table, ones, ones, y, *each_once(4000))
    nothing = ranges.spends_nothing(table, ones, ones)
    assert nothing.tolist() == (tenure < 400).tolist()
    _, high = ranges.predict(table, np.full(4000, 0.2), ones)
    assert set(high[nothing]) == {0.2}  # an interval contains its prediction


def test_value_intervals_cover_90_percent_of_new_outcomes_in_every_group(
    learnt: ValueIntervals,
) -> None:
    features, multiple, level, y = customers(100_000, seed=2)
    low, high = learnt.predict(features, multiple * level, level)
    inside = (y >= low) & (y <= high)
    assert 0.89 < inside.mean() < 0.91
    young = features["tenure_days"].to_numpy() < 400
    assert 0.88 < inside[young].mean() < 0.92
    assert 0.88 < inside[~young].mean() < 0.92
    history = [multiple, np.log(level), features["tenure_days"].to_numpy()]
    leaf = learnt.cells.assign(np.column_stack(history))
    held = [inside[leaf == node].mean() for node in learnt.cells.leaves]
    assert len(held) > 5
    assert min(held) > 0.85  # the limits of a group are estimated from 400 to 1,500 rows
    assert max(held) < 0.94


def test_value_intervals_contain_the_prediction_and_scale_with_the_level(
    learnt: ValueIntervals,
) -> None:
    features, _, level, _ = customers(200, seed=3)
    for value in (np.zeros(200), 100 * level):
        low, high = learnt.predict(features, value, level)
        assert (low <= value).all()
        assert (value <= high).all()


def test_absent_columns_are_skipped_and_missing_values_form_a_group() -> None:
    features, multiple, level, y = customers(2000, seed=4)
    tenure = features["tenure_days"].to_numpy().copy()
    tenure[::2] = np.nan
    y[::2] *= 50  # customers of unknown tenure spend more
    table = pa.table({"tenure_days": tenure, "other": tenure})
    ranges = ValueIntervals.fit(table, multiple, level, y, *each_once(2000))
    assert ranges.columns == ("tenure_days",)
    _, high = ranges.predict(table, multiple * level, level)
    ratio = np.median((high / level)[::2]) / np.median((high / level)[1::2])
    assert ratio > 10


def test_the_manifest_round_trip_gives_the_same_intervals(learnt: ValueIntervals) -> None:
    again = ValueIntervals.from_dict(json.loads(json.dumps(learnt.to_dict())))
    assert again == learnt
    features, multiple, level, _ = customers(50, seed=5)
    for one, other in zip(
        learnt.predict(features, multiple, level),
        again.predict(features, multiple, level),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


def test_the_shortest_run_of_levels_by_hand() -> None:
    shares = np.array(
        [
            [0.95, 0.05, 0, 0, 0],  # one level is enough
            [0.1, 0.5, 0.35, 0.05, 0],  # two adjacent levels hold 0.85, three 0.95
            [0.5, 0, 0, 0, 0.5],  # only all five levels contain both ends
            [0, 0.45, 0.05, 0.45, 0.05],
            [0.2, 0.2, 0.2, 0.2, 0.2],
        ]
    )
    low, high = shortest_level_run(shares, 0.9)
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == [
        (0, 0), (0, 2), (0, 4), (1, 3), (0, 4),
    ]  # fmt: skip
    assert LevelIntervals(0.5).predict(shares)[0].tolist() == [0, 1, 0, 1, 0]


@given(st.integers(0, 10_000), st.floats(0.5, 0.99))
def test_no_shorter_run_has_enough_probability(seed: int, enough: float) -> None:
    shares = np.random.default_rng(seed).dirichlet(np.full(5, 0.5), 10)
    for row, first, last in zip(shares, *shortest_level_run(shares, enough), strict=True):
        runs = {(a, b): row[a : b + 1].sum() for a in range(5) for b in range(a, 5)}
        assert runs[first, last] >= enough - 1e-9
        shorter = [m for (a, b), m in runs.items() if b - a < last - first]
        assert not shorter or max(shorter) < enough + 1e-9


def answers(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Overconfident shares of five levels, and the actual levels."""
    rng = np.random.default_rng(seed)
    true = rng.dirichlet(np.array([1, 2, 4, 6, 3.0]), rows)
    y = (rng.random(rows)[:, None] > true.cumsum(axis=1)).sum(axis=1).clip(0, 4)
    sure = true**2
    return sure / sure.sum(axis=1, keepdims=True), y.astype(float)


def test_level_intervals_cover_90_percent_with_overconfident_shares() -> None:
    shares, y = answers(20_000, seed=1)
    ranges = LevelIntervals.fit(shares, y, np.ones(len(y)))
    assert ranges.enough > 0.92  # a nominal 0.9 covers less
    fresh, later = answers(40_000, seed=2)
    low, high = ranges.predict(fresh)
    assert 0.89 < ((later >= low) & (later <= high)).mean() < 0.92
    assert (high - low).max() < 5
    assert (high - low).mean() < 3.5
    assert LevelIntervals(**json.loads(json.dumps(asdict(ranges)))) == ranges


def test_weights_count_and_unreachable_coverage_takes_all_levels() -> None:
    shares = np.tile([0.6, 0.4, 0.0], (10, 1))
    y = np.r_[np.zeros(8), 1.0, 1.0]
    even = LevelIntervals.fit(shares, y, np.ones(10))
    assert even.enough > 0.6  # 80% is too little, so both levels are included
    heavy = LevelIntervals.fit(shares, y, np.r_[np.full(8, 10.0), 1.0, 1.0])
    assert heavy.enough == 0.5  # 80 of 82 parts are level 0
    never = LevelIntervals.fit(np.tile([1.0, 0.0, 0.0], (5, 1)), np.full(5, 2.0), np.ones(5))
    assert [v.tolist() for v in never.predict(np.array([[0.3, 0.3, 0.4]]))] == [[0], [2]]


def simulated_rows(seed: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three columns, one of whole numbers, and an outcome that depends on two of them."""
    rng = np.random.default_rng(seed)
    inputs = np.column_stack(
        [rng.normal(size=rows), rng.integers(0, 8, rows).astype(float), rng.random(rows) * 1e6]
    )
    return inputs, inputs[:, 0] + 3 * (inputs[:, 1] > 4) + rng.normal(size=rows) * 0.1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_leaf_equals_that_of_scikit_learn(seed: int) -> None:
    inputs, outcome = simulated_rows(seed)
    groups = LeafGroups.fit(inputs, outcome)
    oracle = DecisionTreeRegressor(
        max_leaf_nodes=MAX_GROUPS, min_samples_leaf=len(outcome) // 4, random_state=0
    ).fit(inputs, outcome)
    fresh, _ = simulated_rows(seed + 1)
    on_edges = np.repeat(fresh[: len(groups.threshold)], 3, axis=1)[:, :3].copy()
    for row, (column, edge) in enumerate(zip(groups.feature, groups.threshold, strict=True)):
        if column >= 0:
            on_edges[row, column] = edge
    assert any(column >= 0 for column in groups.feature)
    for asked in (inputs, fresh, on_edges, np.nextafter(on_edges, np.inf)):
        np.testing.assert_array_equal(groups.assign(asked), oracle.apply(asked))


def test_a_value_at_the_threshold_goes_left_in_double_precision() -> None:
    groups = LeafGroups([0, -1, -1], [0.5, 0.0, 0.0], [1, -1, -1], [2, -1, -1])
    asked = np.array([[0.4], [0.5], [np.nextafter(0.5, 1)], [0.6]])
    assert groups.assign(asked).tolist() == [1, 1, 1, 2]  # the third is 0.5 in single precision
    assert groups.leaves == [1, 2]


def test_no_rows_have_no_leaf_and_one_leaf_holds_all() -> None:
    groups = LeafGroups([-1], [0.0], [-1], [-1])
    assert groups.assign(np.zeros((0, 2))).tolist() == []
    assert groups.assign(np.zeros((3, 2))).tolist() == [0, 0, 0]
    assert LeafGroups.fit(np.zeros((10, 1)), np.arange(10.0)).leaves == [0]


@pytest.mark.parametrize(("rows", "least"), [(400, 100), (1600, 400), (12_000, MIN_GROUP_ROWS)])
def test_every_group_has_enough_rows(rows: int, least: int) -> None:
    inputs, outcome = simulated_rows(3, rows)
    groups = LeafGroups.fit(inputs, outcome)
    leaf, counts = np.unique(groups.assign(inputs), return_counts=True)
    assert leaf.tolist() == groups.leaves
    assert counts.min() >= least
    assert 2 <= len(leaf) <= MAX_GROUPS


def test_leaf_groups_survive_a_json_round_trip() -> None:
    groups = LeafGroups.fit(*simulated_rows(5))
    assert LeafGroups(**json.loads(json.dumps(asdict(groups)))) == groups
