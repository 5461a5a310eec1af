"""Predictions for the customers of a snapshot: made once a model and customer, then looked up.

A prediction depends on the customer's own row alone, so that neither when it is made nor beside whom
changes a digit.
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
#: Customers made ready at a time: some tenths of a second of one core.
BLOCK = 5_000


@dataclass(frozen=True)
class PredictionCache:
    """What one model says of the customers of a snapshot. Safe to call from several threads.

    Two threads may make the same prediction at once; they make the same.
    """

    bundle: Bundle
    features: pa.Table
    outputs: Outputs
    made: NDArray[np.bool_]

    @classmethod
    def begin(cls, bundle: Bundle, features: pa.Table) -> "PredictionCache":
        """Room for everybody, a column an output; nothing is made yet."""
        count, one = features.num_rows, predict(bundle, features.slice(0, 1))
        outputs = {name: np.empty((count, *v.shape[1:]), v.dtype) for name, v in one.items()}
        return cls(bundle, features, outputs, np.zeros(count, bool))

    def of(self, places: RowNumbers) -> Outputs:
        """The outputs of the customers at these places, in the form of `models.bundles.predict`."""
        missing = places[~self.made[places]]
        if len(missing):
            self._make(missing)
        return {name: column[places] for name, column in self.outputs.items()}

    def make_some(self) -> None:
        """Make the next block of predictions that nobody has asked for yet, if there are any."""
        missing = np.flatnonzero(~self.made)[:BLOCK]
        if len(missing):
            self._make(missing)

    def _make(self, places: RowNumbers) -> None:
        for name, values in predict(self.bundle, self.features.take(pa.array(places))).items():
            self.outputs[name][places] = values
        self.made[places] = True

    def is_of(self, bundle: Bundle, features: pa.Table) -> bool:
        """Whether these are the scores of that very model and snapshot."""
        return self.features is features and self.bundle.manifest == bundle.manifest


def prediction_caches(
    bundles: Mapping[str, Bundle], features: pa.Table, former: Mapping[str, PredictionCache]
) -> dict[str, PredictionCache]:
    """The scores of each model; of one that stayed beside the same snapshot, those made already."""
    return {
        target: kept
        if (kept := former.get(target)) and kept.is_of(bundle, features)
        else PredictionCache.begin(bundle, features)
        for target, bundle in bundles.items()
    }
