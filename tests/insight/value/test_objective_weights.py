"""Weights from the data, against the formulas in plain Python."""

import math
from statistics import correlation, stdev

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.value.objective_weights import critic_weights, entropy_weights, learned_weights

RNG = np.random.default_rng(7)
TABLE = pd.DataFrame(
    {
        "loyalty": RNG.normal(50, 10, 200),
        "power": RNG.lognormal(3, 1, 200),
        "growth": RNG.uniform(0, 1, 200),
    }
)


def scaled(column: str) -> list[float]:
    values = TABLE[column].tolist()
    return [(v - min(values)) / (max(values) - min(values)) for v in values]


def test_entropy_matches_the_formula() -> None:
    left = {}
    for name in TABLE:
        values = scaled(str(name))
        parts = [v / sum(values) for v in values]
        left[name] = 1 + sum(p * math.log(p) for p in parts if p > 0) / math.log(len(parts))
    expected = {n: v / sum(left.values()) for n, v in left.items()}
    found = entropy_weights(TABLE)
    assert found.share == pytest.approx(expected)
    assert (
        max(found.share, key=lambda n: found.share[n]) == "power"
    )  # a few customers have most of it


def test_critic_matches_the_formula() -> None:
    amount = {
        str(n): stdev(scaled(str(n)))
        * sum(1 - correlation(scaled(str(n)), scaled(str(m))) for m in TABLE)
        for n in TABLE
    }
    expected = {n: v / sum(amount.values()) for n, v in amount.items()}
    assert critic_weights(TABLE).share == pytest.approx(expected)


def test_critic_gives_a_duplicated_dimension_less_weight() -> None:
    twice = TABLE.assign(again=TABLE["growth"])
    assert critic_weights(twice).share["growth"] < critic_weights(TABLE).share["growth"]


@pytest.mark.parametrize("method", [entropy_weights, critic_weights])
def test_units_do_not_matter_and_a_constant_has_no_weight(method) -> None:  # type: ignore[no-untyped-def]
    other = TABLE.assign(power=TABLE["power"] * 1000 + 5)
    assert method(other).share == pytest.approx(method(TABLE).share)
    constant = method(TABLE.assign(same=3.0)).share
    assert constant["same"] == 0
    assert sum(constant.values()) == pytest.approx(1)


def test_perfectly_correlated_dimensions_get_equal_weights() -> None:
    same = pd.DataFrame({"a": TABLE["growth"], "b": TABLE["growth"] * 2})
    assert critic_weights(same).share == pytest.approx({"a": 0.5, "b": 0.5})


def test_planted_weights_are_learned() -> None:
    """True weights 0.6, 0.4 and 0, with noise."""
    table = pd.DataFrame(RNG.uniform(0, 100, (2000, 3)), columns=list("abc"))
    low, high = table.min(), table.max()
    unit = (table - low) / (high - low)
    outcome = 0.6 * unit["a"] + 0.4 * unit["b"] + RNG.normal(0, 0.3, 2000)
    found = learned_weights(table, outcome)
    for name, true in {"a": 0.6, "b": 0.4, "c": 0.0}.items():
        low_, high_ = found.interval[name]
        assert low_ - 0.02 <= true <= high_ + 0.02
        assert found.share[name] == pytest.approx(true, abs=0.08)


def test_an_outcome_negatively_related_to_all_is_refused() -> None:
    with pytest.raises(DataRefused, match="none of loyalty, power, growth goes up"):
        learned_weights(TABLE, -TABLE.rank().sum(axis=1))


def test_incomplete_customers_are_counted_and_too_few_are_refused() -> None:
    holes = TABLE.copy()
    holes.loc[:19, "growth"] = np.nan
    assert entropy_weights(holes).made_from == "180 customers, 20 incomplete"
    holes.loc[:180, "growth"] = np.nan
    with pytest.raises(DataRefused, match=r"19 of 200 customers .* need 30: growth lacks most"):
        critic_weights(holes)
    with pytest.raises(DataRefused, match="alike in a"):
        entropy_weights(pd.DataFrame({"a": [1.0] * 40}))
