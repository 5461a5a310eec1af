"""From calibrated numbers to the outputs people use: levels, classes, probabilities, money."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.population import Condition, members

Floats = NDArray[np.float64]
Outputs = dict[str, NDArray[Any]]
#: (calibrated predictions, feature table, manifest) -> outputs, each of one value a row.
Answer = Callable[[Floats, pa.Table, Mapping[str, Any]], Outputs]

#: The levels of satisfaction, on the common scale of 0 to 100.
LEVELS = (0.0, 25.0, 50.0, 75.0, 100.0)
NPS_CLASSES = ("detractor", "passive", "promoter")


def level_and_dissatisfied(
    calibrated: Floats, _features: pa.Table, _manifest: Mapping[str, Any]
) -> Outputs:
    """The expected level, 0 to 100, and the probability of the two lowest levels."""
    # Not a matrix product: its last digit depends on how many rows are asked for together.
    score = (calibrated * np.array(LEVELS)).sum(axis=1)
    return {"score": score, "dissatisfied": calibrated[:, :2].sum(axis=1)}


def class_and_shares(
    calibrated: Floats, _features: pa.Table, manifest: Mapping[str, Any]
) -> Outputs:
    """The most probable class, and the probability of each."""
    classes = manifest["classes"]
    shares = {name: calibrated[:, i] for i, name in enumerate(classes)}
    return {"class": np.array(classes)[calibrated.argmax(axis=1)], **shares}


def probability(calibrated: Floats, features: pa.Table, manifest: Mapping[str, Any]) -> Outputs:
    """The probability of the event, and whether the customer belongs to the population."""
    raw = manifest["population"]
    inside = members(features, Condition(**raw) if raw else None)
    return {"probability": calibrated, "in_population": inside}


def value_and_segment(
    calibrated: Floats, _features: pa.Table, manifest: Mapping[str, Any]
) -> Outputs:
    """Money over the horizon, and the value segment it falls in."""
    return {"expected": calibrated, "segment": segments(calibrated, manifest["segments"])}


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
