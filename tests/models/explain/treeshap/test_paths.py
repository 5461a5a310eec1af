"""What a column adds at a leaf, beside Shapley's own definition; every way of the compiled pass."""

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
    """The average gain of letting a column in, over all orders (Shapley 1953)."""
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
def test_the_answers_of_a_leaf_are_shapley_values(
    share: list[float], value: float, drawn: int
) -> None:
    pattern = drawn % 2 ** len(share)
    satisfied = [(pattern >> j) & 1 for j in range(len(share))]
    path = LeafPath({}, dict(enumerate(share)), value)
    expected = by_definition(share, satisfied, value)
    np.testing.assert_allclose(path.answers()[pattern], expected, rtol=0, atol=1e-12)


def test_the_ways_to_the_leaves_hold_all_training_rows() -> None:
    """The shares of a way multiply to the share of the rows that came to its leaf."""
    for tree in list(small_bundle("churn").estimator.forest())[:10]:
        found = sorted(float(np.prod([*p.share.values()])) for p in paths.paths(tree))
        np.testing.assert_allclose(found, sorted(tree.leaf_count / tree.split_count[0]))


@pytest.mark.parametrize(("small", "widest"), [(8, 11), (0, 11), (0, 2), (3, 1)])
@pytest.mark.parametrize("target", ["churn", "nps"])
def test_however_it_is_looked_up_the_numbers_are_lightgbms(
    target: str, small: int, widest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "SMALL", small)
    monkeypatch.setattr(paths, "WIDEST", widest)
    bulk._laid_out.cache_clear()
    estimator = small_bundle(target).estimator
    rows = customers(seed=3, rows=600)  # more than the pass does together
    theirs = estimator.contributions(rows)
    ours = bulk_contributions(estimator, estimator.encoder.encode(rows))
    np.testing.assert_allclose(ours, theirs.reshape(ours.shape), rtol=0, atol=1e-12)
    bulk._laid_out.cache_clear()
