"""From a bundle and a feature table to the outputs people use; the one path for file and service."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.bundle import Bundle
from models.population import members
from models.targets import LEVELS, NPS_CLASSES

Outputs = dict[str, NDArray[Any]]

#: What each target answers, in the order of the scores file.
OUTPUTS: dict[str, tuple[str, ...]] = {
    "satisfaction": ("score", "dissatisfied"),
    "nps": ("class", "detractor", "passive", "promoter"),
    "churn": ("probability", "in_population"),
    "value": ("expected", "segment"),
}

#: What reasons explain: the mix of class scores that makes one number of several.
MIXES: dict[str, NDArray[np.float64]] = {
    "satisfaction": np.array(LEVELS),
    "nps": np.array([-1.0, 0.0, 1.0]),
}


def predict(bundle: Bundle, features: pa.Table) -> Outputs:
    """The outputs of one target for each row of a feature table.

    Probabilities lie within (0, 1); `satisfaction.score` is the expected level, 0 to 100;
    `value.expected` is money over the horizon; flags are booleans.
    """
    calibrated = bundle.calibrated(features)
    if bundle.target == "satisfaction":
        low = calibrated[:, [i for i, level in enumerate(LEVELS) if level <= 25]]
        return {"score": calibrated @ np.array(LEVELS), "dissatisfied": low.sum(axis=1)}
    if bundle.target == "nps":
        names = np.array(NPS_CLASSES)[calibrated.argmax(axis=1)]
        return {"class": names, **{c: calibrated[:, i] for i, c in enumerate(NPS_CLASSES)}}
    if bundle.target == "churn":
        return {"probability": calibrated, "in_population": members(features, bundle.population)}
    return {"expected": calibrated, "segment": segments(calibrated, bundle.manifest["segments"])}


def segments(expected: NDArray[np.float64], bounds: list[Mapping[str, Any]]) -> NDArray[Any]:
    """The value segment of each expected value: the highest whose `at_least` it reaches."""
    names = np.array([str(b["name"]) for b in bounds])
    edges = np.array([float(b["at_least"]) for b in bounds[:-1]])
    return np.asarray(names[(expected[:, None] < edges[None, :]).sum(axis=1)])


def segment_bounds(expected: NDArray[np.float64]) -> list[dict[str, Any]]:
    """Value segments from the expected values of a population: top 5 %, next 15 %, 30 % and rest."""
    shares = {"top": 0.95, "high": 0.80, "middle": 0.50}
    bounds: list[dict[str, Any]] = [
        {"name": name, "at_least": float(np.quantile(expected, share))}
        for name, share in shares.items()
    ]
    return [*bounds, {"name": "low", "at_least": None}]
