"""Forecasts: the best method wins the backtest, and intervals have their coverage."""

import numpy as np
import pytest

from features.errors import DataRefused
from insight.satisfaction.forecast import BASELINE, forecast_series


def quarters(years=10, shape=(0, 0, 0, 0), noise=1.0, walk=0.0, seed=0):
    rng = np.random.default_rng(seed)
    count = 4 * years
    level = 75 + np.cumsum(walk * rng.normal(size=count))
    return level + np.resize(shape, count) + noise * rng.normal(size=count)


def test_a_pure_season_is_repeated():
    found = forecast_series(quarters(shape=(8, 0, -8, 0), noise=0.0), 4, 6)
    assert found.method == BASELINE
    np.testing.assert_allclose(found.table["value"], [83, 75, 67, 75, 83, 75])
    np.testing.assert_allclose(found.table["high"] - found.table["low"], 0, atol=1e-9)


def test_a_level_with_noise_is_smoothed():
    found = forecast_series(quarters(years=20, seed=3), 4, 4)
    assert found.method.startswith("smoothed level")
    assert found.backtest.loc[found.method, "skill"] > 0.1
    np.testing.assert_allclose(found.table["value"], 75, atol=1.0)


def test_a_season_on_a_random_walk_uses_level_and_season():
    found = forecast_series(quarters(shape=(8, 0, -8, 0), walk=2.0, noise=0.3, seed=1), 4, 2)
    assert found.method == "smoothed level and season"
    assert found.backtest.loc[found.method, "skill"] > 0.3


@pytest.mark.parametrize("cut", [0, 1, 2, 3])
def test_the_seasonal_shape_is_aligned_for_any_start_of_the_data(cut):
    shape = (8.0, 0.0, -8.0, 0.0)
    rng = np.random.default_rng(2)
    values = (75 + np.resize(shape, 44) + np.cumsum(rng.normal(size=44)))[cut:40]
    found = forecast_series(values, 4, 1)
    assert found.backtest.loc["smoothed level and season", "mae"] < 2.5
    assert found.backtest.loc["last period repeated", "mae"] > 4


@pytest.mark.slow
def test_intervals_cover_95_percent():
    hits = []
    for seed in range(24):
        values = quarters(years=7, walk=0.7, seed=seed)
        table = forecast_series(values[:-2], 4, 2).table
        hits += ((table["low"] <= values[-2:]) & (values[-2:] <= table["high"])).tolist()
    assert np.mean(hits) >= 0.88


def test_intervals_do_not_narrow_with_the_horizon():
    table = forecast_series(quarters(walk=1.0), 4, 4).table
    assert (np.diff(table["high"] - table["low"]) >= 0).all()


def test_gaps_and_short_histories_are_refused():
    values = quarters()
    values[3] = np.nan
    with pytest.raises(DataRefused, match="1 of 40 periods have no value"):
        forecast_series(values, 4, 2)
    with pytest.raises(DataRefused, match="13 periods; a forecast of 2 with 4 a year needs 14"):
        forecast_series(quarters()[:13], 4, 2)
