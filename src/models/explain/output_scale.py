"""From a model's raw score to the score that people see: link, spend level, calibration, mix."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.bundles.bundle import Bundle
from models.explain.treeshap.trees import objective
from models.learners.calibration import Calibrator
from models.targets.registry import TARGETS

Floats = NDArray[np.float64]

EXPONENTIAL = ("poisson", "gamma", "tweedie")


@dataclass(frozen=True)
class OutputScale:
    """The last coordinate is the customer's spend level (1 where there is none), the others the raw
    scores of the classes.

    What is seen: the probability of a binary target in points of 100; the mean level of satisfaction
    (0 to 100); promoters less detractors (-100 to 100); money as it is.
    """

    objective: str
    calibrator: Calibrator
    mix: tuple[float, ...] | None

    @classmethod
    def of(cls, bundle: Bundle) -> "OutputScale":
        target = TARGETS[bundle.target]
        return cls(objective(bundle.estimator), bundle.calibrator, _points(target.class_values))

    def seen(self, coordinates: Floats) -> Floats:
        """The score people see, of coordinates (n, classes + 1)."""
        plain = self.link(coordinates[:, :-1]) * coordinates[:, -1:]
        return self.of_calibrated(
            self.calibrator.apply(plain[:, 0] if plain.shape[1] == 1 else plain)
        )

    def of_calibrated(self, calibrated: Floats) -> Floats:
        """The score people see, of calibrated probabilities or money."""
        if calibrated.ndim == 2:
            mix = self.mix or tuple(range(calibrated.shape[1]))
            return np.asarray((calibrated * np.array(mix)).sum(axis=1))
        return calibrated if self.calibrator.kind == "regression" else 100 * calibrated

    def link(self, raw: Floats) -> Floats:
        """Probabilities or values (n, classes) of raw scores, as LightGBM makes them."""
        name, *settings = self.objective.split(" ")
        if name == "multiclass":
            powers = np.exp(raw - raw.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        if name == "binary":
            told = dict(s.split(":", 1) for s in settings if ":" in s)
            return np.asarray(1 / (1 + np.exp(-float(told.get("sigmoid", 1)) * raw)))
        return np.exp(raw) if name in EXPONENTIAL else raw


def coordinates(bundle: Bundle, features: pa.Table) -> Floats:
    """Where each row stands: the raw scores of the classes and the spend level (n, classes + 1)."""
    return add_spend_level(bundle, features, bundle.estimator.raw(features))


def add_spend_level(bundle: Bundle, features: pa.Table, raw: Floats) -> Floats:
    """The same, of raw scores that are known: (n,) or (n, classes)."""
    level = bundle.spend.of(features) if bundle.spend else np.ones(len(raw))
    return np.column_stack([raw, level])


def _points(mix: tuple[float, ...] | None) -> tuple[float, ...] | None:
    """Shares become points of 100; levels are points already."""
    if mix is None or max(map(abs, mix)) > 1:
        return mix
    return tuple(100 * m for m in mix)
