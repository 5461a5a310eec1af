"""Control charts: detect when a segment's value has changed beyond chance, with few false alarms."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

Floats = NDArray[np.float64]

#: Periods needed to establish the baseline.
MIN_PERIODS = 8
#: A single value this many standard errors from the baseline is an alert.
LIMIT = 3.0
#: Drift: an exponentially weighted mean and its limit (Lucas and Saccucci 1990).
MEMORY, DRIFT_LIMIT = 0.2, 2.9


@dataclass(frozen=True)
class ControlAlert:
    """A period in which a value lies beyond chance: in one step (`jump`) or gradually (`drift`)."""

    segment: str
    period: object
    kind: str
    value: float
    expected: float
    errors_off: float


def compute_control_chart(
    values: Floats, errors: Floats, min_periods: int = MIN_PERIODS
) -> pd.DataFrame:
    """Return each period with `expected`, `low`, `high`, `jump`, `drift` (both in standard errors).

    `errors` are the standard errors of the values. Each period is compared with the periods before it,
    at least `min_periods`; `jump` and `drift` are NaN until then. Variation between periods beyond
    sampling error is estimated and added (Laney 2002); periods with an alert do not enter the baseline.
    Raises DataRefused for errors that are not positive.
    """
    values, errors = np.asarray(values, np.float64), np.asarray(errors, np.float64)
    bad = int((np.isfinite(values) & ~(errors > 0)).sum())
    if bad or min_periods < 3:
        raise DataRefused(
            f"{bad} standard errors are not positive; each figure needs one (and {max(min_periods, 3)} "
            "periods to say what is usual)"
        )
    rows = []
    in_baseline = np.zeros(len(values), bool)
    smoothed, share = 0.0, 0.0
    for index, (value, error) in enumerate(zip(values, errors, strict=True)):
        if not np.isfinite(value):
            rows.append([np.nan] * 5)
            continue
        if in_baseline.sum() < min_periods:
            in_baseline[index] = True
            rows.append([np.nan] * 5)
            continue
        centre, spread = _baseline(values[in_baseline], errors[in_baseline], error)
        off = (value - centre) / spread
        smoothed = (1 - MEMORY) * smoothed + MEMORY * float(np.clip(off, -LIMIT, LIMIT))
        share = (1 - MEMORY) ** 2 * share + MEMORY**2
        drift = smoothed / np.sqrt(share)
        rows.append([centre, centre - LIMIT * spread, centre + LIMIT * spread, off, drift])
        in_baseline[index] = abs(off) <= LIMIT and abs(drift) <= DRIFT_LIMIT
        if abs(drift) > DRIFT_LIMIT:  # after an alert, the next one needs new evidence
            smoothed, share = 0.0, 0.0
    columns = ["expected", "low", "high", "jump", "drift"]
    return pd.DataFrame(rows, columns=columns).assign(value=values)


def find_alerts(
    figures: pd.DataFrame, min_periods: int = MIN_PERIODS
) -> tuple[list[ControlAlert], list[str]]:
    """Find the alerts of all segments, and the segments with too short a history.

    `figures` has `segment`, `period`, `value`, `low`, `high` (95%).
    """
    found, too_short = [], []
    for segment, part in figures.sort_values("period").groupby("segment", sort=True):
        errors = ((part["high"] - part["low"]) / (2 * 1.959964)).to_numpy(float)
        chart = compute_control_chart(part["value"].to_numpy(float), errors, min_periods)
        if chart["jump"].isna().all():
            too_short.append(str(segment))
        rows = chart[["jump", "drift", "value", "expected"]].to_numpy(np.float64).tolist()
        for period, (jump, drift, value, expected) in zip(part["period"], rows, strict=True):
            kind = _kind(jump, drift)
            if kind:
                off = jump if kind == "jump" else drift
                found.append(ControlAlert(str(segment), period, kind, value, expected, off))
    return found, too_short


def _kind(jump: float, drift: float) -> str:
    if abs(jump) > LIMIT:
        return "jump"
    return "drift" if abs(drift) > DRIFT_LIMIT else ""


def _baseline(values: Floats, errors: Floats, error: float) -> tuple[float, float]:
    """Return the expected value of a period and its standard deviation by chance.

    The latter includes the uncertainty of the baseline mean.
    """
    weight = 1 / errors**2
    centre = float(np.average(values, weights=weight))
    overdispersion = ((values - centre) / errors).std(ddof=1)
    factor = max(1.0, float(overdispersion))
    return centre, factor * float(np.sqrt(error**2 + 1 / weight.sum()))
