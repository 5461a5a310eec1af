"""AHP weights against published examples, another implementation, and refused matrices."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import ConfigRefused
from insight.value.ahp import (
    MAX_CONSISTENCY_RATIO,
    AhpSettings,
    ahp_weights,
    check_comparison,
    combine_raters,
    find_inconsistent_pair,
    read_comparison,
)

#: Saaty's drinks (consumption in the United States): coffee, wine, tea, beer, sodas, milk, water.
DRINKS = ("coffee", "wine", "tea", "beer", "sodas", "milk", "water")
COMPARISONS = [
    [1, 9, 5, 2, 1, 1, "1/2"],
    ["1/9", 1, "1/3", "1/9", "1/9", "1/9", "1/9"],
    ["1/5", 3, 1, "1/3", "1/4", "1/3", "1/9"],
    ["1/2", 9, 3, 1, "1/2", 1, "1/3"],
    [1, 9, 4, 2, 1, 2, "1/2"],
    [1, 9, 3, 1, "1/2", 1, "1/3"],
    [2, 9, 9, 3, 2, 3, 1],
]


def square(upper: dict[tuple[int, int], float], count: int) -> list[list[float]]:
    matrix = np.ones((count, count))
    for (i, j), value in upper.items():
        matrix[i, j], matrix[j, i] = value, 1 / value
    return matrix.tolist()


def test_published_example_of_saaty() -> None:
    found = check_comparison("Saaty", DRINKS, COMPARISONS)
    assert found.weights == pytest.approx(
        [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327], abs=0.0015
    )
    assert found.ratio == pytest.approx(0.022, abs=0.003)


@given(st.lists(st.sampled_from([1 / 5, 1 / 3, 1 / 2, 1, 2, 3, 5]), min_size=6, max_size=6))
@settings(max_examples=25, deadline=None)
def test_another_implementation_agrees(values: list[float]) -> None:
    ahpy: Any = pytest.importorskip("ahpy")
    names = ("a", "b", "c", "d")
    upper = dict(zip(combinations(range(4), 2), values, strict=True))
    found = read_comparison("r", names, square(upper, 4))
    pairs = {(names[i], names[j]): value for (i, j), value in upper.items()}
    theirs = ahpy.Compare("r", pairs, precision=8, random_index="saaty")
    assert [theirs.local_weights[n] for n in names] == pytest.approx(
        found.weights.tolist(), abs=1e-5
    )
    assert float(theirs.consistency_ratio) == pytest.approx(found.ratio, rel=0.02, abs=1e-6)


@given(st.lists(st.floats(0.2, 5), min_size=3, max_size=6))
def test_consistent_comparisons_recover_the_weights(worth: list[float]) -> None:
    values = np.array(worth)
    found = check_comparison(
        "r", [f"i{k}" for k in range(len(worth))], (values[:, None] / values).tolist()
    )
    assert found.weights == pytest.approx(values / values.sum())
    assert found.ratio == pytest.approx(0, abs=1e-9)


def test_two_items_are_always_consistent() -> None:
    found = check_comparison("r", ["a", "b"], [[1, 3], ["1/3", 1]])
    assert found.weights == pytest.approx([0.75, 0.25])
    assert found.ratio == 0


def test_the_planted_inconsistent_pair_is_found() -> None:
    worth = np.array([4.0, 2.0, 2.0, 1.0])
    matrix = worth[:, None] / worth
    matrix[0, 3], matrix[3, 0] = 1 / 5, 5  # was 4
    odd = read_comparison("Lin", ["price", "service", "image", "staff"], matrix.tolist())
    assert odd.ratio > MAX_CONSISTENCY_RATIO
    pair = find_inconsistent_pair(odd)
    assert (pair.first, pair.second) == ("price", "staff")
    assert pair.implied == pytest.approx(4)
    with pytest.raises(
        ConfigRefused, match=r"Lin .*ratio 0\.\d\d.*price over staff, given as 1/5.* 4"
    ):
        check_comparison("Lin", odd.items, matrix.tolist())


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([[1, 3], [3, 1]], "not reciprocal: a over b is 3, so b over a should be 1/3 and not 3"),
        ([[1, 3], [0.25, 1]], "should be 1/3 and not 0.25"),
        ([[2, 3], ["1/3", 1]], "2 for a over itself; it should be 1"),
        ([[1, -3], ["1/3", 1]], "holds -3; a judgement is a number above 0"),
        ([[1, "three"], ["1/3", 1]], "holds 'three'"),
        ([[1, "1/0"], ["1/3", 1]], "holds '1/0'"),
        ([[1, 3, 2], ["1/3", 1, 2]], "2 rows of 3 numbers; it should have 2 rows of 2"),
    ],
)
def test_invalid_matrices_are_refused(rows: list[list[float | str]], words: str) -> None:
    with pytest.raises(ConfigRefused, match="r") as caught:
        check_comparison("r", ["a", "b"], rows)
    assert words in str(caught.value)


def test_a_rounded_third_is_accepted() -> None:
    assert check_comparison("r", ["a", "b"], [[1, 3], [0.33, 1]]).weights == pytest.approx(
        [0.75, 0.25]
    )


def test_raters_are_combined_by_the_geometric_mean() -> None:
    """The first says 4, the second 1: together 2."""
    first = check_comparison("first", ["a", "b"], [[1, 4], ["1/4", 1]])
    second = check_comparison("second", ["a", "b"], [[1, 1], [1, 1]])
    assert combine_raters([first, second]).matrix == pytest.approx(np.array([[1, 2], [0.5, 1]]))
    with pytest.raises(ConfigRefused, match="third compared b, a, first a, b"):
        combine_raters([first, check_comparison("third", ["b", "a"], [[1, 1], [1, 1]])])


def test_the_interval_is_the_range_of_the_raters() -> None:
    rows: dict[str, list[list[float | str]]] = {"x": [[1, 3], ["1/3", 1]], "y": [[1, 1], [1, 1]]}
    found = ahp_weights(AhpSettings(items=["a", "b"], raters=rows))
    assert found.interval["a"] == pytest.approx((0.5, 0.75))
    assert 0.5 < found.share["a"] < 0.75
    with pytest.raises(ConfigRefused, match="raters is empty"):
        ahp_weights(AhpSettings(items=["a", "b"], raters={}))


def test_the_random_index_matches_simulation() -> None:
    """Random reciprocal matrices of 4 items have a mean consistency index near 0.90 (ratio 1)."""
    rng = np.random.default_rng(1)
    scale = np.array([*(1 / np.arange(9, 1, -1)), *np.arange(1, 10)])
    pairs = list(combinations(range(4), 2))
    ratios = [
        read_comparison(
            "r", "abcd", square(dict(zip(pairs, rng.choice(scale, 6), strict=True)), 4)
        ).ratio
        for _ in range(1500)
    ]
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.06)
