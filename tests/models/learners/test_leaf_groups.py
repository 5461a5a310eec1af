"""Leaf groups equal the leaves of scikit-learn's tree."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor

from models.learners.leaf_groups import MAX_GROUPS, MIN_GROUP_ROWS, LeafGroups


def drawn(seed: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three columns, one of whole numbers, and an outcome that depends on two of them."""
    rng = np.random.default_rng(seed)
    inputs = np.column_stack(
        [rng.normal(size=rows), rng.integers(0, 8, rows).astype(float), rng.random(rows) * 1e6]
    )
    return inputs, inputs[:, 0] + 3 * (inputs[:, 1] > 4) + rng.normal(size=rows) * 0.1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_leaf_equals_that_of_scikit_learn(seed: int) -> None:
    inputs, outcome = drawn(seed)
    groups = LeafGroups.fit(inputs, outcome)
    oracle = DecisionTreeRegressor(
        max_leaf_nodes=MAX_GROUPS, min_samples_leaf=len(outcome) // 4, random_state=0
    ).fit(inputs, outcome)
    fresh, _ = drawn(seed + 1)
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
    inputs, outcome = drawn(3, rows)
    groups = LeafGroups.fit(inputs, outcome)
    leaf, counts = np.unique(groups.assign(inputs), return_counts=True)
    assert leaf.tolist() == groups.leaves
    assert counts.min() >= least
    assert 2 <= len(leaf) <= MAX_GROUPS


def test_json_keeps_every_number() -> None:
    groups = LeafGroups.fit(*drawn(5))
    assert LeafGroups(**json.loads(json.dumps(asdict(groups)))) == groups
