"""Drivers against closed forms, a brute-force oracle over all orders, and simulated data."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import DataRefused
from insight.satisfaction.drivers import analyse_drivers, shapley_shares
from support.appliance_brand import FACTORS, appliance_brand


def mean_gain_over_orders(x, y):
    """The mean gain in R² over all orders, by least squares."""

    def explained(columns):
        if not columns:
            return 0.0
        design = np.column_stack([np.ones(len(y)), x[:, columns]])
        rest = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        return 1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum()

    gains = np.zeros(x.shape[1])
    orders = list(permutations(range(x.shape[1])))
    for order in orders:
        for place, driver in enumerate(order):
            gains[driver] += explained(list(order[: place + 1])) - explained(list(order[:place]))
    return gains / gains.sum()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_shares_are_the_mean_gain_over_all_orders(seed, count):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(80, count)) @ rng.normal(size=(count, count))
    y = x @ rng.normal(size=count) + rng.normal(size=80)
    np.testing.assert_allclose(shapley_shares(x, y), mean_gain_over_orders(x, y), atol=1e-8)


def test_unrelated_drivers_share_by_their_squared_effects():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(50_000, 3))
    y = x @ [3.0, 2.0, 1.0] + rng.normal(size=50_000)
    np.testing.assert_allclose(shapley_shares(x, y), np.array([9, 4, 1]) / 14, atol=0.01)


def simulate_answers(rows=400, seed=0):
    """Quality and service have effects 0.6 and 0.5, price has none; quality performs best."""
    rng = np.random.default_rng(seed)
    mood = rng.normal(size=rows)
    frame = pd.DataFrame({
        "quality": 85 + 6 * mood + 6 * rng.normal(size=rows),
        "service": 60 + 6 * mood + 6 * rng.normal(size=rows),
        "price": 55 + 8 * rng.normal(size=rows),
    })  # fmt: skip
    return frame.assign(
        overall=0.6 * frame["quality"] + 0.5 * frame["service"] + 6 * rng.normal(size=rows)
    )


def test_intervals_of_effects_contain_the_truth():
    found = analyse_drivers(simulate_answers(), "overall")
    table = found.table
    for name, truth in {"quality": 0.6, "service": 0.5, "price": 0.0}.items():
        assert table.loc[name, "effect_low"] < truth < table.loc[name, "effect_high"]
    assert table["importance"].sum() == pytest.approx(1)
    assert table.index[-1] == "price"
    assert table.loc["price", "importance_high"] < 0.05
    assert 0.5 < found.explained < 0.9


def test_quadrants_follow_importance_and_performance():
    table = analyse_drivers(simulate_answers(), "overall").table
    assert table.loc["service", "quadrant"] == "concentrate here"
    assert table.loc["quality", "quadrant"] == "keep up the good work"
    assert table.loc["price", "quadrant"] == "low priority"
    assert table["clear"].all()


def test_equal_drivers_have_no_clear_quadrant():
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(70 + 10 * rng.normal(size=(300, 2)), columns=["a", "b"])
    frame["overall"] = frame["a"] + frame["b"] + rng.normal(size=300)
    assert not analyse_drivers(frame, "overall").table["clear"].any()


@pytest.mark.slow
def test_intervals_of_effects_cover_95_percent():
    hits = [
        table.loc["quality", "effect_low"] < 0.6 < table.loc["quality", "effect_high"]
        for table in (
            analyse_drivers(simulate_answers(120, seed), "overall").table for seed in range(40)
        )
    ]
    assert np.mean(hits) >= 0.88


def test_weights_and_missing_answers():
    """Rows of weight 0 are ignored; incomplete rows are left out and counted."""
    frame = simulate_answers()
    twice = pd.concat([frame, frame.assign(overall=-frame["overall"])], ignore_index=True)
    weight = pd.Series(np.repeat([1.0, 0.0], len(frame)))
    found = analyse_drivers(twice, "overall", weight)
    expected = analyse_drivers(frame, "overall").table
    columns = ["effect", "importance"]
    np.testing.assert_allclose(found.table[columns], expected[columns], atol=1e-6)
    twice.loc[:4, "price"] = np.nan
    assert analyse_drivers(twice, "overall", weight).incomplete == 5


def test_price_drives_only_the_dissatisfied_customers_of_the_appliance_brand():
    answers, group = appliance_brand(1500)
    by_factor = pd.DataFrame({name: answers[items].mean(axis=1) for name, items in FACTORS.items()})
    by_factor = by_factor.assign(price=answers["price"], overall=answers["overall"])
    assert analyse_drivers(by_factor[group == 2], "overall").table.index[0] == "price"
    for other in (0, 1):
        table = analyse_drivers(by_factor[group == other], "overall").table
        assert table.index[0] == "product_quality"
        assert table.loc["price", "importance"] < 0.1


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (simulate_answers(40), "40 complete answers for 3 drivers of overall; 50 are needed"),
        (simulate_answers().assign(price=1.0), "price: every answer is the same"),
        (simulate_answers().assign(twin=lambda t: 2 * t["price"]), "twin follows from the others"),
        (simulate_answers().assign(**{f"x{i}": np.arange(400.0) ** (i + 1) for i in range(10)}),
         "13 drivers; at most 12"),
        (simulate_answers().drop(columns="overall"), "no column overall among quality, service, price"),
    ],
)  # fmt: skip
def test_unusable_drivers_are_refused(frame, message):
    with pytest.raises(DataRefused, match=message):
        analyse_drivers(frame, "overall")
