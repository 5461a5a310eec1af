"""Best against worst: planted traits come out, with the effect sizes of a plain count."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.value.trait_contrast import contrast

RNG = np.random.default_rng(4)
COUNT = 1000
WORTH = pd.Series(RNG.normal(0, 1, COUNT), [f"C{i}" for i in range(COUNT)])
TRAITS = pd.DataFrame(
    {
        "orders": WORTH * 2 + RNG.normal(0, 1, COUNT),
        "visits": WORTH + RNG.normal(0, 1.5, COUNT),
        "returns": -WORTH + RNG.normal(0, 2, COUNT),
        "shoe_size": RNG.normal(0, 1, COUNT),
        "region": np.where(RNG.random(COUNT) < 0.5 + 0.3 * np.tanh(WORTH), "north", "south"),
        "same": 1.0,
    },
    WORTH.index,
).assign(orders_again=lambda t: t["orders"] * 3 + 1)


def test_the_planted_traits_come_first_and_none_twice() -> None:
    found = contrast(WORTH, TRAITS)
    assert found.five[:2] == ["orders", "visits"]
    assert set(found.five[2:]) == {"region", "returns"}
    assert "same" not in found.traits.index
    assert found.traits.loc["shoe_size", "p"] > 0.05
    assert found.traits.loc["returns", "effect"] < 0 < found.traits.loc["visits", "effect"]
    assert found.traits.loc["region", "best"].endswith(("north", "south"))


def test_cliffs_delta_is_a_count_of_pairs() -> None:
    found = contrast(WORTH, TRAITS)
    a, b = TRAITS.loc[found.best, "visits"], TRAITS.loc[found.worst, "visits"]
    pairs = np.sign(a.to_numpy()[:, None] - b.to_numpy())
    row = found.traits.loc["visits"]
    assert row["effect"] == pytest.approx(pairs.mean())
    assert row["low"] < row["effect"] < row["high"]


def test_the_interval_holds_the_truth_nineteen_times_of_twenty() -> None:
    """Two normals half a standard deviation apart: delta = 2 Phi(0.5 / sqrt 2) - 1 = 0.2763."""
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        figure = pd.Series(np.repeat([0.0, 1.0], 60))
        trait = pd.DataFrame({"x": rng.normal(0.5 * figure, 1)})
        row = contrast(figure, trait, share=0.5).traits.loc["x"]
        held += bool(row["low"] <= 0.2763 <= row["high"])
    assert 182 <= held <= 198


def test_ends_and_likeness() -> None:
    found = contrast(WORTH, TRAITS)
    assert len(found.best) == len(found.worst) == 100
    assert WORTH[found.best].min() > WORTH[found.worst].max()
    assert found.alike[found.best].mean() > 0.8 > 0.3 > found.alike[found.worst].mean()
    assert found.alike.corr(WORTH) > 0.6


def test_what_the_figure_is_made_of_is_left_out() -> None:
    found = contrast(WORTH, TRAITS, own=["orders", "orders_again"])
    assert found.five[0] == "visits"


def test_noise_has_no_five() -> None:
    noise = pd.DataFrame(RNG.normal(size=(COUNT, 12)), WORTH.index).add_prefix("n")
    assert contrast(WORTH, noise).five == []


def test_refused() -> None:
    with pytest.raises(DataRefused, match=r"10% of 100 customers are 10; .* share of 20% or more"):
        contrast(WORTH.head(100), TRAITS)
    with pytest.raises(DataRefused, match=r"10% of 12 .*are too few, from 200 on there are enough"):
        contrast(WORTH.head(12), TRAITS)
    with pytest.raises(DataRefused, match="no trait differs"):
        contrast(WORTH, TRAITS[["same"]])
