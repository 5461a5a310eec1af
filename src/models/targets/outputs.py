"""Turn calibrated predictions into outputs: levels, classes, probabilities, money."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.prediction_intervals import LevelIntervals, ValueIntervals
from models.learners.survival_curve import MONTHS, SurvivalCurve
from models.targets.spend_level import SpendLevel
from models.targets.target import Condition, Floats, Outputs, population_mask

#: The levels of satisfaction, on the common scale of 0 to 100.
LEVELS = (0.0, 25.0, 50.0, 75.0, 100.0)
NPS_CLASSES = ("detractor", "passive", "promoter")


def satisfaction_outputs(
    calibrated: Floats, _features: pa.Table, manifest: Mapping[str, Any]
) -> Outputs:
    """The expected level, 0 to 100, its prediction interval, and P(one of the two lowest levels)."""
    # Not a matrix product: its last digit depends on how many rows are scored together.
    score = (calibrated * np.array(LEVELS)).sum(axis=1)
    low, high = _missing(score), _missing(score)
    if manifest.get("ranges"):
        first, last = LevelIntervals(**manifest["ranges"]).predict(calibrated)
        low, high = np.array(LEVELS)[first], np.array(LEVELS)[last]
    return {
        "score": score,
        "low": np.minimum(low, score),
        "high": np.maximum(high, score),
        "dissatisfied": calibrated[:, :2].sum(axis=1),
    }


def _missing(values: Floats) -> Floats:
    """NaN: an output that a model of an older version does not have."""
    return np.full(len(values), np.nan)


def class_outputs(calibrated: Floats, _features: pa.Table, manifest: Mapping[str, Any]) -> Outputs:
    """The most probable class, and the probability of each class."""
    classes = manifest["classes"]
    shares = {name: calibrated[:, i] for i, name in enumerate(classes)}
    return {"class": np.array(classes)[calibrated.argmax(axis=1)], **shares}


def probability_outputs(
    calibrated: Floats, features: pa.Table, manifest: Mapping[str, Any]
) -> Outputs:
    """The probability of the positive class, and whether the customer is in the population.

    The probability is NaN outside the population: the model has learnt nothing about such customers.
    """
    raw = manifest["population"]
    inside = population_mask(features, Condition(**raw) if raw else None)
    return {"probability": np.where(inside, calibrated, np.nan), "in_population": inside}


def churn_outputs(calibrated: Floats, features: pa.Table, manifest: Mapping[str, Any]) -> Outputs:
    """The churn probability, whether the customer is in the population, and expected tenure.

    `survival` is the probability of staying for 0, 1, ..., 12 months; `months_left` the expected
    number of the next twelve months that the customer stays. All are NaN outside the population.
    """
    survival, months = np.full((len(calibrated), MONTHS + 1), np.nan), _missing(calibrated)
    if manifest.get("survival"):
        stays = SurvivalCurve.from_dict(manifest["survival"])
        survival = stays.curve(calibrated)
        months = stays.expected_months(survival)
    outputs = probability_outputs(calibrated, features, manifest)
    inside = outputs["in_population"]
    return {
        **outputs,
        "months_left": np.where(inside, months, np.nan),
        "survival": np.where(inside[:, None], survival, np.nan),
    }


def value_outputs(calibrated: Floats, features: pa.Table, manifest: Mapping[str, Any]) -> Outputs:
    """The mean of the money over the horizon, its prediction interval and its value segment."""
    low, high = _missing(calibrated), _missing(calibrated)
    if manifest.get("ranges"):
        level = SpendLevel(**manifest["spend_level"]).of(features)
        low, high = ValueIntervals.from_dict(manifest["ranges"]).predict(
            features, calibrated, level
        )
    return {
        "expected": calibrated,
        "low": low,
        "high": high,
        "segment": assign_segments(calibrated, manifest["segments"]),
    }


def with_typical(outputs: Outputs, typical: Floats) -> Outputs:
    """Add the median of a value; the prediction interval is widened to contain it."""
    return {
        **outputs,
        "low": np.minimum(outputs["low"], typical),
        "high": np.maximum(outputs["high"], typical),
        "typical": typical,
    }


def assign_segments(expected: Floats, bounds: list[Mapping[str, Any]]) -> NDArray[Any]:
    """Assign each expected value to the highest segment whose `at_least` it reaches.

    A customer from whom nothing is expected is in the last one.
    """
    names = np.array([str(b["name"]) for b in bounds])
    edges = np.array([float(b["at_least"]) for b in bounds[:-1]])
    place = (expected[:, None] < edges[None, :]).sum(axis=1)
    return np.asarray(names[np.where(expected > 0, place, len(names) - 1)])


def segment_bounds(expected: Floats) -> list[dict[str, Any]]:
    """Compute value segments from expected values: top 5%, next 15%, next 30%, rest.

    Customers with the same expected value are in the same segment, the lower one where a segment would
    otherwise be larger than its share; it can then be empty.
    """
    shares = {"top": 0.05, "high": 0.20, "middle": 0.50}
    bounds: list[dict[str, Any]] = [
        {"name": name, "at_least": _lowest_within(expected, share)}
        for name, share in shares.items()
    ]
    return [*bounds, {"name": "low", "at_least": None}]


def _lowest_within(expected: Floats, share: float) -> float:
    """The lowest value that at most a share of the customers reach; just above the highest if none."""
    values, counts = np.unique(expected, return_counts=True)
    reached = np.cumsum(counts[::-1])[::-1]
    inside = values[reached <= max(1.0, share * len(expected) + 1e-9)]
    return float(inside[0]) if len(inside) else float(np.nextafter(values[-1], np.inf))
