"""Contributions at a leaf against the definition of Shapley values; all variants of the lookup."""

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.explain.treeshap import bulk, paths
from models.explain.treeshap.bulk import bulk_contributions
from models.explain.treeshap.paths import LeafPath
from support.small_models import customers, small_bundle


def by_definition(share: list[float], satisfied: list[int], value: float) -> list[float]:
    """The average gain of adding a column, over all orders (Shapley 1953)."""
    count = len(share)

    def worth(inside: tuple[int, ...]) -> float:
        parts = [satisfied[i] if i in inside else share[i] for i in range(count)]
        return value * float(np.prod(parts))

    found = []
    for j in range(count):
        others = [i for i in range(count) if i != j]
        found.append(
            sum(
                factorial(size) * factorial(count - size - 1) / factorial(count)
                * (worth((*inside, j)) - worth(inside))
                for size in range(count)
                for inside in combinations(others, size)
            )
        )  # fmt: skip
    return found


@given(
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5),
    st.floats(-10, 10),
    st.integers(0, 31),
)
def test_the_table_of_a_leaf_holds_shapley_values(
    share: list[float], value: float, drawn: int
) -> None:
    pattern = drawn % 2 ** len(share)
    satisfied = [(pattern >> j) & 1 for j in range(len(share))]
    path = LeafPath({}, dict(enumerate(share)), value)
    expected = by_definition(share, satisfied, value)
    np.testing.assert_allclose(path.shapley_table()[pattern], expected, rtol=0, atol=1e-12)


def test_path_shares_multiply_to_the_share_of_training_rows() -> None:
    for tree in list(small_bundle("churn").estimator.forest())[:10]:
        found = sorted(float(np.prod([*p.share.values()])) for p in paths.paths(tree))
        np.testing.assert_allclose(found, sorted(tree.leaf_count / tree.split_count[0]))


@pytest.mark.parametrize(("small", "widest"), [(8, 11), (0, 11), (0, 2), (3, 1)])
@pytest.mark.parametrize("target", ["churn", "nps"])
def test_every_lookup_variant_equals_lightgbm(
    target: str, small: int, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "MAX_LOOKUP_SPLITS", small)
    monkeypatch.setattr(paths, "MAX_TABLE_COLUMNS", widest)
    bulk._compiled_trees.cache_clear()
    estimator = small_bundle(target).estimator
    rows = customers(seed=3, rows=600)  # more than one block
    theirs = estimator.contributions(rows)
    ours = bulk_contributions(estimator, estimator.encoder.encode(rows))
    np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=0, atol=1e-12)
    bulk._compiled_trees.cache_clear()
