"""Convert raw model scores to the displayed score: link, spend level, calibration, class mix."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.bundles.bundle import Bundle
from models.learners.calibration import Calibrator
from models.targets.registry import TARGETS

Floats = NDArray[np.float64]

EXPONENTIAL = ("poisson", "gamma", "tweedie")


@dataclass(frozen=True)
class OutputScale:
    """The conversion for one model; its input are coordinates (n, classes + 1).

    The first coordinates are the raw scores of the classes, the last one is the customer's spend level
    (1 without one). The displayed score is the probability of a binary target in percentage points;
    the mean satisfaction level (0 to 100); promoters minus detractors (-100 to 100); or money.
    """

    objective: str
    calibrator: Calibrator
    mix: tuple[float, ...] | None

    @classmethod
    def of(cls, bundle: Bundle) -> "OutputScale":
        target = TARGETS[bundle.target]
        return cls(
            bundle.estimator.objective, bundle.calibrator, _mix_in_points(target.class_values)
        )

    def displayed(self, coordinates: Floats) -> Floats:
        """The displayed score of coordinates (n, classes + 1)."""
        plain = self.link(coordinates[:, :-1]) * coordinates[:, -1:]
        return self.of_calibrated(
            self.calibrator.apply(plain[:, 0] if plain.shape[1] == 1 else plain)
        )

    def of_calibrated(self, calibrated: Floats) -> Floats:
        """The displayed score of calibrated probabilities or money."""
        if calibrated.ndim == 2:
            mix = self.mix or tuple(range(calibrated.shape[1]))
            return np.asarray((calibrated * np.array(mix)).sum(axis=1))
        return calibrated if self.calibrator.kind == "regression" else 100 * calibrated

    def link(self, raw: Floats) -> Floats:
        """Probabilities or values (n, classes) of raw scores, with the link of LightGBM's objective."""
        name, *settings = self.objective.split(" ")
        if name == "multiclass":
            powers = np.exp(raw - raw.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        if name == "binary":
            parameters = dict(s.split(":", 1) for s in settings if ":" in s)
            return np.asarray(1 / (1 + np.exp(-float(parameters.get("sigmoid", 1)) * raw)))
        return np.exp(raw) if name in EXPONENTIAL else raw


def coordinates(bundle: Bundle, features: pa.Table) -> Floats:
    """The raw scores of the classes and the spend level of each row (n, classes + 1)."""
    return add_spend_level(bundle, features, bundle.estimator.raw(features))


def add_spend_level(bundle: Bundle, features: pa.Table, raw: Floats) -> Floats:
    """Append the spend level to raw scores (n,) or (n, classes)."""
    level = bundle.spend.of(features) if bundle.spend else np.ones(len(raw))
    return np.column_stack([raw, level])


def _mix_in_points(mix: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """Convert a mix of shares to points of 100; a mix of levels is in points already."""
    if mix is None or max(map(abs, mix)) > 1:
        return mix
    return tuple(100 * m for m in mix)
