"""Weights: validation, and the effect of different sets."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from features.errors import ConfigRefused
from insight.value.weights import (
    DimensionWeights,
    compare_weights,
    normalise_weights,
    tabulate_weights,
    weighted_mean,
)

TABLE = pd.DataFrame({"a": [90.0, 10.0, 50.0, 40.0, 20.0], "b": [10.0, 80.0, 50.0, 40.0, 20.0]})


def test_weights_that_sum_to_more_than_1_are_refused() -> None:
    """60 + 25 + 20 + 15 + 10 + 5 + 5 + 3 = 143%, the published shares of influence."""
    shares = dict(zip("abcdefgh", [0.6, 0.25, 0.2, 0.15, 0.1, 0.05, 0.05, 0.03], strict=True))
    with pytest.raises(ConfigRefused, match=r"sum to 1\.43; they should sum to 1.*a = 0\.420"):
        normalise_weights(shares)


@pytest.mark.parametrize(
    ("share", "words"),
    [({}, "no weight"), ({"a": -0.5, "b": 1.5}, "a is -0.5"), ({"a": 0.0}, "sum to 0")],
)
def test_invalid_weights_are_refused(share: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigRefused, match=words):
        normalise_weights(share)


def test_rounded_thirds_are_accepted() -> None:
    assert normalise_weights({"a": 0.33, "b": 0.33, "c": 0.33}).share["a"] == pytest.approx(1 / 3)


@drawn(st.lists(st.floats(0.01, 1), min_size=2, max_size=6))
def test_weights_that_sum_to_1_are_kept(parts: list[float]) -> None:
    share = {str(i): p / sum(parts) for i, p in enumerate(parts)}
    assert normalise_weights(share).share == pytest.approx(share)


def test_comparison_matches_a_hand_calculation() -> None:
    """All weight on a, or all on b: everything differs; the best fifth (one customer) is replaced."""
    one, other = (
        DimensionWeights("expert", {"a": 1.0, "b": 0.0}),
        DimensionWeights("data", {"a": 0.0, "b": 1.0}),
    )
    (row,) = compare_weights([one, other], TABLE).to_dict("records")
    assert row["between"] == "expert and data"
    assert (row["weight_moved"], row["top_changed"], row["customers"]) == (1.0, 1.0, 5)
    assert row["rank_correlation"] == pytest.approx(
        np.corrcoef([5, 1, 4, 3, 2], [1, 5, 4, 3, 2])[0, 1]
    )
    assert tabulate_weights([one, other])["spread"].tolist() == [1.0, 1.0]


def test_equal_weights_do_not_differ() -> None:
    even = DimensionWeights("x", {"a": 0.5, "b": 0.5})
    (row,) = compare_weights([even, even], TABLE.assign(a=[np.nan, 1, 2, 3, 4])).to_dict("records")
    assert (row["weight_moved"], row["top_changed"], row["customers"]) == (0.0, 0.0, 4)
    assert weighted_mean(TABLE, even).tolist() == [50.0, 45.0, 50.0, 40.0, 20.0]


def test_sets_over_different_dimensions_are_refused() -> None:
    with pytest.raises(ConfigRefused, match="differ in b, c"):
        tabulate_weights(
            [
                DimensionWeights("x", {"a": 0.5, "b": 0.5}),
                DimensionWeights("y", {"a": 0.5, "c": 0.5}),
            ]
        )
