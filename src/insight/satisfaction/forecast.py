"""Forecast a series with prediction intervals, by the method that beats the seasonal baseline."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

Floats = NDArray[np.float64]
ForecastMethod = Callable[[Floats, int, int], Floats]

#: Backtest origins needed.
MIN_TRIALS = 6
BASELINE = "last season repeated"


@dataclass(frozen=True)
class SeriesForecast:
    """The forecast of the best method of the backtest.

    `table` has `step` (1 is the next period), `value`, `low`, `high` (95%). `backtest` has a row per
    method: `mae`, and `skill`, the relative reduction of `mae` against the baseline (0.2: a fifth).
    `trials` is the number of backtest origins.
    """

    table: pd.DataFrame
    method: str
    backtest: pd.DataFrame
    trials: int


def forecast_series(values: Floats, season: int, ahead: int) -> SeriesForecast:
    """Forecast the next `ahead` periods of a series without gaps; `season` periods make a year.

    Methods: last season repeated (the baseline), last level, exponential smoothing (statsmodels, level
    only), and seasonal shape on the smoothed level. Each forecasts from every origin in the second half;
    the lowest mean absolute error wins, and the baseline wins ties within 1%. Intervals come from the
    backtest errors, step by step. Raises DataRefused for gaps and for a history shorter than two seasons
    and six trials.
    """
    values = np.asarray(values, np.float64)
    first_origin = _first_origin(values, season, ahead)
    origins = range(first_origin, len(values))
    errors = {
        name: _errors(method, values, season, ahead, origins) for name, method in METHODS.items()
    }
    mae = {name: float(np.nanmean(np.abs(e))) for name, e in errors.items()}
    best = min(mae, key=lambda name: mae[name])
    if mae[best] > 0.99 * mae[BASELINE]:
        best = BASELINE
    value = METHODS[best](values, season, ahead)
    half_width = _half_widths(errors[best])
    table = pd.DataFrame({
        "step": np.arange(1, ahead + 1), "value": value,
        "low": value - half_width, "high": value + half_width,
    })  # fmt: skip
    baseline_mae = mae[BASELINE]
    backtest = pd.DataFrame({
        "mae": mae, "skill": {n: 1 - m / baseline_mae if baseline_mae else 0.0 for n, m in mae.items()},
    })  # fmt: skip
    return SeriesForecast(table, best, backtest.sort_values("mae"), len(origins))


def _first_origin(values: Floats, season: int, ahead: int) -> int:
    gaps = int((~np.isfinite(values)).sum())
    if gaps:
        raise DataRefused(
            f"{gaps} of {len(values)} periods have no value; use longer periods or larger groups"
        )
    need = 2 * season + max(MIN_TRIALS, ahead)
    if len(values) < need:
        raise DataRefused(
            f"{len(values)} periods; a forecast of {ahead} with {season} a year needs {need}: two years "
            "to learn from and the rest to test on"
        )
    return max(2 * season, len(values) // 2)


def _errors(
    method: ForecastMethod, values: Floats, season: int, ahead: int, origins: range
) -> Floats:
    """Return the forecast errors: a row per origin, a column per step; NaN beyond the data."""
    found = np.full((len(origins), ahead), np.nan)
    for row, origin in enumerate(origins):
        actual = values[origin : origin + ahead]
        found[row, : len(actual)] = actual - method(values[:origin], season, ahead)[: len(actual)]
    return found


def _half_widths(errors: Floats) -> Floats:
    """Return the half-width of the interval per step, never smaller than for a nearer step."""
    from scipy.stats import t as student

    trials = np.isfinite(errors).sum(axis=0)
    spread = np.sqrt(np.nanmean(errors**2, axis=0))
    return np.asarray(np.maximum.accumulate(spread * student.ppf(0.975, np.maximum(trials - 1, 1))))


def _seasonal_naive(values: Floats, season: int, ahead: int) -> Floats:
    return np.resize(values[-season:], ahead)


def _last(values: Floats, season: int, ahead: int) -> Floats:
    return np.full(ahead, values[-1])


def _smoothed(values: Floats, season: int, ahead: int) -> Floats:
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing  # slow to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a search that stopped early still gives a usable fit
        fitted = SimpleExpSmoothing(values, initialization_method="estimated").fit()
    return np.asarray(fitted.forecast(ahead), np.float64)


def _seasonal_level(values: Floats, season: int, ahead: int) -> Floats:
    """Forecast the smoothed level of the deseasonalised values plus the mean seasonal shape."""
    whole = len(values) // season * season
    years = values[-whole:].reshape(-1, season)
    shape = (years - years.mean(axis=1, keepdims=True)).mean(axis=0)  # begins at -whole
    deseasonalised = values - np.resize(np.roll(shape, len(values) - whole), len(values))
    return _smoothed(deseasonalised, season, ahead) + np.resize(shape, ahead)


METHODS: dict[str, ForecastMethod] = {
    BASELINE: _seasonal_naive,
    "last period repeated": _last,
    "smoothed level": _smoothed,
    "smoothed level and season": _seasonal_level,
}
