"""How far the labels of a training set reach, and whether two training sets have the same labels."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from features.history.history_table import DAY
from models.training_set.splits import instant


@dataclass(frozen=True)
class LabelReach:
    """The end of the last label window that a model learns from, and the digest of its label data."""

    until: datetime
    digest: str

    @classmethod
    def of(
        cls,
        cutoff: NDArray[np.int64],
        customer: NDArray[np.int64],
        label: NDArray[np.float64],
        weight: NDArray[np.float64],
        span_days: int,
    ) -> "LabelReach":
        """The reach of labels with windows that end `span_days` after their cutoffs."""
        hashed = hashlib.sha256()
        for column in (cutoff, customer, label, weight):
            hashed.update(np.ascontiguousarray(column).tobytes())
        return cls(instant(int(cutoff.max()) + span_days * DAY), hashed.hexdigest())
