"""Where satisfaction is going: a forecast with intervals, kept only if it beats last year's figure."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from features.errors import DataRefused

Floats = NDArray[np.float64]
ForecastMethod = Callable[[Floats, int, int], Floats]

#: Past ends from which the backtest forecasts.
MIN_TRIALS = 6
BASELINE = "last season repeated"


@dataclass(frozen=True)
class SeriesForecast:
    """The periods ahead, by the method that was best in the past.

    `table` has `step` (1 is the next period), `value`, `low`, `high` (95 %). `backtest` has a row a
    method: `mae`, its mean error in the past, and `skill`, by how much smaller that is than that of last
    season repeated (0.2: a fifth). `trials` past ends were forecast from.
    """

    table: pd.DataFrame
    method: str
    backtest: pd.DataFrame
    trials: int


def forecast_series(values: Floats, season: int, ahead: int) -> SeriesForecast:
    """The next `ahead` periods of a figure known each period; `season` periods make a year.

    Methods: last season repeated, the last level, exponential smoothing (statsmodels, level only),
    and the season's shape around the smoothed level. Each forecasts from every past end of the second
    half; the least mean error wins, ties and near ties (1 %) go to last season repeated. An interval
    reaches as far as those past forecasts were wrong, step by step.
    Raises DataRefused for gaps and for a history shorter than two seasons and six trials.
    """
    values = np.asarray(values, np.float64)
    first = _first_end(values, season, ahead)
    ends = range(first, len(values))
    errors = {
        name: _errors(method, values, season, ahead, ends) for name, method in METHODS.items()
    }
    mae = {name: float(np.nanmean(np.abs(e))) for name, e in errors.items()}
    best = min(mae, key=lambda name: mae[name])
    if mae[best] > 0.99 * mae[BASELINE]:
        best = BASELINE
    value = METHODS[best](values, season, ahead)
    reach = _reach(errors[best])
    table = pd.DataFrame({
        "step": np.arange(1, ahead + 1), "value": value, "low": value - reach, "high": value + reach,
    })  # fmt: skip
    repeated = mae[BASELINE]
    backtest = pd.DataFrame({
        "mae": mae, "skill": {n: 1 - m / repeated if repeated else 0.0 for n, m in mae.items()},
    })  # fmt: skip
    return SeriesForecast(table, best, backtest.sort_values("mae"), len(ends))


def _first_end(values: Floats, season: int, ahead: int) -> int:
    gaps = int((~np.isfinite(values)).sum())
    if gaps:
        raise DataRefused(
            f"{gaps} of {len(values)} periods have no figure; forecast from longer periods or a larger "
            "segment"
        )
    need = 2 * season + max(MIN_TRIALS, ahead)
    if len(values) < need:
        raise DataRefused(
            f"{len(values)} periods; a forecast of {ahead} with {season} a year needs {need}: two years "
            "to learn from and the rest to test on"
        )
    return max(2 * season, len(values) // 2)


def _errors(method: ForecastMethod, values: Floats, season: int, ahead: int, ends: range) -> Floats:
    """How wrong the method was: a row each past end, a column each step; NaN beyond the data."""
    found = np.full((len(ends), ahead), np.nan)
    for row, end in enumerate(ends):
        came = values[end : end + ahead]
        found[row, : len(came)] = came - method(values[:end], season, ahead)[: len(came)]
    return found


def _reach(errors: Floats) -> Floats:
    """How far an interval goes to either side: the steps' errors, never less than for a nearer step."""
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
        warnings.simplefilter("ignore")  # a search that stopped early still smooths
        fitted = SimpleExpSmoothing(values, initialization_method="estimated").fit()
    return np.asarray(fitted.forecast(ahead), np.float64)


def _shaped(values: Floats, season: int, ahead: int) -> Floats:
    """The smoothed level of the values freed from the season's mean shape, and the shape again."""
    whole = len(values) // season * season
    years = values[-whole:].reshape(-1, season)
    shape = (years - years.mean(axis=1, keepdims=True)).mean(axis=0)  # begins at -whole
    freed = values - np.resize(np.roll(shape, len(values) - whole), len(values))
    return _smoothed(freed, season, ahead) + np.resize(shape, ahead)


METHODS: dict[str, ForecastMethod] = {
    BASELINE: _seasonal_naive,
    "last period repeated": _last,
    "smoothed level": _smoothed,
    "smoothed level and season": _shaped,
}
