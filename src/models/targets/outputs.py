"""From calibrated numbers to the outputs people use: levels, classes, probabilities, money."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.prediction_intervals import LevelRanges, ValueRanges
from models.learners.survival_curve import MONTHS, Survival
from models.targets.population import Condition, members
from models.targets.spend_level import SpendLevel

Floats = NDArray[np.float64]
Outputs = dict[str, NDArray[Any]]
#: (calibrated predictions, feature table, manifest) -> outputs, each of one value a row.
Answer = Callable[[Floats, pa.Table, Mapping[str, Any]], Outputs]

#: The levels of satisfaction, on the common scale of 0 to 100.
LEVELS = (0.0, 25.0, 50.0, 75.0, 100.0)
NPS_CLASSES = ("detractor", "passive", "promoter")


def level_and_dissatisfied(
    calibrated: Floats, _features: pa.Table, manifest: Mapping[str, Any]
) -> Outputs:
    """The expected level, 0 to 100, its range and the probability of the two lowest levels."""
    # Not a matrix product: its last digit depends on how many rows are asked for together.
    score = (calibrated * np.array(LEVELS)).sum(axis=1)
    low, high = _unknown(score), _unknown(score)
    if manifest.get("ranges"):
        first, last = LevelRanges(**manifest["ranges"]).of(calibrated)
        low, high = np.array(LEVELS)[first], np.array(LEVELS)[last]
    return {
        "score": score,
        "low": np.minimum(low, score),
        "high": np.maximum(high, score),
        "dissatisfied": calibrated[:, :2].sum(axis=1),
    }


def _unknown(values: Floats) -> Floats:
    """What a model of an older version cannot tell."""
    return np.full(len(values), np.nan)


def class_and_shares(
    calibrated: Floats, _features: pa.Table, manifest: Mapping[str, Any]
) -> Outputs:
    """The most probable class, and the probability of each."""
    classes = manifest["classes"]
    shares = {name: calibrated[:, i] for i, name in enumerate(classes)}
    return {"class": np.array(classes)[calibrated.argmax(axis=1)], **shares}


def probability(calibrated: Floats, features: pa.Table, manifest: Mapping[str, Any]) -> Outputs:
    """The probability of leaving, whether the customer belongs to the population, and how long he stays.

    `survival` has the chance of still being there after 0 to 12 months, `months_left` how many of
    the next twelve he is expected to stay.
    """
    raw = manifest["population"]
    inside = members(features, Condition(**raw) if raw else None)
    survival, months = np.full((len(calibrated), MONTHS + 1), np.nan), _unknown(calibrated)
    if manifest.get("survival"):
        stays = Survival.from_dict(manifest["survival"])
        survival = stays.curve(calibrated)
        months = stays.months_left(survival)
    return {
        "probability": calibrated,
        "in_population": inside,
        "months_left": months,
        "survival": survival,
    }


def value_and_segment(
    calibrated: Floats, features: pa.Table, manifest: Mapping[str, Any]
) -> Outputs:
    """Money over the horizon, its range, and the value segment it falls in."""
    low, high = _unknown(calibrated), _unknown(calibrated)
    if manifest.get("ranges"):
        level = SpendLevel(**manifest["spend_level"]).of(features)
        low, high = ValueRanges.from_dict(manifest["ranges"]).of(features, calibrated, level)
    return {
        "expected": calibrated,
        "low": low,
        "high": high,
        "segment": segments(calibrated, manifest["segments"]),
    }


def segments(expected: Floats, bounds: list[Mapping[str, Any]]) -> NDArray[Any]:
    """The value segment of each expected value: the highest whose `at_least` it reaches."""
    names = np.array([str(b["name"]) for b in bounds])
    edges = np.array([float(b["at_least"]) for b in bounds[:-1]])
    return np.asarray(names[(expected[:, None] < edges[None, :]).sum(axis=1)])


def segment_bounds(expected: Floats) -> list[dict[str, Any]]:
    """Value segments from a population's expected values: top 5 %, next 15 %, next 30 %, rest."""
    shares = {"top": 0.95, "high": 0.80, "middle": 0.50}
    bounds: list[dict[str, Any]] = [
        {"name": name, "at_least": float(np.quantile(expected, share))}
        for name, share in shares.items()
    ]
    return [*bounds, {"name": "low", "at_least": None}]
