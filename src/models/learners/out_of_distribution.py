"""Detect customers that are out of distribution: outside the range of the training rows.

A model predicts for every customer. When important columns lie outside the training range (two years
of silence when no training customer was silent for more than one), the prediction is a guess, and
the scores set `abstain`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.lightgbm import Estimator

Floats = NDArray[np.float64]
#: The training range of a column leaves out this share of the rows on each side.
TAIL = 0.001
#: A row is out of distribution when columns with at least this share of the total gain are outside ...
MIN_GAIN_SHARE = 0.10
#: ... and with a larger share than this quantile of the training rows.
TRAINING_QUANTILE = 0.995


@dataclass(frozen=True)
class TrainingSupport:
    """The training range of each column, its share of the model's gain, and the decision limit.

    `missing` is whether the column was missing in training (in more than 0.1% of the rows).
    """

    columns: tuple[str, ...]
    low: list[float]
    high: list[float]
    missing: list[bool]
    share: list[float]
    limit: float

    @classmethod
    def fit(cls, estimator: Estimator, features: pa.Table) -> "TrainingSupport":
        """Learn the ranges from the training rows of the model."""
        matrix = estimator.encoder.encode(features)
        gain = estimator.importance()
        total = sum(gain.values()) or 1.0
        columns = estimator.encoder.columns
        measured = ~np.isnan(matrix)
        low, high = np.zeros(len(columns)), np.zeros(len(columns))
        for place in range(len(columns)):
            values = matrix[measured[:, place], place]
            if len(values):
                low[place], high[place] = np.quantile(values, [TAIL, 1 - TAIL])
        ranges = cls(
            columns,
            low.tolist(),
            high.tolist(),
            [bool(m) for m in (~measured).mean(axis=0) > TAIL],
            [gain[c] / total for c in columns],
            0.0,
        )
        usual = np.quantile(ranges._outside_share(matrix), TRAINING_QUANTILE)
        return cls(**{**asdict(ranges), "limit": float(max(MIN_GAIN_SHARE, usual))})

    def out_of_distribution(self, estimator: Estimator, features: pa.Table) -> NDArray[np.bool_]:
        """Which rows are outside the training range in columns that matter to the model."""
        return np.asarray(self._outside_share(estimator.encoder.encode(features)) > self.limit)

    def _outside_share(self, matrix: Floats) -> Floats:
        """The share of the model's gain in columns outside the training range."""
        missing = np.isnan(matrix)
        outside = (matrix < np.array(self.low)) | (matrix > np.array(self.high))
        unusual = np.where(missing, ~np.array(self.missing), outside)
        return np.asarray(unusual @ np.array(self.share))

    def to_dict(self) -> dict[str, Any]:
        """The ranges as stored in the manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "TrainingSupport":
        """Read the output of `to_dict`."""
        return cls(**{**raw, "columns": tuple(raw["columns"])})
