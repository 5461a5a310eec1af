"""What weights must satisfy, and what their disagreement does to customers."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from features.errors import ConfigRefused
from insight.value.weights import Weights, beside, disagreement, given, weighted

TABLE = pd.DataFrame({"a": [90.0, 10.0, 50.0, 40.0, 20.0], "b": [10.0, 80.0, 50.0, 40.0, 20.0]})


def test_the_domains_shares_of_influence_are_refused() -> None:
    """60 + 25 + 20 + 15 + 10 + 5 + 5 + 3 = 143 %."""
    shares = dict(zip("abcdefgh", [0.6, 0.25, 0.2, 0.15, 0.1, 0.05, 0.05, 0.03], strict=True))
    with pytest.raises(ConfigRefused, match=r"sum to 1\.43; they should sum to 1.*a = 0\.420"):
        given(shares)


@pytest.mark.parametrize(
    ("share", "words"),
    [({}, "no weight"), ({"a": -0.5, "b": 1.5}, "a is -0.5"), ({"a": 0.0}, "sum to 0")],
)
def test_other_weights_refused(share: dict[str, float], words: str) -> None:
    with pytest.raises(ConfigRefused, match=words):
        given(share)


def test_three_thirds_are_rounded() -> None:
    assert given({"a": 0.33, "b": 0.33, "c": 0.33}).share["a"] == pytest.approx(1 / 3)


@drawn(st.lists(st.floats(0.01, 1), min_size=2, max_size=6))
def test_proportions_that_sum_are_kept(parts: list[float]) -> None:
    share = {str(i): p / sum(parts) for i, p in enumerate(parts)}
    assert given(share).share == pytest.approx(share)


def test_disagreement_by_hand() -> None:
    """All weight on a, or on b: everything moves; of the best fifth (one customer) none stays."""
    one, other = Weights("expert", {"a": 1.0, "b": 0.0}), Weights("data", {"a": 0.0, "b": 1.0})
    (row,) = disagreement([one, other], TABLE).to_dict("records")
    assert row["between"] == "expert and data"
    assert (row["weight_moved"], row["top_changed"], row["customers"]) == (1.0, 1.0, 5)
    assert row["rank_correlation"] == pytest.approx(
        np.corrcoef([5, 1, 4, 3, 2], [1, 5, 4, 3, 2])[0, 1]
    )
    assert beside([one, other])["spread"].tolist() == [1.0, 1.0]


def test_equal_weights_do_not_disagree() -> None:
    even = Weights("x", {"a": 0.5, "b": 0.5})
    (row,) = disagreement([even, even], TABLE.assign(a=[np.nan, 1, 2, 3, 4])).to_dict("records")
    assert (row["weight_moved"], row["top_changed"], row["customers"]) == (0.0, 0.0, 4)
    assert weighted(TABLE, even).tolist() == [50.0, 45.0, 50.0, 40.0, 20.0]


def test_sets_over_different_dimensions_are_refused() -> None:
    with pytest.raises(ConfigRefused, match="differ in b, c"):
        beside([Weights("x", {"a": 0.5, "b": 0.5}), Weights("y", {"a": 0.5, "c": 0.5})])
