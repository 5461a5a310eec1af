"""Cross-tabulate a metric by period, segment, region, channel or owner, with intervals."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import ConfigRefused, DataRefused
from insight.satisfaction.exact_intervals import (
    count_interval,
    effective_customers,
    unanimous_interval,
)
from insight.satisfaction.satisfaction_metrics import SatisfactionMetric
from insight.satisfaction.satisfaction_settings import SatisfactionSettings
from models.evaluation.bootstrap import Interval, percentile_interval
from models.nonresponse.aipw import MeanEstimate, clustered_standard_error
from models.nonresponse.group_estimates import suppress_small_groups

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 400
#: Columns with published totals: cells that differ in another column add up to one.
TOTALS = ("period", "dimension")
#: Above this many customers the bootstrap and the normal interval agree.
MAX_RESAMPLED = 2000


@dataclass(frozen=True)
class Crosstab:
    """The cells of a metric that may be shown, and how much was suppressed.

    `table` has the grouping columns, then `asked`, `answered`, `coverage` (share of those asked who
    answered), `customers`, `value`, `low`, `high` (95%). `hidden` cells held `hidden_answers`.
    """

    metric: SatisfactionMetric
    table: pd.DataFrame
    hidden: int
    hidden_answers: int


def cross_tabulate(
    metric: SatisfactionMetric, rows: pd.DataFrame, settings: SatisfactionSettings,
    by: tuple[str, ...] = (),
    *, resampled: bool = True,
) -> Crosstab:  # fmt: skip
    """Compute the metric in every cell of the columns `by`; over all rows without any.

    Answers are weighted; several answers of one customer are clustered. A cell of fewer than
    `settings.fewest` answers is suppressed and counted, and with it the next smallest if it could be
    derived from the total (of its period and dimension). `resampled`: bootstrap the means of few
    customers, or use the normal interval (for thousands of cells). Raises DataRefused if the metric has
    no data, ConfigRefused for an unknown column.
    """
    _check(by, rows)
    answers = metric.compute(rows, settings)
    if not answers["value"].notna().any():
        raise DataRefused(f"{metric.title}: no data in {len(answers):,} rows; {metric.remedy}")
    cut = [*by, *(["dimension"] if metric.per_dimension and "dimension" not in by else [])]
    value, weight = (answers[c].to_numpy(np.float64) for c in ("value", "weight"))
    customer = pd.factorize(answers["customer_id"])[0].astype(np.int64)
    indices = _cell_indices(answers, cut)
    answered = [int(np.isfinite(value[index]).sum()) for index in indices.values()]
    shown = ~_hidden(list(indices), answered, cut, settings.fewest)
    cells = [
        dict(zip(cut, key, strict=True))
        | _summarise_cell(metric, value[index], weight[index], customer[index], resampled)
        for (key, index), visible in zip(indices.items(), shown, strict=True) if visible
    ]  # fmt: skip
    columns = [*cut, "asked", "answered", "coverage", "customers", "value", "low", "high"]
    suppressed = int(np.array(answered)[~shown].sum())
    return Crosstab(metric, pd.DataFrame(cells, columns=columns), int((~shown).sum()), suppressed)


def _cell_indices(answers: pd.DataFrame, columns: list[str]) -> dict[tuple[Any, ...], Ints]:
    """Return the row indices of each cell, keyed by the values of the grouping columns, sorted."""
    if not columns:
        return {(): np.arange(len(answers))}
    found: dict[Any, Any] = dict(answers.groupby(columns, sort=True, observed=True).indices)
    by_key = {key if len(columns) > 1 else (key,): index for key, index in found.items()}
    return {key: by_key[key] for key in sorted(by_key)}


def _hidden(
    keys: list[tuple[Any, ...]], answered: list[int], cut: list[str], fewest: int
) -> NDArray[np.bool_]:
    """Return which cells to suppress, per total that they are parts of."""
    sizes = np.array(answered)
    totals_at = [index for index, name in enumerate(cut) if name in TOTALS]
    if len(totals_at) == len(cut):
        return np.asarray(sizes < fewest)
    suppressed = np.zeros(len(keys), bool)
    totals = pd.Series([tuple(key[i] for i in totals_at) for key in keys], dtype=object)
    for _, rows in totals.groupby(totals).groups.items():
        suppressed[rows] = suppress_small_groups([int(size) for size in sizes[rows]], fewest)
    return suppressed


def _summarise_cell(
    metric: SatisfactionMetric, value: Floats, weight: Floats, customer: Ints, resampled: bool
) -> dict[str, float]:
    """Summarise one cell: asked, answered, value and interval."""
    answered = np.isfinite(value)
    names, customer = np.unique(customer[answered], return_inverse=True)
    known, weights = value[answered], weight[answered]
    if metric.kind == "rate":
        interval = wilson_interval(known, weights, customer)
    elif metric.kind == "count":
        interval = count_interval(known, weights, customer, metric.scale)
    else:
        interval = mean_interval(known, weights, customer, resampled, metric.bounds)
    return {
        "asked": len(value),
        "answered": int(answered.sum()),
        "coverage": float(answered.mean()),
        "customers": len(names),
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
    }


def wilson_interval(
    values: Floats, weight: Floats, customer: Ints, level: float = 0.95
) -> Interval:
    """Return a weighted share with its Wilson interval, for rows clustered by customer.

    The number of rows is replaced by the effective sample size, the number of independent rows with the
    same standard error (Korn and Graubard 1998), at most the number of rows; where all values are equal,
    by the effective number of customers.
    """
    from scipy.stats import norm

    share = float(np.average(values, weights=weight))
    error = clustered_standard_error(weight / weight.sum() * (values - share), customer)
    rows = float(weight.sum() ** 2 / (weight**2).sum())
    effective = effective_customers(weight, customer)
    if 0 < share < 1 and np.isfinite(error) and error > 0:
        effective = min(rows, share * (1 - share) / error**2)
    z = float(norm.ppf((1 + level) / 2))
    centre = (share + z**2 / (2 * effective)) / (1 + z**2 / effective)
    half_width = (
        z * np.sqrt(share * (1 - share) / effective + z**2 / (4 * effective**2))
        / (1 + z**2 / effective)
    )  # fmt: skip
    low, high = max(0.0, float(centre - half_width)), min(1.0, float(centre + half_width))
    return Interval(share, min(low, share), max(high, share))  # at 0 and 1 rounding would miss it


def mean_interval(
    values: Floats,
    weight: Floats,
    customer: Ints,
    resampled: bool = True,
    bounds: tuple[float, float] | None = None,
) -> Interval:
    """Return a weighted mean with the 95% interval of a bootstrap over customers.

    With more than 2,000 customers, or if not `resampled`, the normal interval is used, which is then the
    same. `bounds` are the ends of the scale, from which equal answers get their interval. The interval
    of a single customer has no ends: their variation is unknown.
    """
    value = float(np.average(values, weights=weight))
    count = int(customer.max()) + 1
    if count > 1 and np.ptp(values) == 0:
        return unanimous_interval(value, effective_customers(weight, customer), bounds)
    if count > MAX_RESAMPLED or count < 2 or not resampled:
        estimate = MeanEstimate(
            value, clustered_standard_error(weight / weight.sum() * (values - value), customer)
        )
        return Interval(value, estimate.low, estimate.high)
    total = np.bincount(customer, weight * values, count)
    weights = np.bincount(customer, weight, count)
    drawn = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
    return percentile_interval(value, total[drawn].sum(axis=1) / weights[drawn].sum(axis=1))


def _check(by: tuple[str, ...], rows: pd.DataFrame) -> None:
    missing = [name for name in by if name not in rows]
    if missing:
        known = [c for c in rows if rows[c].dtype == object or str(rows[c].dtype) == "str"]
        raise ConfigRefused(
            f"no column {', '.join(missing)} to group by; known: period, "
            f"{', '.join(str(c) for c in known if c not in ('customer_id', 'instrument'))}; customer "
            "attributes are named under by in [insight.satisfaction]"
        )
