"""Groups of customers: the leaves of scikit-learn's own tree, found again from plain numbers."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeRegressor

from models.learners.leaf_groups import FEWEST_ROWS, MOST_CELLS, LeafGroups


def drawn(seed: int, rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three columns, one of whole numbers, and an outcome that depends on two of them."""
    rng = np.random.default_rng(seed)
    inputs = np.column_stack(
        [rng.normal(size=rows), rng.integers(0, 8, rows).astype(float), rng.random(rows) * 1e6]
    )
    return inputs, inputs[:, 0] + 3 * (inputs[:, 1] > 4) + rng.normal(size=rows) * 0.1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_the_leaf_is_the_one_scikit_learn_applies(seed: int) -> None:
    inputs, outcome = drawn(seed)
    cells = LeafGroups.fit(inputs, outcome)
    oracle = DecisionTreeRegressor(
        max_leaf_nodes=MOST_CELLS, min_samples_leaf=len(outcome) // 4, random_state=0
    ).fit(inputs, outcome)
    fresh, _ = drawn(seed + 1)
    on_edges = np.repeat(fresh[: len(cells.threshold)], 3, axis=1)[:, :3].copy()
    for row, (column, edge) in enumerate(zip(cells.feature, cells.threshold, strict=True)):
        if column >= 0:
            on_edges[row, column] = edge
    assert any(column >= 0 for column in cells.feature)
    for asked in (inputs, fresh, on_edges, np.nextafter(on_edges, np.inf)):
        np.testing.assert_array_equal(cells.of(asked), oracle.apply(asked))


def test_a_value_on_the_edge_goes_left_even_in_double_precision() -> None:
    cells = LeafGroups([0, -1, -1], [0.5, 0.0, 0.0], [1, -1, -1], [2, -1, -1])
    asked = np.array([[0.4], [0.5], [np.nextafter(0.5, 1)], [0.6]])
    assert cells.of(asked).tolist() == [1, 1, 1, 2]  # the third is 0.5 in single precision
    assert cells.leaves == [1, 2]


def test_no_rows_have_no_leaf_and_one_leaf_holds_all() -> None:
    cells = LeafGroups([-1], [0.0], [-1], [-1])
    assert cells.of(np.zeros((0, 2))).tolist() == []
    assert cells.of(np.zeros((3, 2))).tolist() == [0, 0, 0]
    assert LeafGroups.fit(np.zeros((10, 1)), np.arange(10.0)).leaves == [0]


@pytest.mark.parametrize(("rows", "least"), [(400, 100), (1600, 400), (12_000, FEWEST_ROWS)])
def test_every_group_has_enough_rows(rows: int, least: int) -> None:
    inputs, outcome = drawn(3, rows)
    cells = LeafGroups.fit(inputs, outcome)
    leaf, counts = np.unique(cells.of(inputs), return_counts=True)
    assert leaf.tolist() == cells.leaves
    assert counts.min() >= least
    assert 2 <= len(leaf) <= MOST_CELLS


def test_json_keeps_every_number() -> None:
    cells = LeafGroups.fit(*drawn(5))
    assert LeafGroups(**json.loads(json.dumps(asdict(cells)))) == cells
