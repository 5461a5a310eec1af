"""Sums of expected values with their 90% intervals: totals of customers, and the value at risk."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from features.errors import DataRefused
from models.bundles.bundle import read_json
from models.bundles.champions import serving_version
from models.evaluation.sum_errors import SumErrors

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ExpectedTotal:
    """A sum of money over the horizon of value; the ends are None where no model says how sure it is."""

    value: float
    low: float | None = None
    high: float | None = None


def read_sum_errors(serving: Path) -> SumErrors | None:
    """How far the serving value model's sums may be off; None without one that says so."""
    version = serving_version(serving, "value")
    if version is None:
        return None
    try:
        stored = read_json(serving / "value" / version / "manifest.json").get("sums")
    except DataRefused:
        return None
    return SumErrors.from_dict(stored) if stored else None


def expected_total(
    expected: Floats, errors: SumErrors | None, share: Floats | float = 1.0
) -> ExpectedTotal:
    """The sum of `share` of each expected value, missing ones left out.

    With the probability of leaving as share, it is the value at risk: what is expected not to come for
    that reason, on average.
    """
    if errors is None or not np.isfinite(errors.common):
        return ExpectedTotal(float(np.nansum(expected * share)))
    return ExpectedTotal(*errors.of_sum(expected, share))
