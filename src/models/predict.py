"""From a bundle and a feature table to outputs; the one path for the scores file and the service."""

import numpy as np
import pyarrow as pa

from models.answers import Outputs, segment_bounds, segments
from models.bundle import Bundle
from models.targets import TARGETS

#: What each target answers, in the order of the scores file.
OUTPUTS = {target.name: target.outputs for target in TARGETS.values()}

#: What reasons explain: the mix of class scores that makes one number of several.
MIXES = {t.name: np.array(t.mix) for t in TARGETS.values() if t.mix}


def predict(bundle: Bundle, features: pa.Table) -> Outputs:
    """The outputs of one target for each row of a feature table.

    Probabilities lie within (0, 1); `satisfaction.score` is the expected level, 0 to 100;
    `value.expected` is money over the horizon; flags are booleans.
    """
    return TARGETS[bundle.target].answer(bundle.calibrated(features), features, bundle.manifest)


__all__ = ["MIXES", "OUTPUTS", "predict", "segment_bounds", "segments"]
