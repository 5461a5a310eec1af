"""A figure cut into cells (period, segment, region, channel, owner), each with how sure it is."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from features.errors import ConfigRefused, DataRefused
from insight.satisfaction.choices import Satisfaction
from insight.satisfaction.measures import Measure
from models.answering.doubly_robust import Estimate, clustered
from models.bootstrap import Interval, percentiles

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

RESAMPLES = 400
#: With more customers than this the bootstrap and the normal interval are one.
MOST_RESAMPLED = 2000


@dataclass(frozen=True)
class Cells:
    """The cells of a figure that may be shown, and how much was not.

    `table` has the columns cut by, then `asked`, `answered`, `coverage` (the share of those asked who
    answered), `customers`, `value`, `low`, `high` (95 %). `hidden` cells held `hidden_answers`.
    """

    measure: Measure
    table: pd.DataFrame
    hidden: int
    hidden_answers: int


def cells(
    measure: Measure, rows: pd.DataFrame, choices: Satisfaction, by: tuple[str, ...] = ()
) -> Cells:
    """The figure in every cell of the columns `by`; of all rows together without any.

    Answers are weighted; a customer who answered twice counts as one source of chance. A cell of
    fewer than `choices.fewest` answers is hidden and counted.
    Raises DataRefused where the figure has no data, ConfigRefused for a column that is not there.
    """
    _check(by, rows)
    about = measure.of(rows, choices)
    if not about["value"].notna().any():
        raise DataRefused(
            f"{measure.title}: no data: {len(about):,} rows are about it, none has a value; ask the "
            "question, or leave the figure out"
        )
    cut = [*by, *(["dimension"] if measure.per_dimension and "dimension" not in by else [])]
    groups = about.groupby(cut, sort=True, observed=True) if cut else [((), about)]
    lines, hidden = [], []
    for key, part in groups:
        answered = int(part["value"].notna().sum())
        if answered < choices.fewest:
            hidden.append(answered)
            continue
        lines.append(dict(zip(cut, key, strict=True)) | _line(measure, part))
    columns = [*cut, "asked", "answered", "coverage", "customers", "value", "low", "high"]
    return Cells(measure, pd.DataFrame(lines, columns=columns), len(hidden), sum(hidden))


def _line(measure: Measure, part: pd.DataFrame) -> dict[str, float]:
    """One cell: how many were asked, how many answered, what they said and how sure that is."""
    said = part.dropna(subset=["value"])
    values, weight = (said[c].to_numpy(np.float64) for c in ("value", "weight"))
    customer = pd.factorize(said["customer_id"])[0].astype(np.int64)
    make = wilson if measure.kind == "rate" else mean
    interval = make(values, weight, customer)
    return {
        "asked": len(part),
        "answered": len(said),
        "coverage": len(said) / len(part),
        "customers": int(customer.max()) + 1,
        "value": interval.value,
        "low": interval.low,
        "high": interval.high,
    }


def wilson(values: Floats, weight: Floats, customer: Ints, level: float = 0.95) -> Interval:
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
    return Interval(share, float(max(0.0, centre - reach)), float(min(1.0, centre + reach)))


def mean(values: Floats, weight: Floats, customer: Ints) -> Interval:
    """A weighted mean with the 95 % interval of a bootstrap that draws whole customers.

    Many customers (over 2,000) take the normal interval instead, which is then the same.
    """
    value = float(np.average(values, weights=weight))
    count = int(customer.max()) + 1
    if count > MOST_RESAMPLED:
        told = Estimate(value, clustered(weight / weight.sum() * (values - value), customer))
        return Interval(value, told.low, told.high)
    total = np.bincount(customer, weight * values, count)
    weights = np.bincount(customer, weight, count)
    drawn = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return percentiles(value, drawn @ total / (drawn @ weights))


def _check(by: tuple[str, ...], rows: pd.DataFrame) -> None:
    lacking = [name for name in by if name not in rows]
    if lacking:
        able = [c for c in rows if rows[c].dtype == object or str(rows[c].dtype) == "str"]
        raise ConfigRefused(
            f"no column {', '.join(lacking)} to cut by; known: period, "
            f"{', '.join(str(c) for c in able if c not in ('customer_id', 'instrument'))}; customer "
            "attributes are named under by in [insight.satisfaction]"
        )
