"""Best against worst customers: planted traits are found, with correct effect sizes."""

import numpy as np
import pandas as pd
import pytest

from features.errors import DataRefused
from insight.value.trait_contrast import contrast_traits

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


def test_planted_traits_are_selected_without_redundant_ones() -> None:
    found = contrast_traits(WORTH, TRAITS)
    assert found.selected[:2] == ["orders", "visits"]
    assert set(found.selected[2:]) == {"region", "returns"}
    assert "same" not in found.traits.index
    assert found.traits.loc["shoe_size", "p"] > 0.05
    assert found.traits.loc["returns", "effect"] < 0 < found.traits.loc["visits", "effect"]
    assert found.traits.loc["region", "best"].endswith(("north", "south"))


def test_cliffs_delta_matches_a_count_of_pairs() -> None:
    found = contrast_traits(WORTH, TRAITS)
    a, b = TRAITS.loc[found.best, "visits"], TRAITS.loc[found.worst, "visits"]
    pairs = np.sign(a.to_numpy()[:, None] - b.to_numpy())
    row = found.traits.loc["visits"]
    assert row["effect"] == pytest.approx(pairs.mean())
    assert row["low"] < row["effect"] < row["high"]


@pytest.mark.slow
def test_the_interval_covers_95_percent() -> None:
    """Two normals half a standard deviation apart: delta = 2 Phi(0.5 / sqrt 2) - 1 = 0.2763."""
    held = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        figure = pd.Series(np.repeat([0.0, 1.0], 60))
        trait = pd.DataFrame({"x": rng.normal(0.5 * figure, 1)})
        row = contrast_traits(figure, trait, share=0.5).traits.loc["x"]
        held += bool(row["low"] <= 0.2763 <= row["high"])
    assert 182 <= held <= 198


def test_complete_separation_is_not_certainty() -> None:
    """Best and worst are 30 each: 0.025^(1/30) = 0.8843; shares 0 and 1 as in statsmodels (Newcombe)."""
    figure = pd.Series(np.arange(60.0))
    traits = pd.DataFrame({"x": figure, "y": -figure, "z": np.where(figure < 30, "low", "high")})
    found = contrast_traits(figure, traits, share=0.5).traits
    assert found.loc["x", ["effect", "low", "high"]].tolist() == pytest.approx(
        [1, 0.7686, 1], abs=1e-4
    )
    assert found.loc["y", ["effect", "low", "high"]].tolist() == pytest.approx(
        [-1, -1, -0.7686], abs=1e-4
    )
    # Wilson: 1 - 0.8865 and 0.1135 to either side, so 1 - sqrt(2) * 0.1135
    assert abs(found.loc["z", "effect"]) == 1
    assert np.abs(found.loc["z", ["low", "high"]].astype(float)).min() == pytest.approx(
        0.8395, abs=1e-3
    )


def test_ends_and_similarity() -> None:
    found = contrast_traits(WORTH, TRAITS)
    assert len(found.best) == len(found.worst) == 100
    assert WORTH[found.best].min() > WORTH[found.worst].max()
    assert found.similarity[found.best].mean() > 0.8 > 0.3 > found.similarity[found.worst].mean()
    assert found.similarity.corr(WORTH) > 0.6


def test_traits_that_are_part_of_the_figure_are_left_out() -> None:
    found = contrast_traits(WORTH, TRAITS, own=["orders", "orders_again"])
    assert found.selected[0] == "visits"


def test_noise_selects_no_traits() -> None:
    noise = pd.DataFrame(RNG.normal(size=(COUNT, 12)), WORTH.index).add_prefix("n")
    assert contrast_traits(WORTH, noise).selected == []


def test_too_few_customers_are_refused() -> None:
    with pytest.raises(DataRefused, match=r"10% of 100 customers are 10; .* share of 20% or more"):
        contrast_traits(WORTH.head(100), TRAITS)
    with pytest.raises(DataRefused, match=r"10% of 12 .*are too few, from 200 on there are enough"):
        contrast_traits(WORTH.head(12), TRAITS)
    with pytest.raises(DataRefused, match="no trait differs"):
        contrast_traits(WORTH, TRAITS[["same"]])
