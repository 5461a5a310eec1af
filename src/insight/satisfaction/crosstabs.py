"""A figure cut into cells (period, segment, region, channel, owner), each with how sure it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from features.errors import ConfigRefused, DataRefused
from insight.satisfaction.satisfaction_metrics import Measure
from insight.satisfaction.satisfaction_settings import Satisfaction
from models.evaluation.bootstrap import Interval, percentile_interval
from models.nonresponse.aipw import Estimate, clustered
from models.nonresponse.disclosure_control import hidden_groups

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 400
#: What a total is told of: cells that differ in another column are parts of one.
TOTALS = ("period", "dimension")
#: With more customers than this the bootstrap and the normal interval are one.
MAX_RESAMPLED = 2000


@dataclass(frozen=True)
class Crosstab:
    """The cells of a figure that may be shown, and how much was not.

    `table` has the columns cut by, then `asked`, `answered`, `coverage` (the share of those asked who
    answered), `customers`, `value`, `low`, `high` (95 %). `hidden` cells held `hidden_answers`.
    """

    measure: Measure
    table: pd.DataFrame
    hidden: int
    hidden_answers: int


def cross_tabulate(
    measure: Measure, rows: pd.DataFrame, choices: Satisfaction, by: tuple[str, ...] = (),
    *, resampled: bool = True,
) -> Crosstab:  # fmt: skip
    """The figure in every cell of the columns `by`; of all rows together without any.

    Answers are weighted; a customer who answered twice counts as one source of chance. A cell of
    fewer than `choices.fewest` answers is hidden and counted, and with it the next smallest where it
    would follow from the total (of its period and dimension). `resampled`: whether means of few
    customers take the bootstrap or, where thousands of cells are wanted, the normal interval.
    Raises DataRefused where the figure has no data, ConfigRefused for a column that is not there.
    """
    _check(by, rows)
    about = measure.of(rows, choices)
    if not about["value"].notna().any():
        raise DataRefused(
            f"{measure.title}: no data: {len(about):,} rows are about it, none has a value; "
            f"{measure.remedy}"
        )
    cut = [*by, *(["dimension"] if measure.per_dimension and "dimension" not in by else [])]
    value, weight = (about[c].to_numpy(np.float64) for c in ("value", "weight"))
    customer = pd.factorize(about["customer_id"])[0].astype(np.int64)
    places = _places(about, cut)
    answered = [int(np.isfinite(value[place]).sum()) for place in places.values()]
    shown = ~_hidden(list(places), answered, cut, choices.fewest)
    lines = [
        dict(zip(cut, key, strict=True))
        | _line(measure, value[place], weight[place], customer[place], resampled)
        for (key, place), fine in zip(places.items(), shown, strict=True) if fine
    ]  # fmt: skip
    columns = [*cut, "asked", "answered", "coverage", "customers", "value", "low", "high"]
    kept_back = int(np.array(answered)[~shown].sum())
    return Crosstab(measure, pd.DataFrame(lines, columns=columns), int((~shown).sum()), kept_back)


def _places(about: pd.DataFrame, cut: list[str]) -> dict[tuple[Any, ...], Ints]:
    """The rows of each cell, by the values of the columns cut by, in their order."""
    if not cut:
        return {(): np.arange(len(about))}
    found: dict[Any, Any] = dict(about.groupby(cut, sort=True, observed=True).indices)
    told = {key if len(cut) > 1 else (key,): place for key, place in found.items()}
    return {key: told[key] for key in sorted(told)}


def _hidden(
    keys: list[tuple[Any, ...]], answered: list[int], cut: list[str], fewest: int
) -> NDArray[np.bool_]:
    """Which cells are too small to be shown, told apart by the total they are parts of."""
    sizes = np.array(answered)
    whole = [place for place, name in enumerate(cut) if name in TOTALS]
    if len(whole) == len(cut):
        return np.asarray(sizes < fewest)
    hidden = np.zeros(len(keys), bool)
    totals = pd.Series([tuple(key[i] for i in whole) for key in keys], dtype=object)
    for _, rows in totals.groupby(totals).groups.items():
        hidden[rows] = hidden_groups([int(size) for size in sizes[rows]], fewest)
    return hidden


def _line(
    measure: Measure, value: Floats, weight: Floats, customer: Ints, resampled: bool
) -> dict[str, float]:
    """One cell: how many were asked, how many answered, what they said and how sure that is."""
    said = np.isfinite(value)
    names, customer = np.unique(customer[said], return_inverse=True)
    if measure.kind == "rate":
        interval = wilson_interval(value[said], weight[said], customer)
    else:
        interval = mean_interval(value[said], weight[said], customer, resampled)
    return {
        "asked": len(value),
        "answered": int(said.sum()),
        "coverage": float(said.mean()),
        "customers": len(names),
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
    }


def wilson_interval(values: Floats, weight: Floats, customer: Ints, level: float = 0.95) -> Interval:
    """A weighted share with Wilson's interval, for rows that are alike within a customer.

    The number of rows is replaced by the effective one, the number of independent rows with the same
    standard error (Korn and Graubard 1998), at most the number of rows; where all values are equal,
    by the number of customers.
    """
    share = float(np.average(values, weights=weight))
    error = clustered(weight / weight.sum() * (values - share), customer)
    rows = float(weight.sum() ** 2 / (weight**2).sum())
    effective = float(len(np.unique(customer)))
    if 0 < share < 1 and np.isfinite(error) and error > 0:
        effective = min(rows, share * (1 - share) / error**2)
    z = float(norm.ppf((1 + level) / 2))
    centre = (share + z**2 / (2 * effective)) / (1 + z**2 / effective)
    reach = (
        z * np.sqrt(share * (1 - share) / effective + z**2 / (4 * effective**2))
        / (1 + z**2 / effective)
    )  # fmt: skip
    low, high = max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
    return Interval(share, min(low, share), max(high, share))  # at 0 and 1 rounding would miss it


def mean_interval(values: Floats, weight: Floats, customer: Ints, resampled: bool = True) -> Interval:
    """A weighted mean with the 95 % interval of a bootstrap that draws whole customers.

    Many customers (over 2,000) take the normal interval instead, which is then the same, as do all
    that are not to be `resampled`. That of a single customer has no ends: nobody says how others vary.
    """
    value = float(np.average(values, weights=weight))
    count = int(customer.max()) + 1
    if count > MAX_RESAMPLED or count < 2 or not resampled:
        told = Estimate(value, clustered(weight / weight.sum() * (values - value), customer))
        return Interval(value, told.low, told.high)
    total = np.bincount(customer, weight * values, count)
    weights = np.bincount(customer, weight, count)
    drawn = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
    return percentile_interval(value, total[drawn].sum(axis=1) / weights[drawn].sum(axis=1))


def _check(by: tuple[str, ...], rows: pd.DataFrame) -> None:
    lacking = [name for name in by if name not in rows]
    if lacking:
        able = [c for c in rows if rows[c].dtype == object or str(rows[c].dtype) == "str"]
        raise ConfigRefused(
            f"no column {', '.join(lacking)} to cut by; known: period, "
            f"{', '.join(str(c) for c in able if c not in ('customer_id', 'instrument'))}; customer "
            "attributes are named under by in [insight.satisfaction]"
        )
