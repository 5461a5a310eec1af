"""Caches the predictions for the customers of a snapshot: one prediction per model and customer.

A prediction depends on the customer's own row alone, so neither its time nor the other rows of its
block change it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.bundles.bundle import Bundle
from models.bundles.predict import predict
from models.targets.target import Outputs

RowNumbers = NDArray[np.int64]
#: Customers predicted at a time in the background: some tenths of a second on one core.
BLOCK_SIZE = 5_000


@dataclass(frozen=True)
class PredictionCache:
    """The predictions of one model; `known` marks the rows predicted so far. Thread-safe.

    Two threads may compute the same prediction at once; the results are identical.
    """

    bundle: Bundle
    features: pa.Table
    outputs: Outputs
    known: NDArray[np.bool_]

    @classmethod
    def empty(cls, bundle: Bundle, features: pa.Table) -> "PredictionCache":
        """Allocate one array per output for all customers; no predictions yet."""
        count, first = features.num_rows, predict(bundle, features.slice(0, 1))
        outputs = {name: np.empty((count, *v.shape[1:]), v.dtype) for name, v in first.items()}
        return cls(bundle, features, outputs, np.zeros(count, bool))

    def look_up(self, rows: RowNumbers) -> Outputs:
        """Return the outputs of these rows, as `models.bundles.predict` does; predict missing ones."""
        missing = rows[~self.known[rows]]
        if len(missing):
            self._predict(missing)
        return {name: column[rows] for name, column in self.outputs.items()}

    def predict_next_block(self) -> None:
        """Predict the next block of missing rows, if any."""
        missing = np.flatnonzero(~self.known)[:BLOCK_SIZE]
        if len(missing):
            self._predict(missing)

    def _predict(self, rows: RowNumbers) -> None:
        for name, values in predict(self.bundle, self.features.take(pa.array(rows))).items():
            self.outputs[name][rows] = values
        self.known[rows] = True

    def matches(self, bundle: Bundle, features: pa.Table) -> bool:
        """Return whether the cache belongs to this model and this snapshot."""
        return self.features is features and self.bundle.manifest == bundle.manifest


def prediction_caches(
    bundles: Mapping[str, Bundle], features: pa.Table, former: Mapping[str, PredictionCache]
) -> dict[str, PredictionCache]:
    """Return the cache of each model; unchanged models of the same snapshot keep theirs."""
    return {
        target: kept
        if (kept := former.get(target)) and kept.matches(bundle, features)
        else PredictionCache.empty(bundle, features)
        for target, bundle in bundles.items()
    }
