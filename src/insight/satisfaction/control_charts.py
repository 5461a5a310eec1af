"""When a segment's figure has moved beyond chance: control charts that seldom cry wolf."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import DataRefused

Floats = NDArray[np.float64]

#: Periods that say what is usual, at the least.
MIN_PERIODS = 8
#: A single figure so many standard errors off is an alert.
LIMIT = 3.0
#: Slow moves: an exponentially weighted mean of past figures and its limit (Lucas and Saccucci 1990).
MEMORY, DRIFT_LIMIT = 0.2, 2.9


@dataclass(frozen=True)
class ControlAlert:
    """A period in which a figure lies beyond chance: suddenly (`jump`) or bit by bit (`drift`)."""

    segment: str
    period: object
    kind: str
    value: float
    expected: float
    errors_off: float

    @property
    def text(self) -> str:
        """What is said to the person in charge."""
        way = "above" if self.errors_off > 0 else "below"
        moved = "has moved" if self.kind == "jump" else "has drifted"
        return (
            f"{self.segment} {moved} to {self.value:.1f}, {abs(self.errors_off):.1f} standard errors "
            f"{way} the usual {self.expected:.1f}"
        )


def compute_control_chart(values: Floats, errors: Floats, usual: int = MIN_PERIODS) -> pd.DataFrame:
    """A figure's periods with `expected`, `low`, `high`, `jump`, `drift` (standard errors off).

    `errors` are the standard errors of the values. Each period is judged by those before it, at least
    `usual`; without as many, `jump` and `drift` are NaN. Chance between periods beyond sampling is
    estimated from them and added (Laney 2002); alerted periods no longer count as usual.
    Raises DataRefused for errors that are not positive.
    """
    values, errors = np.asarray(values, np.float64), np.asarray(errors, np.float64)
    bad = int((np.isfinite(values) & ~(errors > 0)).sum())
    if bad or usual < 3:
        raise DataRefused(
            f"{bad} standard errors are not positive; each figure needs one (and {max(usual, 3)} "
            "periods to say what is usual)"
        )
    lines = []
    good = np.zeros(len(values), bool)
    smoothed, share = 0.0, 0.0
    for place, (value, error) in enumerate(zip(values, errors, strict=True)):
        if not np.isfinite(value):
            lines.append([np.nan] * 5)
            continue
        if good.sum() < usual:
            good[place] = True
            lines.append([np.nan] * 5)
            continue
        centre, spread = _usual(values[good], errors[good], error)
        off = (value - centre) / spread
        smoothed = (1 - MEMORY) * smoothed + MEMORY * float(np.clip(off, -LIMIT, LIMIT))
        share = (1 - MEMORY) ** 2 * share + MEMORY**2
        drift = smoothed / np.sqrt(share)
        lines.append([centre, centre - LIMIT * spread, centre + LIMIT * spread, off, drift])
        good[place] = abs(off) <= LIMIT and abs(drift) <= DRIFT_LIMIT
        if abs(drift) > DRIFT_LIMIT:  # told; the next one needs evidence of its own
            smoothed, share = 0.0, 0.0
    columns = ["expected", "low", "high", "jump", "drift"]
    return pd.DataFrame(lines, columns=columns).assign(value=values)


def find_alerts(figures: pd.DataFrame, usual: int = MIN_PERIODS) -> tuple[list[ControlAlert], list[str]]:
    """The alerts of all segments, and the segments too young to be judged.

    `figures` has `segment`, `period`, `value`, `low`, `high` (95 %), as `cells` tells them.
    """
    found, young = [], []
    for segment, part in figures.sort_values("period").groupby("segment", sort=True):
        errors = ((part["high"] - part["low"]) / (2 * 1.959964)).to_numpy(float)
        chart = compute_control_chart(part["value"].to_numpy(float), errors, usual)
        if chart["jump"].isna().all():
            young.append(str(segment))
        rows = chart[["jump", "drift", "value", "expected"]].to_numpy(np.float64).tolist()
        for period, (jump, drift, value, expected) in zip(part["period"], rows, strict=True):
            kind = _kind(jump, drift)
            if kind:
                off = jump if kind == "jump" else drift
                found.append(ControlAlert(str(segment), period, kind, value, expected, off))
    return found, young


def _kind(jump: float, drift: float) -> str:
    if abs(jump) > LIMIT:
        return "jump"
    return "drift" if abs(drift) > DRIFT_LIMIT else ""


def _usual(values: Floats, errors: Floats, error: float) -> tuple[float, float]:
    """What is expected of a period with a standard error, and how far off it may be by chance.

    Includes how uncertain the mean of the past itself is.
    """
    weight = 1 / errors**2
    centre = float(np.average(values, weights=weight))
    beyond = ((values - centre) / errors).std(ddof=1)
    factor = max(1.0, float(beyond))
    return centre, factor * float(np.sqrt(error**2 + 1 / weight.sum()))
