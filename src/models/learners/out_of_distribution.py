"""Whether a customer is like those a model has learnt from, or unlike any of them.

A model answers for anybody. For a customer whose record lies where no training customer was (two
years silent where nobody was for longer than one, a country never seen) the answer is a guess, and
the scores say so: `abstain`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.learners.lightgbm import Estimator

Floats = NDArray[np.float64]
#: Training's range of a column: all but one row in a thousand on either side.
TAIL = 0.001
#: A customer is strange when columns that save this share of the loss, or more, are out of range ...
LEAST_SHARE = 0.10
#: ... and more of it than for all but one in two hundred of the training rows.
STRANGEST = 0.995


@dataclass(frozen=True)
class TrainingSupport:
    """The range of each column in training, its share of the model's gain, and what is too much.

    `missing` tells whether training saw the column missing at all (one row in a thousand).
    """

    columns: tuple[str, ...]
    low: list[float]
    high: list[float]
    missing: list[bool]
    share: list[float]
    limit: float

    @classmethod
    def fit(cls, estimator: Estimator, features: pa.Table) -> "TrainingSupport":
        """Learn the ranges from the rows the model was trained on."""
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
        strange = np.quantile(ranges._strangeness(matrix), STRANGEST)
        return cls(**{**asdict(ranges), "limit": float(max(LEAST_SHARE, strange))})

    def unlike(self, estimator: Estimator, features: pa.Table) -> NDArray[np.bool_]:
        """Which rows are unlike any training row in columns that matter to the model."""
        return np.asarray(self._strangeness(estimator.encoder.encode(features)) > self.limit)

    def _strangeness(self, matrix: Floats) -> Floats:
        """The share of the model's gain in columns that are out of training's range."""
        missing = np.isnan(matrix)
        outside = (matrix < np.array(self.low)) | (matrix > np.array(self.high))
        strange = np.where(missing, ~np.array(self.missing), outside)
        return np.asarray(strange @ np.array(self.share))

    def to_dict(self) -> dict[str, Any]:
        """The ranges as a manifest holds them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "TrainingSupport":
        """The ranges that `to_dict` gave."""
        return cls(**{**raw, "columns": tuple(raw["columns"])})
